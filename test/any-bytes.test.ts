import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNetwork, drop, type Pair, pair } from '../src/sim/index.js'
import type { LiveHost } from '../src/socket/index.js'
import { PROFILE_NAMES, type ProfileName } from '../src/tcp/index.js'
import {
  Frame,
  FrameAllocator,
  type IpAddress,
  read32,
  Segment,
  tcpHeaderLength,
  writeIPv4Header,
  writeTcp,
} from '../src/wire/index.js'
import { openBetween, Program } from './fixtures/program.js'

const RUNS = Number(process.env.ESTAB_RUNS ?? 300)

/** Packets and wake-ups in which everything has come to rest. */
const MOST_STEPS = 100_000

const frames = new FrameAllocator()

/** A segment to one end of a pair that looks as if it came from the other, its checksum right, the rest anything. */
interface Forged {
  readonly to: 'client' | 'server'
  readonly flags: number
  /** From RCV.NXT and SND.UNA of the end it goes to. */
  readonly seq: number
  readonly ack: number
  readonly window: number
  readonly urgentPointer: number
  readonly options: Uint8Array
  readonly text: Uint8Array
  readonly ecn: number
  /** To a port that nobody has, or from one. */
  readonly otherPort: boolean
}

const near = fc.oneof(
  fc.constantFrom(0, 1, -1, 2),
  fc.integer({ min: -3000, max: 3000 }),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
)

/** Options: octets that are anything, or begin like options that are known. */
const options = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .array(
      fc.tuple(
        fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 34, 172, 174, 254),
        fc.uint8Array({ maxLength: 16 }),
        fc.boolean(),
      ),
      { maxLength: 5 },
    )
    .map((list) => {
      const octets = list.flatMap(([kind, data, honest]) =>
        kind < 2 ? [kind] : [kind, honest ? data.length + 2 : (data[0] ?? 0), ...data],
      )
      return Uint8Array.from(octets.slice(0, 40))
    }),
)

const forged: fc.Arbitrary<Forged> = fc.record({
  to: fc.constantFrom('client', 'server'),
  flags: fc.oneof(fc.nat(0x1ff), fc.constantFrom(0x10, 0x18, 0x11, 0x02, 0x12, 0x04, 0x14)),
  seq: near,
  ack: near,
  window: fc.nat(0xffff),
  urgentPointer: fc.nat(0xffff),
  options,
  text: fc.uint8Array({ maxLength: 200 }),
  ecn: fc.nat(3),
  otherPort: fc.nat(9).map((n) => n === 0),
})

const call = fc.record({
  who: fc.constantFrom('client', 'server'),
  call: fc.constantFrom('send', 'receive', 'shutdown', 'close', 'abort'),
})

