import { createHash } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { type Connection, close, Listener, openActive, receive, send } from '../tcp/index.js'
import { jsonLines, type TraceEvent, TraceLog } from '../trace/index.js'
import { ANY_IPV4, IPPROTO_TCP, PacketHeader, parsePacket, parseTcp, Segment, takePacketHeader } from '../wire/index.js'
import { VirtualClock } from './clock.js'
import { createNetwork, drop, type NetworkOptions, type PacketOnTheWay, type SimulatedHostOptions } from './index.js'

interface Watching {
  /** A log at each host. */
  traced?: boolean
  /** Every packet is shown, with its octets, at each point of its way. */
  captured?: boolean
}

/** A transfer of so many octets from 'client' to 'server', as short programs that never call from inside the machine. */
function transfer(options: NetworkOptions, octets: number, watching: Watching = {}, host: SimulatedHostOptions = {}) {
  const net = createNetwork(options)
  const client = net.host('client', host)
  const server = net.host('server', host)
  const log = new TraceLog({ packets: true, timers: true })
  if (watching.traced) for (const host of [client, server]) host.observer = log.observe(host.name)
  const packets = createHash('sha256')
  if (watching.captured) {
    net.capture(({ fate, from, frame, now }) => {
      packets.update(`${now} ${fate} ${from.name} ${frame.checksumPartial}`).update(frame.view())
    })
  }
  const text = createHash('sha256')
  const chunk = Uint8Array.from({ length: 65_536 }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
  const target = new Uint8Array(1 << 18)
  let sent = 0
  let received = 0
  let ended = false
  const user = { notify: () => {} }
  const listener = new Listener(server, { local: ANY_IPV4, localPort: 80, backlog: 1, user }, 0)
  const remote = server.interfaces[1]!.addresses[0]!.address
  const local = client.interfaces[1]!.addresses[0]!.address
  const c = openActive(client, { local, localPort: 40_000, remote, remotePort: 80, user }, 0)
  let accepted: Connection | null = null
  let steps = 0
  while (!ended && net.clock.step(3_600_000)) {
    steps++
    for (let taken = 1; sent < octets && taken > 0; sent += taken) {
      const result = send(c, chunk.subarray(0, Math.min(chunk.length, octets - sent)), 0, net.now)
      taken = typeof result === 'number' ? result : 0
    }
    if (sent >= octets) close(c, net.now)
    accepted ??= listener.accept(user, net.now)
    if (accepted === null) continue
    const taken = receive(accepted, target, 0, net.now)
    if (typeof taken !== 'number') continue
    received += taken
    text.update(target.subarray(0, taken))
    if (taken > 0) continue
    close(accepted, net.now)
    ended = true
  }
  net.runUntilIdle('2m')
  const { sent: packetsSent, delivered, lost, duplicated, reordered, corrupted } = net.link('lan')
  const counted = [client, server].map(({ counters }) => ({ ...counters.values, ...counters.drops }))
  return {
    result: {
      received,
      text: text.digest('hex'),
      end: net.now,
      packetsSent,
      delivered,
      lost,
      duplicated,
      reordered,
      corrupted,
      counted,
    },
    packets: packets.digest('hex'),
    events: digest(log.events),
    segments: { client: client.counters.get('TcpOutSegs'), server: server.counters.get('TcpOutSegs') },
    steps,
  }
}

function digest(events: readonly TraceEvent[]): string {
  const hash = createHash('sha256').update(jsonLines(events))
  for (const event of events) if ('packet' in event && event.packet !== null) hash.update(event.packet)
  return hash.digest('hex')
}

const FAULTS: NetworkOptions = {
  seed: 42,
  latency: 5,
  jitter: 3,
  rate: '100Mbit',
  queue: 60,
  loss: 0.01,
  duplication: 0.01,
  reordering: 0.01,
  corruption: 0.01,
}

const MEGABYTES = 1_000_000

afterEach(() => void vi.restoreAllMocks())

test('a long run with every fault is the same run again, whether it is traced, captured, both or neither', () => {
  const plain = transfer(FAULTS, 2 * MEGABYTES)
  expect(plain.result.received).toBe(2 * MEGABYTES)
  expect(plain.result.lost * plain.result.corrupted * plain.result.reordered * plain.result.duplicated).toBeGreaterThan(
    0,
  )
  const captured = transfer(FAULTS, 2 * MEGABYTES, { captured: true })
  const both = transfer(FAULTS, 2 * MEGABYTES, { traced: true, captured: true })
  const traced = transfer(FAULTS, 2 * MEGABYTES, { traced: true })
  for (const other of [captured, both, traced]) expect(other.result).toEqual(plain.result)
  expect(both.packets).toBe(captured.packets)
  expect(both.events).toBe(traced.events)
  expect(transfer({ ...FAULTS, seed: 43 }, MEGABYTES, { captured: true }).packets).not.toBe(captured.packets)
}, 120_000)

test.each([false, true])('without faults too, where frames are lent; offloads: %s', (offloads) => {
  const plain = transfer({ latency: 1 }, 4 * MEGABYTES, {}, { offloads })
  const captured = transfer({ latency: 1 }, 4 * MEGABYTES, { captured: true }, { offloads })
  const both = transfer({ latency: 1 }, 4 * MEGABYTES, { traced: true, captured: true }, { offloads })
  const traced = transfer({ latency: 1 }, 4 * MEGABYTES, { traced: true }, { offloads })
  for (const other of [captured, both, traced]) expect(other.result).toEqual(plain.result)
  expect(both.packets).toBe(captured.packets)
  expect(both.events).toBe(traced.events)
  expect(plain.result.received).toBe(4 * MEGABYTES)
})

test('offloads change how much is done at once, not the text', () => {
  const without = transfer({ latency: 1 }, 4 * MEGABYTES)
  const offloaded = transfer({ latency: 1 }, 4 * MEGABYTES, {}, { offloads: true })
  expect(offloaded.result.text).toBe(without.result.text)
  expect(offloaded.steps).toBeLessThan(without.steps * 1.1)
})

test('what is due at the same time is one event: far fewer events than segments, and none made for a packet', () => {
  const made = vi.spyOn(VirtualClock.prototype, 'at')
  const { segments, steps } = transfer({ latency: 1 }, 4 * MEGABYTES)
  expect(steps).toBeLessThan((segments.client + segments.server) / 5)
  expect(made).not.toHaveBeenCalled()
})

test('on a link with a rate a packet is one event', () => {
  const made = vi.spyOn(VirtualClock.prototype, 'at')
  const { segments, steps } = transfer({ latency: 1, rate: '100Mbit' }, 4 * MEGABYTES)
  expect(steps).toBeLessThan((segments.client + segments.server) * 1.1)
  expect(made).not.toHaveBeenCalled()
})

test('ACKs: one for two segments where they come one by one, one for all that come together', () => {
  const together = transfer({ latency: 1 }, 4 * MEGABYTES).segments
  expect(together.server).toBeLessThan(together.client / 20)
  const apart = transfer({ latency: 1, rate: '100Mbit' }, 4 * MEGABYTES).segments
  expect(apart.server).toBeLessThan(apart.client * 0.6)
  expect(apart.server).toBeGreaterThan(apart.client * 0.4)
})

test('whoever looks at a packet sees its checksum: captures, rules, logs, over a router too', () => {
  const wrong: string[] = []
  const look = (who: string, bytes: Uint8Array, start: number, end: number) => {
    const header = new PacketHeader()
    const segment = new Segment()
    if (parsePacket(bytes, start, end, header) !== null || header.protocol !== IPPROTO_TCP) return wrong.push(who)
    takePacketHeader(segment, header)
    if (parseTcp(bytes, header.payloadStart, header.payloadEnd, segment, true) !== null) return wrong.push(who)
    return seen.set(who, (seen.get(who) ?? 0) + 1)
  }
  const seen = new Map<string, number>()
  for (const who of ['capture', 'rule', 'log'] as const) {
    const net = createNetwork({ latency: 1 })
    const client = net.host('client', { on: 'left' })
    net.router('router', { on: ['left', 'right'] })
    const server = net.host('server', { on: 'right' })
    const log = new TraceLog({ packets: true })
    if (who === 'capture') net.capture(({ frame }) => look(who, frame.bytes, frame.start, frame.end))
    if (who === 'rule') {
      const where = ({ frame }: PacketOnTheWay) => look(who, frame.bytes, frame.start, frame.end) === undefined
      net.rule(drop({ where }))
    }
    if (who === 'log') for (const host of [client, server]) host.observer = log.observe(host.name)
    const user = { notify: () => {} }
    new Listener(server, { local: ANY_IPV4, localPort: 80, backlog: 1, user }, 0)
    const remote = server.interfaces[1]!.addresses[0]!.address
    const local = client.interfaces[1]!.addresses[0]!.address
    const c = openActive(client, { local, localPort: 40_000, remote, remotePort: 80, user }, 0)
    net.advance(20)
    send(c, new Uint8Array(20_000).fill(5), 0, net.now)
    net.advance(100)
    for (const event of log.events) {
      if ('packet' in event && event.packet !== null) look(who, event.packet, 0, event.packet.length)
    }
  }
  expect(wrong).toEqual([])
  for (const who of ['capture', 'rule', 'log']) expect(seen.get(who)).toBeGreaterThan(15)
})
