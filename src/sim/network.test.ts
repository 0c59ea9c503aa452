import { expect, test } from 'vitest'
import { echoRequest } from '../../test/fixtures/test-host.js'
import type { Host } from '../ip/index.js'
import type { Frame } from '../wire/index.js'
import { type CapturedPacket, createNetwork, delay, drop, duplicate, type Network, replace } from './index.js'

const addressOf = (host: Host, version: 4 | 6 = 4): string =>
  `${host.interfaces[1]!.addresses.find((a) => a.address.isIPv4 === (version === 4))!.address}`

/** `from` pings `to`: the request leaves by its first interface. */
function ping(net: Network, from: Host, to: Host, length = 72, options = {}): void {
  from.interfaces[1]!.link.transmit([echoRequest(addressOf(from), addressOf(to), length, options)], 1, net.now)
}

interface Delivery {
  at: number
  from: string
  type: number
  length: number
}

/** ICMP packets as they are delivered. */
function watch(net: Network): Delivery[] {
  const seen: Delivery[] = []
  net.capture(({ fate, from, frame, now }) => {
    if (fate !== 'delivered') return
    const at = frame.start + (frame.bytes[frame.start]! >>> 4 === 4 ? 20 : 40)
    seen.push({ at: now, from: from.name, type: frame.bytes[at]!, length: frame.length })
  })
  return seen
}

test('latency: a request and its answer take one each', () => {
  const net = createNetwork({ latency: '20ms' })
  const [a, b] = [net.host('a'), net.host('b')]
  const seen = watch(net)
  ping(net, a, b)
  net.clock.run()
  expect(seen).toEqual([
    { at: 20, from: 'a', type: 8, length: 100 },
    { at: 40, from: 'b', type: 0, length: 100 },
  ])
})

test('rate: packets leave one behind the other, 100 octets at 100 kbit/s every 8 ms', () => {
  const net = createNetwork({ latency: '1ms', rate: '100kbit' })
  const [a, b] = [net.host('a'), net.host('b')]
  const seen = watch(net)
  for (let i = 0; i < 4; i++) ping(net, a, b)
  net.clock.run()
  expect(seen.filter((s) => s.from === 'a').map((s) => s.at)).toEqual([9, 17, 25, 33])
})

test('queue: no more than so many packets wait behind the one being sent', () => {
  const net = createNetwork({ rate: '100kbit', queue: 2 })
  const [a, b] = [net.host('a'), net.host('b')]
  const seen = watch(net)
  for (let i = 0; i < 6; i++) ping(net, a, b)
  net.clock.run()
  expect(seen.filter((s) => s.from === 'a')).toHaveLength(3)
  expect(net.link('lan').queueDropped).toBe(3)
})

test('queueOctets: no more than so many octets wait', () => {
  const net = createNetwork({ rate: '100kbit', queueOctets: 250 })
  const [a, b] = [net.host('a'), net.host('b')]
  for (let i = 0; i < 6; i++) ping(net, a, b)
  net.clock.run()
  expect(net.link('lan').queueDropped).toBe(3)
})

test('jitter changes when packets arrive, never their order', () => {
  const net = createNetwork({ latency: 10, jitter: 20 })
  const [a, b] = [net.host('a'), net.host('b')]
  const seen = watch(net)
  for (let i = 0; i < 50; i++) ping(net, a, b, i)
  net.clock.run()
  const arrived = seen.filter((s) => s.from === 'a')
  expect(arrived.map((s) => s.length)).toEqual(Array.from({ length: 50 }, (_, i) => 28 + i))
  expect(new Set(arrived.map((s) => s.at)).size).toBeGreaterThan(2)
})

test.each([
  ['loss', 0.25, (net: Network) => net.link('lan').lost / net.link('lan').sent],
  ['duplication', 0.25, (net: Network) => net.link('lan').duplicated / net.link('lan').sent],
  ['reordering', 0.25, (net: Network) => net.link('lan').reordered / net.link('lan').sent],
  ['corruption', 0.25, (net: Network) => net.link('lan').corrupted / net.link('lan').sent],
] as const)('%s happens as often as it is said to', (name, p, share) => {
  const net = createNetwork({ [name]: p })
  const [a, b] = [net.host('a'), net.host('b')]
  for (let i = 0; i < 4000; i++) ping(net, a, b)
  net.clock.run()
  expect(share(net)).toBeGreaterThan(p - 0.03)
  expect(share(net)).toBeLessThan(p + 0.03)
})