const step = fc.oneof(
  { weight: 6, arbitrary: forged },
  {
    weight: 2,
    arbitrary: fc.record({ to: fc.constantFrom('client', 'server'), raw: fc.uint8Array({ maxLength: 120 }) }),
  },
  { weight: 2, arbitrary: call },
  { weight: 2, arbitrary: fc.record({ advance: fc.oneof(fc.nat(50), fc.nat(5000), fc.nat(100_000)) }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Where a forged segment claims to come from, and what the end it goes to expects. */
interface Aim {
  readonly source: IpAddress
  readonly destination: IpAddress
  readonly sourcePort: number
  readonly destinationPort: number
  readonly rcvNxt: number
  readonly sndUna: number
}

function aimAt(p: Pair, to: 'client' | 'server'): Aim {
  const { local, localPort, remote, remotePort, rcv, snd } = p[to].connection
  return {
    source: remote,
    destination: local,
    sourcePort: remotePort,
    destinationPort: localPort,
    rcvNxt: rcv.nxt,
    sndUna: snd.una,
  }
}

function forge(aim: Aim, f: Forged): Frame {
  const segment = new Segment()
  segment.source = aim.source
  segment.destination = aim.destination
  segment.sourcePort = aim.sourcePort
  segment.destinationPort = f.otherPort ? 81 : aim.destinationPort
  segment.flags = f.flags
  segment.seq = (aim.rcvNxt + f.seq) | 0
  segment.ack = (aim.sndUna + f.ack) | 0
  segment.window = f.window
  segment.urgentPointer = f.urgentPointer
  segment.bytes = f.text
  segment.textLength = f.text.length
  segment.optionBytes.set(f.options)
  segment.optionBytesLength = f.options.length
  const length = tcpHeaderLength(segment) + f.text.length
  const frame = frames.allocate(20 + length)
  writeTcp(segment, frame.bytes, frame.start + 20, true)
  writeIPv4Header(frame.bytes, frame.start, length, 6, segment.source, segment.destination, 64, f.ecn, 1, 0)
  return frame
}

function take(p: Pair, s: Step): void {
  const { sim } = p
  if ('advance' in s) return sim.advance(s.advance)
  if ('call' in s) {
    const end = p[s.who]
    switch (s.call) {
      case 'send':
        end.send('x'.repeat(2000))
        return
      case 'receive':
        end.receive()
        return
      case 'shutdown':
        return end.shutdown()
      case 'close':
        return end.close()
      case 'abort':
        return end.abort()
    }
  }
  const frame = 'raw' in s ? new Frame(s.raw, 0, s.raw.length) : forge(aimAt(p, s.to), s)
  const { host } = p[s.to]
  host.receiveFrame(host.interfaces[1]!, frame, sim.now)
}

test('whatever octets come as a frame, in any state, a host survives them and still serves others', () => {
  fc.assert(
    fc.property(fc.constantFrom<ProfileName>(...PROFILE_NAMES), fc.array(step, { maxLength: 40 }), (profile, steps) => {
      const p = pair({ profile })
      for (const s of steps) take(p, s)
      p.sim.advance('10m')
      for (const end of [p.client, p.server]) {
        expect(end.connection.snd.una - end.connection.snd.nxt).not.toBeNaN()
      }
      // what is left is bounded
      expect([...p.server.host.connections].length).toBeLessThan(50)
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
}, 86_400_000)

test('nor do any octets during the handshake harm a host', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<ProfileName>(...PROFILE_NAMES),
      fc.array(forged, { minLength: 1, maxLength: 20 }),
      fc.constantFrom<0 | 1 | 2>(0, 1, 2),
      (profile, list, synCookies) => {
        const net = createNetwork()
        const [a, b] = ['a', 'b'].map((name) => net.host(name, { profile, settings: { synCookies } })) as [
          LiveHost,
          LiveHost,
        ]
        const script = { writes: [100], reads: [100], readsFrom: 0, ending: { kind: 'shutdown' as const } }
        const client = new Program(net, a, script, 1, 2)
        const server = new Program(net, b, script, 2, 1)
        // the client stays in SYN-SENT, and the server has an entry in its SYN queue that waits for the last ACK
        const rule = net.rule(drop({ from: 'b' }))
        let serverIss = 0
        net.capture(({ fate, from, frame }) => {
          if (fate === 'sent' && from === b && serverIss === 0) serverIss = read32(frame.bytes, frame.start + 24)
        })
        openBetween(net, client, server)
        net.advance(10)
        const c = client.connection!
        for (const f of list) {
          const toServer: Aim = {
            source: c.local,
            destination: c.remote,
            sourcePort: c.localPort,
            destinationPort: 80,
            rcvNxt: c.snd.iss + 1,
            sndUna: serverIss + 1,
          }
          const toClient: Aim = {
            source: c.remote,
            destination: c.local,
            sourcePort: 80,
            destinationPort: c.localPort,
            rcvNxt: serverIss,
            sndUna: c.snd.iss + 1,
          }
          const host = f.to === 'client' ? a : b
          host.receiveFrame(host.interfaces[1]!, forge(f.to === 'client' ? toClient : toServer, f), net.now)
          net.advance(10)
        }
        rule.dispose()
        let steps = 0
        while (net.clock.step(14_400_000)) expect(++steps).toBeLessThan(MOST_STEPS)
        // whatever was made of it is gone, but for who still waits for a peer that never was
        expect([...a.connections, ...b.connections].length).toBeLessThan(5)
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  )
}, 86_400_000)

test('after any octets a new connection carries text as if nothing had been', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<ProfileName>(...PROFILE_NAMES),
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 30 }),
      (profile, raws) => {
        const net = createNetwork()
        const [a, b] = [net.host('a', { profile }), net.host('b', { profile })]
        for (const raw of raws) b.receiveFrame(b.interfaces[1]!, new Frame(raw, 0, raw.length), 0)
        const script = { writes: [5000], reads: [1000], readsFrom: 0, ending: { kind: 'shutdown' as const } }
        const client = new Program(net, a, script, 1, 2)
        const server = new Program(net, b, script, 2, 1)
        openBetween(net, client, server)
        net.runUntilIdle('1h')
        expect([client.read, server.read, client.error, server.error]).toEqual([5000, 5000, null, null])
      },
    ),
    { numRuns: Math.min(RUNS, 100) },
  )
}, 86_400_000)
