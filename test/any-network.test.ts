import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyFrame, flipBit } from '../src/link/index.js'
import { createNetwork, type Network, replace } from '../src/sim/index.js'
import { type Settings, State } from '../src/tcp/index.js'
import { type Ending, openBetween, Program, type Script } from './fixtures/program.js'

/** ESTAB_RUNS=100000 for the long run. */
const RUNS = Number(process.env.ESTAB_RUNS ?? 300)

/** What happens to the first packets of one direction, one after the other; later ones pass. */
type Fate = 'pass' | 'drop' | 'duplicate' | 'corrupt' | { readonly delay: number }

/** Losses in a row that no retransmission limit of any profile survives for sure; fewer must not end a connection. */
const LOSSES_THAT_KILL = 5

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>('pass') },
  { weight: 3, arbitrary: fc.constantFrom<Fate>('drop', 'duplicate', 'corrupt') },
  { weight: 2, arbitrary: fc.record({ delay: fc.oneof(fc.nat(50), fc.nat(3000)) }) },
)

const size = fc.oneof(
  fc.integer({ min: 1, max: 10 }),
  fc.integer({ min: 1, max: 3000 }),
  fc.integer({ min: 1, max: 80_000 }),
)

const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Ending>({ kind: 'shutdown' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('shutdown at' as const), at: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.constant<Ending>({ kind: 'close' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close at' as const), at: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort at' as const), at: fc.nat(3000) }) },
)

const script: fc.Arbitrary<Script> = fc.record({
  writes: fc.array(size, { maxLength: 6 }),
  reads: fc.array(size, { minLength: 1, maxLength: 4 }),
  readsFrom: fc.oneof(fc.constant(0), fc.nat(5000)),
  ending,
})

const settings: fc.Arbitrary<Partial<Settings>> = fc.record(
  {
    sack: fc.boolean(),
    timestamps: fc.constantFrom(0, 1),
    windowScaling: fc.boolean(),
    receiveBuffer: fc.constantFrom<[number, number, number]>([4096, 8192, 8192], [4096, 131_072, 6_291_456]),
    congestionControl: fc.constantFrom('reno', 'cubic'),
    ecn: fc.constantFrom(0, 1),
  },
  { requiredKeys: [] },
)

const scenario = fc.record({
  seed: fc.nat(),
  profiles: fc.tuple(fc.constantFrom('linux', 'freebsd', 'rfc9293'), fc.constantFrom('linux', 'freebsd', 'rfc9293')),
  settings: fc.tuple(settings, settings),
  latency: fc.constantFrom(0, 0.1, 5, 80),
  mtu: fc.constantFrom(1500, 600, 9000),
  superSegments: fc.boolean(),
  fates: fc.tuple(fc.array(fate, { maxLength: 40 }), fc.array(fate, { maxLength: 40 })),
  scripts: fc.tuple(script, script),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

/** Lets the first packets from a host meet their fates. */
function impose(net: Network, from: string, fates: readonly Fate[], lost: { count: number }): void {
  let at = 0
  const link = net.link('lan')
  net.rule(
    replace({ from }, (packet) => {
      const { frame, now } = packet
      const fate = fates[at++] ?? 'pass'
      const port = link.ports.find((p) => p.host.name === from)!
      switch (fate) {
        case 'pass':
          return [frame]
        case 'drop':
          lost.count++
          return []
        case 'duplicate':
          return [frame, copyFrame(frame)]
        case 'corrupt': {
          lost.count++
          const garbled = copyFrame(frame)
          flipBit(garbled, net.random)
          return [garbled]
        }
        default:
          link.carry(port, frame, fate.delay, now)
          return []
      }
    }),
  )
}

function run(s: Scenario): { net: Network; client: Program; server: Program; lost: number } {
  const net = createNetwork({ seed: s.seed, latency: s.latency, mtu: s.mtu, superSegments: s.superSegments })
  const hosts = ['client', 'server'].map((name, i) =>
    net.host(name, { profile: s.profiles[i]!, settings: s.settings[i]! }),
  )
  const lost = { count: 0 }
  impose(net, 'client', s.fates[0], lost)
  impose(net, 'server', s.fates[1], lost)
  const client = new Program(net, hosts[0]!, s.scripts[0], 0x55, 0xaa)
  const server = new Program(net, hosts[1]!, s.scripts[1], 0xaa, 0x55)
  openBetween(net, client, server)
  net.run('4h')
  return { net, client, server, lost: lost.count }
}

/** What must hold at one end, given the other. */
function check(end: Program, peer: Program, lost: number): void {
  // never an octet that was not sent, never out of order
  expect(end.wrongAt).toBe(-1)
  expect(end.read).toBeLessThanOrEqual(peer.written)
  // FIN comes behind everything
  if (end.sawFin) expect(end.read).toBe(peer.written)
  // an error has a cause
  const resetByPeer = peer.aborted || peer.closedEarly || peer.error !== null
  switch (end.error) {
    case null:
      break
    case 'ETIMEDOUT':
      expect(lost).toBeGreaterThanOrEqual(LOSSES_THAT_KILL)
      break
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNREFUSED':
      expect({ error: end.error, resetByPeer }).toEqual({ error: end.error, resetByPeer: true })
      break
    default:
      expect(end.error).toBeNull()
  }
  // who was not disturbed got everything
  const undisturbed = end.error === null && peer.error === null && !peer.aborted && !end.aborted
  if (undisturbed && end.isOpen && peer.isOpen && !end.closedEarly && peer.finished && lost < LOSSES_THAT_KILL) {
    expect({ sawFin: end.sawFin, read: end.read }).toEqual({ sawFin: true, read: peer.written })
  }
}

test('whatever is lost, doubled, garbled, overtaken and delayed, both ends see the octets sent, in order, and end CLOSED', () => {
  fc.assert(
    fc.property(scenario, (s) => {
      const { client, server, lost } = run(s)
      check(client, server, lost)
      check(server, client, lost)
      for (const { host } of [client, server]) {
        const left = [...host.connections].filter((e) => e.state !== State.Listen)
        expect(left.map((e) => `${host.name} ${e.constructor.name} ${e.state}`)).toEqual([])
      }
    }),
    { numRuns: RUNS },
  )
}, 86_400_000)