test('a garbled packet is dropped and counted by who gets it', () => {
  const net = createNetwork({ corruption: 1 })
  const [a, b] = [net.host('a'), net.host('b')]
  for (let i = 0; i < 200; i++) ping(net, a, b)
  net.clock.run()
  const drops = Object.values(b.counters.drops).reduce((sum, n) => sum + n, 0)
  // a bit of the destination address may have changed, then it went astray
  expect(drops).toBeGreaterThan(50)
  expect(a.counters.get('IcmpInMsgs')).toBe(0)
})

test('rules: the second of the requests from a is lost, then the rule is disposed of', () => {
  const net = createNetwork()
  const [a, b] = [net.host('a'), net.host('b')]
  const seen = watch(net)
  const rule = net.rule(drop({ from: 'a', protocol: 'icmp', nth: 2 }))
  for (let i = 0; i < 3; i++) ping(net, a, b, i)
  net.clock.run()
  expect(seen.filter((s) => s.from === 'a').map((s) => s.length)).toEqual([28, 30])
  expect([rule.matched, rule.applied]).toEqual([3, 1])
  rule.dispose()
  ping(net, a, b)
  net.clock.run()
  expect(rule.matched).toBe(3)
})

test('rules: delay lets later packets overtake, duplicate doubles, replace sends something else, the first match wins', () => {
  const net = createNetwork({ latency: 1 })
  const [a, b] = [net.host('a'), net.host('b')]
  const seen = watch(net)
  const lengthIs = (n: number) => ({ from: 'a', where: ({ frame }: { frame: Frame }) => frame.length === n })
  net.rule(delay(lengthIs(28), '100ms'))
  net.rule(drop({ ...lengthIs(28), times: 1 }))
  net.rule(duplicate(lengthIs(29), 2))
  net.rule(replace(lengthIs(30), ({ frame }) => [frame, echoRequest(addressOf(a), addressOf(b), 500)]))
  net.rule(replace(lengthIs(31), () => []))
  for (let i = 0; i < 4; i++) ping(net, a, b, i)
  net.clock.run()
  expect(seen.filter((s) => s.from === 'a').map((s) => [s.at, s.length])).toEqual([
    [1, 29],
    [1, 29],
    [1, 29],
    [1, 30],
    [1, 528],
    [101, 28],
  ])
})

test('a partition cuts groups off from each other until it is healed', () => {
  const net = createNetwork()
  const [a, b, c] = [net.host('a'), net.host('b'), net.host('c')]
  const seen = watch(net)
  const partition = net.partition(['a'])
  ping(net, a, b)
  ping(net, b, c)
  net.clock.run()
  expect(seen.map((s) => s.from)).toEqual(['b', 'c'])
  expect(partition.stopped).toBe(1)
  partition.heal()
  ping(net, a, b)
  net.clock.run()
  expect(seen).toHaveLength(4)
})

test('routers pass packets over as many links as it takes, each a hop', () => {
  const net = createNetwork({ latency: 5 })
  const a = net.host('a', { on: 'one' })
  net.router('r', { on: ['one', 'two'] })
  net.router('s', { on: ['two', 'three'] })
  const b = net.host('b', { on: 'three' })
  for (const version of [4, 6] as const) {
    const seen = watch(net)
    a.interfaces[1]!.link.transmit([echoRequest(addressOf(a, version), addressOf(b, version), 10)], 1, net.now)
    net.clock.run()
    expect(seen.map((s) => s.from)).toEqual(['a', 'r', 's', 'b', 's', 'r'])
  }
  expect(net.now).toBe(60)
})

