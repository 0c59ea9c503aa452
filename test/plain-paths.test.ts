import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, expect, test, vi } from 'vitest'
import { createNetwork } from '../src/sim/index.js'
import { type Connection, close, Listener, type Observed, openActive, receive, send } from '../src/tcp/index.js'
import { jsonLines, TraceLog } from '../src/trace/index.js'
import { ANY_IPV4, type IpAddress } from '../src/wire/index.js'
import { play, type Scenario, scenario } from './fixtures/any-network.js'

/**
 * The short ways of packets, ACKs, texts and answers as most are, and how often each was taken. Turned off, everything goes
 * the long way, which takes whatever comes.
 */
const ways = vi.hoisted(() => ({ areOpen: true, taken: {} as Record<string, number> }))

const { takes } = vi.hoisted(() => ({
  /** The function, while the ways are open; `otherwise` when they are not. */
  takes<Args extends unknown[], Result>(
    name: string,
    short: (...args: Args) => Result,
    otherwise: (...args: Args) => Result,
  ) {
    return (...args: Args): Result => {
      if (!ways.areOpen) return otherwise(...args)
      const result = short(...args)
      if (result !== false) ways.taken[name] = (ways.taken[name] ?? 0) + 1
      return result
    }
  },
}))

vi.mock(import('../src/wire/plain-packet.js'), async (original) => {
  const actual = await original()
  return {
    ...actual,
    parsePlainPacket: takes('packet read', actual.parsePlainPacket, () => false),
    isPlainToWrite: takes('packet written', actual.isPlainToWrite, () => false),
  }
})
vi.mock(import('../src/tcp/send/plain-ack.js'), async (original) => {
  const actual = await original()
  return { ...actual, plainAckArrives: takes('ACK', actual.plainAckArrives, () => false) }
})
vi.mock(import('../src/tcp/send/plain-text.js'), async (original) => {
  const actual = await original()
  return { ...actual, sendPlainText: takes('answer', actual.sendPlainText, () => false) }
})
vi.mock(import('../src/tcp/receive/text-arrives.js'), async (original) => {
  const actual = await original()
  return { ...actual, nextTextArrives: takes('text', actual.nextTextArrives, actual.textArrives) }
})

/** Every number and truth that a connection remembers. */
function everything(endpoint: Observed): Record<string, number> | null {
  if (!('snd' in endpoint)) return null
  const c = endpoint as Connection
  const values: Record<string, number> = {}
  const note = (name: string, part: object | null | undefined) => {
    for (const [key, value] of Object.entries(part ?? {})) {
      if (typeof value === 'number' || typeof value === 'boolean') values[`${name}.${key}`] = Number(value)
    }
  }
  note('c', c)
  note('snd', c.snd)
  note('snd.queue', c.snd.queue)
  note('snd.rate', c.snd.rate)
  note('snd.usage', c.snd.usage)
  note('snd.chronograph', c.snd.chronograph)
  note('rcv', c.rcv)
  note('rcv.queue', c.rcv.queue)
  note('recovery', c.recovery)
  note('congestion', c.congestion)
  note('timers', c.timers)
  const { rtt } = c
  if (rtt === undefined) return values
  const { rto, minimum, smoothed, variance, deviationMicros } = rtt
  note('rtt', { rto, minimum, smoothed, variance, deviationMicros })
  return values
}

/** What happened in a scenario, every packet and every variable of every connection after each step. */
function history(s: Scenario): string[] {
  const log = new TraceLog({ packets: true, timers: true, variables: everything })
  play(s, (hosts) => {
    for (const host of hosts) host.observer = log.observe(host.name)
  })
  return told(log)
}

const told = ({ events }: TraceLog): string[] =>
  events.map((event) => {
    const packet =
      'packet' in event && event.packet !== null ? createHash('md5').update(event.packet).digest('hex') : ''
    return `${jsonLines([event])}${packet}`
  })

/** Plays it both ways, and compares what happened. */
function holdAgainst<T>(s: T, play: (s: T) => string[]): void {
  const short = play(s)
  ways.areOpen = false
  const long = play(s)
  ways.areOpen = true
  const parts = short.findIndex((event, i) => event !== long[i])
  const from = parts < 0 ? short.length : parts
  expect(short.slice(from, from + 3)).toEqual(long.slice(from, from + 3))
}

const profile = fc.constantFrom('linux', 'freebsd', 'rfc9293')

/** Questions and answers: octets of each, who asks, and how long each waits before it goes on, ms. */
const conversation = fc.record({
  seed: fc.nat(),
  profiles: fc.tuple(profile, profile),
  loss: fc.constantFrom(0, 0, 0.1),
  latency: fc.constantFrom(0.01, 5, 80),
  turns: fc.array(
    fc.record({
      size: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1000, max: 4000 })),
      byClient: fc.boolean(),
      wait: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 5000 })),
    }),
    { minLength: 3, maxLength: 20 },
  ),
})

/** Plays a conversation; what is sent is read as soon as its sender has waited. */
function converse({
  turns,
  profiles,
  ...options
}: typeof conversation extends fc.Arbitrary<infer T> ? T : never): string[] {
  const log = new TraceLog({ packets: true, timers: true, variables: everything })
  const net = createNetwork(options)
  const client = net.host('client', { profile: profiles[0], observer: log.observe('client') })
  const server = net.host('server', { profile: profiles[1], observer: log.observe('server') })
  const user = { notify: () => {} }
  const listener = new Listener(server, { local: ANY_IPV4, localPort: 80, backlog: 1, user }, net.now)
  const [local, remote] = [client, server].map((host) => host.interfaces[1]!.addresses[0]!.address) as [
    IpAddress,
    IpAddress,
  ]
  const c = openActive(client, { local, localPort: 40_000, remote, remotePort: 80, user }, net.now)
  let accepted: Connection | null = null
  for (let tries = 0; accepted === null && tries < 100; tries++) {
    net.advance(1000)
    accepted = listener.accept(user, net.now)
  }
  const target = new Uint8Array(8192)
  for (const { size, byClient, wait } of accepted === null ? [] : turns) {
    const [asks, answers] = byClient ? [c, accepted!] : [accepted!, c]
    send(asks, new Uint8Array(size), 0, net.now)
    net.advance(wait)
    receive(answers, target, 0, net.now)
  }
  close(c, net.now)
  if (accepted !== null) close(accepted, net.now)
  net.runUntilIdle('1h')
  return told(log)
}

/** ESTAB_RUNS=100000 for the long run. */
const RUNS = Number(process.env.ESTAB_RUNS ?? 100)

const WAYS = ['packet read', 'packet written', 'ACK', 'answer', 'text']

beforeEach(() => {
  ways.taken = {}
})

test('whatever happens, the short ways lead where the long ones do', () => {
  fc.assert(
    fc.property(scenario, (s) => holdAgainst(s, history)),
    { numRuns: RUNS },
  )
  for (const way of WAYS) expect(ways.taken[way], `ways taken: ${way}`).toBeGreaterThan(RUNS / 4)
}, 86_400_000)

test('so do they in conversations', () => {
  fc.assert(
    fc.property(conversation, (s) => holdAgainst(s, converse)),
    { numRuns: RUNS },
  )
  for (const way of WAYS) expect(ways.taken[way], `ways taken: ${way}`).toBeGreaterThan(RUNS)
}, 86_400_000)
