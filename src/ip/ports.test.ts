import { expect, test } from 'vitest'
import { TestLink, testHost } from '../../test/fixtures/test-host.js'
import { ANY_IPV4, ANY_IPV6, parseIpAddress } from '../wire/index.js'
import { Binding } from './ports.js'

const own = parseIpAddress('10.0.0.1')
const other = parseIpAddress('10.0.0.2')
const peer = parseIpAddress('10.0.0.9')

function ports(ephemeral: [number, number] = [32768, 60999]) {
  const host = testHost({ ephemeralPorts: ephemeral })
  const addresses = [own, other].map((address) => ({ address, prefixLength: 24 }))
  host.attach(new TestLink(), { addresses })
  return host.ports
}

test('a port belongs to one socket, unless their addresses differ', () => {
  const p = ports()
  expect(p.bind(own, 80)).toBeInstanceOf(Binding)
  expect(p.bind(own, 80)).toBe('EADDRINUSE')
  expect(p.bind(ANY_IPV4, 80)).toBe('EADDRINUSE')
  expect(p.bind(ANY_IPV6, 80)).toBe('EADDRINUSE')
  expect(p.bind(other, 80)).toBeInstanceOf(Binding)
  expect(p.bind(ANY_IPV6, 80, { ipv6Only: true })).toBeInstanceOf(Binding)
  expect(p.bind(parseIpAddress('192.0.2.1'), 80)).toBe('EADDRNOTAVAIL')
})

test('a port is free again when it is released', () => {
  const p = ports()
  const first = p.bind(own, 80) as Binding
  p.release(first)
  expect(p.bind(own, 80)).toBeInstanceOf(Binding)
})

test('SO_REUSEADDR on both lets sockets share a port until one listens', () => {
  const p = ports()
  const first = p.bind(own, 80, { reuseAddress: true }) as Binding
  const second = p.bind(own, 80, { reuseAddress: true }) as Binding
  expect(second).toBeInstanceOf(Binding)
  expect(p.bind(own, 80)).toBe('EADDRINUSE')
  expect(p.listen(first)).toBeNull()
  expect(p.listen(second)).toBe('EADDRINUSE')
  expect(p.bind(own, 80, { reuseAddress: true })).toBe('EADDRINUSE')
})

test('SO_REUSEPORT on both lets both listen', () => {
  const p = ports()
  const first = p.bind(own, 80, { reusePort: true }) as Binding
  const second = p.bind(own, 80, { reusePort: true }) as Binding
  expect([p.listen(first), p.listen(second)]).toEqual([null, null])
})

test('port 0 gives every ephemeral port once, then none', () => {
  const p = ports([5000, 5009])
  const got = Array.from({ length: 10 }, () => p.bind(own, 0) as Binding)
  expect(new Set(got.map((b) => b.port)).size).toBe(10)
  expect(p.bind(own, 0)).toBe('EADDRINUSE')
})

test('a connection that is not bound gets a port that no socket is bound to; 0 when there is none', () => {
  const p = ports([5000, 5003])
  for (const port of [5000, 5001, 5002]) p.bind(own, port)
  expect(p.forConnection(own, peer, 80)).toBe(5003)
  p.bind(own, 5003)
  expect(p.forConnection(own, peer, 80)).toBe(0)
})

test('connections to one destination get ports that do not follow one another [RFC 6056]', () => {
  const p = ports()
  const got = Array.from({ length: 50 }, (_, i) => p.forConnection(own, peer, 80 + i))
  expect(new Set(got).size).toBeGreaterThan(45)
})