test('a router that has a packet too large for the next link says so, or cuts it', () => {
  const net = createNetwork()
  const a = net.host('a', { on: 'wide' })
  net.router('r', { on: ['wide', 'narrow'] })
  net.link('narrow', { loss: 0 })
  const b = net.host('b', { on: 'narrow' })
  const r = net.host('r')
  r.interfaces[2]!.mtu = 600
  const seen = watch(net)
  ping(net, a, b, 1000, { df: true })
  net.clock.run()
  expect(seen.map((s) => [s.from, s.type])).toEqual([
    ['a', 8],
    ['r', 3],
  ])
  seen.length = 0
  ping(net, a, b, 1000)
  net.clock.run()
  expect(seen.map((s) => [s.from, s.length])).toEqual([
    ['a', 1028],
    ['r', 596],
    ['r', 452],
    ['b', 1028],
    ['r', 1028],
  ])
})

test('a packet that has gone too far is answered with time exceeded', () => {
  const net = createNetwork()
  const a = net.host('a', { on: 'one' })
  net.router('r', { on: ['one', 'two'] })
  const b = net.host('b', { on: 'two' })
  const seen = watch(net)
  ping(net, a, b, 10, { ttl: 1 })
  net.clock.run()
  expect(seen.map((s) => [s.from, s.type])).toEqual([
    ['a', 8],
    ['r', 11],
  ])
})

test('the same seed gives the same run, octet for octet; another seed another', () => {
  const run = (seed: number): string => {
    const net = createNetwork({
      seed,
      latency: 3,
      jitter: 2,
      loss: 0.1,
      duplication: 0.1,
      reordering: 0.1,
      corruption: 0.1,
    })
    const [a, b] = [net.host('a'), net.host('b')]
    const lines: string[] = []
    net.capture(({ fate, from, frame, now }: CapturedPacket) => {
      lines.push(`${now} ${fate} ${from.name} ${Buffer.from(frame.view()).toString('hex')}`)
    })
    for (let i = 0; i < 200; i++) ping(net, a, b, i)
    net.clock.run()
    return lines.join('\n')
  }
  expect(run(5)).toBe(run(5))
  expect(run(5)).not.toBe(run(6))
})

test('hosts get addresses in the order they come, or those they are given', () => {
  const net = createNetwork()
  const given = net.host('given', { addresses: ['192.0.2.1/24', '2001:db8::1/64'] })
  const first = net.host('first')
  expect([addressOf(given), addressOf(given, 6)]).toEqual(['192.0.2.1', '2001:db8::1'])
  expect([addressOf(first), addressOf(first, 6)]).toEqual(['10.0.0.1', 'fd00::1'])
  const seen = watch(net)
  ping(net, given, first)
  net.clock.run()
  expect(seen).toHaveLength(2)
})

test('wrong options are refused by name', () => {
  expect(() => createNetwork({ latencyy: 5 } as object)).toThrow(
    /network: no option 'latencyy' \(there are seed, latency/,
  )
  const net = createNetwork({ latency: 'soon' })
  expect(() => net.host('a')).toThrow(/not a duration: 'soon'/)
  const other = createNetwork({ loss: 5 })
  expect(() => other.host('a')).toThrow(/link 'lan': loss: 5 is not a probability/)
  const good = createNetwork()
  good.host('a')
  expect(() => good.host('a', {})).toThrow(/there is a host 'a' already/)
  expect(() => good.host('b', { profile: 'windows' as 'linux' })).toThrow(
    /no profile 'windows' \(there are rfc9293, linux, freebsd\)/,
  )
  expect(() => good.host('b', { addresses: ['10.0.0.300'] })).toThrow(/not an IP address: '10.0.0.300'/)
  expect(() => good.host('b', { addresses: ['10.0.0.1/16'] })).toThrow(/10.0.0.1 is the address of 'a'/)
  expect(() => good.rule(drop({ flags: 'X' }))).toThrow(/no TCP flag 'X'/)
  expect(() => good.rule(drop({ form: 'a' } as object))).toThrow(/rule: no option 'form'/)
  expect(() => good.partition(['z'])).toThrow(/no host 'z' \(there are a\)/)
})
