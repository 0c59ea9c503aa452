import { expect, test } from 'vitest'
import { parseIpAddress } from '../wire/index.js'
import { connected, listening, now, streamSocket, twoPrograms, watched } from './two-programs.test-fixture.js'

test('bind: an address of somebody else, a port that is taken, twice', () => {
  const { server } = twoPrograms()
  const { calls, n } = server
  const family = n.AF_INET!
  const fd = streamSocket(server)
  const address = parseIpAddress('198.51.100.1')
  expect(calls.bind(fd, { family, address, port: 80 }).errno).toBe('EADDRNOTAVAIL')
  expect(calls.bind(fd, { family, port: 80 })).toEqual({ result: 0 })
  expect(calls.bind(fd, { family, port: 81 }).errno).toBe('EINVAL')
  expect(calls.bind(streamSocket(server), { family, port: 80 }).errno).toBe('EADDRINUSE')
  expect(calls.getsockname(fd).address?.port).toBe(80)
})

test('bind to port 0 takes a free port; listen without bind does, too', () => {
  const { server } = twoPrograms()
  const { calls, n } = server
  const fd = streamSocket(server)
  calls.bind(fd, { family: n.AF_INET! })
  expect(calls.getsockname(fd).address?.port).toBeGreaterThan(1023)
  const other = streamSocket(server)
  expect(calls.listen(other, 1)).toEqual({ result: 0 })
  expect(calls.getsockname(other).address?.port).toBeGreaterThan(1023)
})

test('a blocking accept returns when a handshake is complete, and says who it is', () => {
  const both = twoPrograms()
  const { client, server, net } = both
  const l = listening(server, 80)
  const accepting = watched(server.calls.accept(l))
  const c = streamSocket(client)
  client.calls.connect(c, both.at(80))
  net.advance(100)
  expect(accepting.at).toBe(30)
  expect(accepting.result?.result).toBe(4)
  expect(accepting.result?.address).toEqual(client.calls.getsockname(c).address)
  expect(client.calls.getpeername(c).address).toEqual(both.at(80))
})

test('a non-blocking accept with nobody there: EAGAIN; on a socket that does not listen: EINVAL', () => {
  const { server } = twoPrograms()
  const { calls, n } = server
  const l = listening(server, 80)
  calls.fcntl(l, n.F_SETFL!, n.O_RDWR! | n.O_NONBLOCK!)
  expect(now(calls.accept(l))).toEqual({ result: -1, errno: 'EAGAIN' })
  expect(now(calls.accept(streamSocket(server)))).toEqual({ result: -1, errno: 'EINVAL' })
  expect(now(calls.accept(99))).toEqual({ result: -1, errno: 'EBADF' })
})

test('SO_RCVTIMEO ends a blocking accept with EAGAIN', () => {
  const { server, net } = twoPrograms()
  const l = listening(server, 80)
  server.calls.setsockopt(l, 'SOL_SOCKET', 'SO_RCVTIMEO', { seconds: 1, microseconds: 0 })
  const accepting = watched(server.calls.accept(l))
  net.advance('5s')
  expect(accepting).toEqual({ result: { result: -1, errno: 'EAGAIN' }, at: 1000 })
})

test('an accepted socket has what was asked of the listening one', () => {
  const both = twoPrograms()
  const { client, server, net } = both
  const l = listening(server, 80)
  server.calls.setsockopt(l, 'IPPROTO_TCP', 'TCP_NODELAY', 1)
  server.calls.setsockopt(l, 'IPPROTO_TCP', 'TCP_KEEPIDLE', 33)
  server.calls.setsockopt(l, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 7 })
  client.calls.connect(streamSocket(client), both.at(80))
  net.advance(100)
  const s = now(server.calls.accept(l)).result
  expect(server.calls.getsockopt(s, 'IPPROTO_TCP', 'TCP_NODELAY').value).toBe(1)
  expect(server.calls.getsockopt(s, 'IPPROTO_TCP', 'TCP_KEEPIDLE').value).toBe(33)
  expect(server.calls.getsockopt(s, 'SOL_SOCKET', 'SO_LINGER').value).toEqual({ on: true, seconds: 7 })
})

test('O_NONBLOCK of the listener: inherited on FreeBSD, not on Linux; accept4 says it outright', () => {
  for (const [profile, inherited] of [
    ['linux', false],
    ['freebsd', true],
  ] as const) {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    const { calls, n } = server
    const l = listening(server, 80)
    calls.fcntl(l, n.F_SETFL!, n.O_RDWR! | n.O_NONBLOCK!)
    client.calls.connect(streamSocket(client), both.at(80))
    client.calls.connect(streamSocket(client), both.at(80))
    net.advance(100)
    const isNonBlocking = (fd: number) => (calls.fcntl(fd, n.F_GETFL!).result & n.O_NONBLOCK!) !== 0
    expect(isNonBlocking(now(calls.accept(l)).result)).toBe(inherited)
    expect(isNonBlocking(now(calls.accept4(l, n.SOCK_NONBLOCK!)).result)).toBe(true)
  }
})

test('descriptors: the lowest that is free, from 3 on', () => {
  const { client, c } = connected()
  expect(c).toBe(3)
  expect(streamSocket(client)).toBe(4)
  expect(client.calls.dup(c).result).toBe(5)
  expect(now(client.calls.close(4))).toEqual({ result: 0 })
  expect(streamSocket(client)).toBe(4)
  expect(now(client.calls.close(9))).toEqual({ result: -1, errno: 'EBADF' })
})

test('socket: families, types and protocols that are not there', () => {
  const { client } = twoPrograms()
  const { calls, n } = client
  expect(calls.socket(77, n.SOCK_STREAM!).errno).toBe('EAFNOSUPPORT')
  expect(calls.socket(n.AF_INET!, n.SOCK_RAW!).errno).toBe('ESOCKTNOSUPPORT')
  expect(calls.socket(n.AF_INET!, n.SOCK_STREAM!, n.IPPROTO_UDP).errno).toBe('EPROTONOSUPPORT')
})
