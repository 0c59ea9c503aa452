import { expect, test } from 'vitest'
import { openBetween, Program } from '../../test/fixtures/program.js'
import { snapshot } from '../ip/index.js'
import { PROFILE_NAMES, type ProfileName } from '../tcp/index.js'
import { ACK, FIN } from '../wire/index.js'
import { createNetwork, drop, type NetworkOptions, pair } from './index.js'

const script = (octets: number) => ({
  writes: [octets],
  reads: [65_536],
  readsFrom: 0,
  ending: { kind: 'shutdown' as const },
})

function transfer(profile: ProfileName, octets: number, options: NetworkOptions, back = 0) {
  const net = createNetwork(options)
  const [a, b] = [net.host('a', { profile }), net.host('b', { profile })]
  const client = new Program(net, a, script(octets), 1, 2)
  const server = new Program(net, b, script(back), 2, 1)
  openBetween(net, client, server)
  net.runUntilIdle('2h')
  return { net, client, server }
}

test.each(PROFILE_NAMES)('a pair of %s hosts is connected and carries text', (profile) => {
  const { client, server, sim } = pair({ profile })
  expect([client.state, server.state]).toEqual(['ESTABLISHED', 'ESTABLISHED'])
  expect(client.send('hello')).toBe(5)
  sim.advance('1s')
  expect(client.sent[0]).toMatchObject({ seq: 1, ack: 1, textLength: 5 })
  expect(Buffer.from(server.receive() as Uint8Array).toString()).toBe('hello')
  client.close()
  server.close()
  sim.advance('5m')
  expect([client.state, server.state]).toEqual(['CLOSED', 'CLOSED'])
})

test.each(PROFILE_NAMES)('%s: 10 MB arrive over a link that loses, doubles and reorders 5 %', (profile) => {
  const options = { seed: 3, latency: 10, loss: 0.05, duplication: 0.05, reordering: 0.05 }
  const { client, server } = transfer(profile, 10_000_000, options)
  expect([server.read, server.wrongAt, server.sawFin]).toEqual([10_000_000, -1, true])
  expect([client.error, server.error]).toEqual([null, null])
  expect(snapshot(client.host, 0).filter((e) => e.state !== 'LISTEN')).toEqual([])
})

test('text flows both ways at once over IPv4 and super-segments', () => {
  const { client, server } = transfer('linux', 3_000_000, { latency: 5, superSegments: true }, 2_000_000)
  expect([server.read, client.read, server.wrongAt, client.wrongAt]).toEqual([3_000_000, 2_000_000, -1, -1])
})

test('a link of 10 Mbit/s is filled', () => {
  const { server } = transfer('linux', 5_000_000, { latency: 10, rate: '10Mbit', queue: 100 })
  expect(server.read).toBe(5_000_000)
  // 5 MB take 4 s at best, headers not counted
  expect(server.finAt).toBeGreaterThan(4000)
  expect(server.finAt).toBeLessThan(5500)
})

test('the second FIN from the server is lost', () => {
  const { client, server, sim } = pair()
  const first = sim.rule(drop({ from: 'server', flags: 'F', nth: [1, 2] }))
  server.close()
  sim.advance('200ms')
  client.close()
  sim.advance('10m')
  expect(first.applied).toBe(2)
  expect(server.sent.filter((s) => s.flags & FIN).length).toBeGreaterThanOrEqual(3)
  expect([client.state, server.state]).toEqual(['CLOSED', 'CLOSED'])
})

test('a host that reboots forgets the connection: the peer is answered with RST', () => {
  const { client, server, sim } = pair()
  server.host.reboot()
  client.send('anybody there?')
  sim.advance('1s')
  expect(client.state).toBe('CLOSED')
  expect(client.connection.error).toBe('ECONNRESET')
  expect(server.sent.filter((s) => s.flags & ACK && s.textLength > 0)).toEqual([])
})

test('nothing happens in 10 000 s of an idle connection', () => {
  const { client, sim } = pair()
  const before = sim.now
  sim.advance('10000s')
  expect(sim.now).toBe(before + 10_000_000)
  expect(client.sent).toEqual([])
  expect(sim.clock.next()).toBe(Number.POSITIVE_INFINITY)
})

test('a partition that heals in time is survived', () => {
  const { client, server, sim } = pair()
  const cut = sim.partition(['client'])
  client.send('x'.repeat(5000))
  sim.advance('20s')
  expect(server.receive()).toBe('EAGAIN')
  cut.heal()
  sim.advance('2m')
  expect((server.receive() as Uint8Array).length).toBe(5000)
})

test('path MTU discovery: a narrow link behind a router is learned from ICMP', () => {
  const net = createNetwork({ latency: 1 })
  const a = net.host('a', { on: 'wide' })
  const r = net.router('r', { on: ['wide', 'narrow'] })
  const b = net.host('b', { on: 'narrow' })
  r.interfaces[2]!.mtu = 1280
  const client = new Program(net, a, script(200_000), 1, 2)
  const server = new Program(net, b, script(0), 2, 1)
  openBetween(net, client, server)
  net.runUntilIdle('1h')
  expect([server.read, server.wrongAt]).toEqual([200_000, -1])
  expect(client.connection!.path.mtu).toBe(1280)
})

test('the same seed gives the same run, octet for octet', () => {
  const run = (seed: number): number => {
    const net = createNetwork({ seed, latency: 7, jitter: 5, loss: 0.05, duplication: 0.02, reordering: 0.05 })
    const [a, b] = [net.host('a'), net.host('b', { profile: 'freebsd' })]
    let hash = 0
    net.capture(({ frame, now }) => {
      hash = (Math.imul(hash, 31) + now * 1000) | 0
      for (let i = frame.start; i < frame.end; i++) hash = (Math.imul(hash, 31) + frame.bytes[i]!) | 0
    })
    openBetween(net, new Program(net, a, script(300_000), 1, 2), new Program(net, b, script(1000), 2, 1))
    net.runUntilIdle('1h')
    return hash
  }
  const first = run(11)
  expect(run(11)).toBe(first)
  expect(run(12)).not.toBe(first)
})
