import { expect, test } from 'vitest'
import { type Addresses, openBetween, Program, type Script } from '../../test/fixtures/program.js'
import { type Host, snapshot } from '../ip/index.js'
import { Listener, openActive, type Settings } from '../tcp/index.js'
import { ANY_IPV4, ANY_IPV6, parseIpAddress } from '../wire/index.js'
import { createNetwork, type Network } from './index.js'

const script = (octets: number): Script => ({
  writes: [octets],
  reads: [65_536],
  readsFrom: 0,
  ending: { kind: 'shutdown' },
})

/** 100 000 octets each way between two hosts, or a host and itself. */
function exchange(net: Network, a: Host, b: Host, addresses: Addresses = {}): [Program, Program] {
  const client = new Program(net, a, script(100_000), 1, 2)
  const server = new Program(net, b, script(100_000), 2, 1)
  openBetween(net, client, server, addresses)
  net.runUntilIdle('1h')
  expect([client.read, server.read, client.wrongAt, server.wrongAt]).toEqual([100_000, 100_000, -1, -1])
  return [client, server]
}

test.each(['127.0.0.1', '10.0.0.1', '::1', 'fd00::1'])('a host talks to itself by %s without a link', (address) => {
  const net = createNetwork()
  const a = net.host('a')
  const to = parseIpAddress(address)
  exchange(net, a, a, { to, listen: to.isIPv4 ? ANY_IPV4 : ANY_IPV6 })
  expect(net.link('lan').sent).toBe(0)
})

test('over IPv6', () => {
  const net = createNetwork()
  const [a, b] = [net.host('a'), net.host('b')]
  const [client] = exchange(net, a, b, { to: parseIpAddress('fd00::2'), listen: ANY_IPV6 })
  expect(`${client.connection!.local}`).toBe('fd00::1')
})

test('a listener at :: takes connections over IPv4', () => {
  const net = createNetwork()
  const [a, b] = [net.host('a'), net.host('b')]
  const [, server] = exchange(net, a, b, { listen: ANY_IPV6 })
  expect(`${server.connection!.remote}`).toBe('10.0.0.1')
})

test('over routers, fragments and a link that takes super-segments into one that does not', () => {
  const net = createNetwork({ latency: 1 })
  net.link('fast', { superSegments: true, mtu: 9000 })
  const a = net.host('a', { on: 'fast' })
  net.router('r', { on: ['fast', 'slow'] })
  const b = net.host('b', { on: 'slow', settings: { pathMtuDiscovery: false } })
  exchange(net, a, b)
  expect(net.host('r').counters.get('IpForwDatagrams')).toBeGreaterThan(20)
})

/** What becomes of a second connection to the same port while the first is in TIME-WAIT and no other port is free. */
function secondConnection(settings: Partial<Settings>): number {
  const net = createNetwork({ latency: 5 })
  const a = net.host('a', { settings: { ephemeralPorts: [5000, 5000], ...settings } })
  const b = net.host('b')
  const listener = new Listener(b, { local: ANY_IPV4, localPort: 80, backlog: 9, user: null }, 0)
  const [local, remote] = [parseIpAddress('10.0.0.1'), parseIpAddress('10.0.0.2')]
  const client = new Program(net, a, script(10), 1, 2)
  const server = new Program(net, b, { ...script(10), readsFrom: 100 }, 2, 1)
  client.connect(openActive(a, { local, localPort: 5000, remote, remotePort: 80, user: client }, 0))
  net.advance(50)
  server.connect(listener.accept(server, net.now)!)
  net.advance('2s')
  expect(snapshot(a, net.now).map((e) => e.kind)).toEqual(['time-wait'])
  const port = a.ports.forConnection(local, remote, 80)
  if (port === 0) return 0
  const again = openActive(a, { local, localPort: port, remote, remotePort: 80, user: null }, net.now)
  net.advance(50)
  expect(snapshot(a, net.now)).toMatchObject([{ id: again.id, kind: 'connection', state: 'ESTABLISHED' }])
  return port
}

test('a port in TIME-WAIT is not given to a new connection to the same peer: EADDRNOTAVAIL', () => {
  expect(secondConnection({ timeWaitReuseOnConnect: 0 })).toBe(0)
  expect(secondConnection({ timeWaitReuseOnConnect: 2 })).toBe(0)
  expect(secondConnection({ timeWaitReuseOnConnect: 1, timestamps: 0 })).toBe(0)
})

test('with tcp_tw_reuse it is, and the new connection is ESTABLISHED in its place [RFC 6191]', () => {
  expect(secondConnection({ timeWaitReuseOnConnect: 1 })).toBe(5000)
})

test('a snapshot shows listeners, half-open entries, queues and timers', () => {
  const net = createNetwork({ latency: 5 })
  const [a, b] = [net.host('a'), net.host('b')]
  const client = new Program(net, a, { ...script(5000), ending: { kind: 'close at', at: 1e9 } }, 1, 2)
  const server = new Program(net, b, { ...script(0), readsFrom: 1e9, ending: { kind: 'close at', at: 1e9 } }, 2, 1)
  openBetween(net, client, server)
  net.advance(7)
  expect(snapshot(b, net.now)).toMatchObject([
    { kind: 'listener', state: 'LISTEN', localPort: 80 },
    { kind: 'syn-queue', state: 'SYN-RECEIVED', remotePort: client.connection!.localPort },
  ])
  net.advance(100)
  expect(snapshot(b, net.now)[1]).toMatchObject({ kind: 'connection', state: 'ESTABLISHED', receiveQueue: 5000 })
  const [own] = snapshot(a, net.now)
  expect(own).toMatchObject({ kind: 'connection', sendQueue: 0 })
  expect(own!.timers.map((t) => t.timer)).toEqual(['keepalive'])
})
