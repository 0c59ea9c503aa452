import { expect, test } from 'vitest'
import { connected, listening, now, streamSocket, twoPrograms, watched } from './two-programs.test-fixture.js'

test('a blocking connect returns when the handshake is complete', () => {
  const both = twoPrograms()
  listening(both.server, 80)
  const call = watched(both.client.calls.connect(streamSocket(both.client), both.at(80)))
  expect(call.result).toBeNull()
  both.net.advance(100)
  expect(call).toEqual({ result: { result: 0 }, at: 20 })
})

test('a non-blocking connect says EINPROGRESS, EALREADY, 0 once and then EISCONN', () => {
  const both = twoPrograms()
  const { client, net } = both
  listening(both.server, 80)
  const fd = streamSocket(client, client.n.SOCK_NONBLOCK)
  const connect = () => now(client.calls.connect(fd, both.at(80)))
  expect(connect()).toEqual({ result: -1, errno: 'EINPROGRESS' })
  expect(connect()).toEqual({ result: -1, errno: 'EALREADY' })
  net.advance(50)
  expect(connect()).toEqual({ result: 0 })
  expect(connect()).toEqual({ result: -1, errno: 'EISCONN' })
})

test('on FreeBSD a connect that succeeded since says EISCONN at once', () => {
  const both = twoPrograms('freebsd')
  const { client, net } = both
  listening(both.server, 80)
  const fd = streamSocket(client, client.n.SOCK_NONBLOCK)
  expect(now(client.calls.connect(fd, both.at(80))).errno).toBe('EINPROGRESS')
  net.advance(50)
  expect(now(client.calls.connect(fd, both.at(80))).errno).toBe('EISCONN')
})

test('a refused connect: SO_ERROR says ECONNREFUSED once, and the socket can connect elsewhere', () => {
  const both = twoPrograms()
  const { client, net } = both
  listening(both.server, 80)
  const fd = streamSocket(client, client.n.SOCK_NONBLOCK)
  now(client.calls.connect(fd, both.at(81)))
  net.advance(50)
  const error = () => client.calls.getsockopt(fd, 'SOL_SOCKET', 'SO_ERROR').value
  expect(error()).toBe(client.n.ECONNREFUSED)
  expect(error()).toBe(0)
  expect(now(client.calls.connect(fd, both.at(80))).errno).toBe('ECONNABORTED')
  expect(now(client.calls.connect(fd, both.at(80))).errno).toBe('EINPROGRESS')
  net.advance(50)
  expect(now(client.calls.connect(fd, both.at(80)))).toEqual({ result: 0 })
})

test('a blocking connect to a closed port fails with ECONNREFUSED', () => {
  const both = twoPrograms()
  const call = watched(both.client.calls.connect(streamSocket(both.client), both.at(81)))
  both.net.advance(100)
  expect(call.result).toEqual({ result: -1, errno: 'ECONNREFUSED' })
})

test('SO_SNDTIMEO ends a blocking connect with EINPROGRESS', () => {
  const both = twoPrograms()
  const { client, net } = both
  net.partition(['server'])
  const fd = streamSocket(client)
  client.calls.setsockopt(fd, 'SOL_SOCKET', 'SO_SNDTIMEO', { seconds: 2, microseconds: 500_000 })
  const call = watched(client.calls.connect(fd, both.at(80)))
  net.advance('10s')
  expect(call).toEqual({ result: { result: -1, errno: 'EINPROGRESS' }, at: 2500 })
})

test('connect to AF_UNSPEC dissolves the association: the peer gets RST, the socket can connect again', () => {
  const both = connected()
  const { client, server, net, c, s } = both
  expect(now(client.calls.connect(c, { family: client.n.AF_UNSPEC! }))).toEqual({ result: 0 })
  net.advance(50)
  expect(now(server.calls.recv(s, new Uint8Array(10)))).toEqual({ result: -1, errno: 'ECONNRESET' })
  const again = watched(client.calls.connect(c, both.at(80)))
  net.advance(50)
  expect(again.result).toEqual({ result: 0 })
})

test('an address of another family, a multicast group, a host without a route', () => {
  const both = twoPrograms()
  const { client } = both
  const fd = streamSocket(client)
  const to = { ...both.at(80), family: client.n.AF_INET6! }
  expect(now(client.calls.connect(fd, to)).errno).toBe('EAFNOSUPPORT')
})

test('a listening socket: Linux says EISCONN, FreeBSD EOPNOTSUPP', () => {
  for (const [profile, errno] of [
    ['linux', 'EISCONN'],
    ['freebsd', 'EOPNOTSUPP'],
  ] as const) {
    const both = twoPrograms(profile)
    const fd = listening(both.client, 99)
    expect(now(both.client.calls.connect(fd, both.at(80))).errno).toBe(errno)
  }
})

test('RFC 9293 3.10.1: a passive OPEN turns active when a remote socket is named', () => {
  const both = twoPrograms('rfc9293')
  listening(both.server, 80)
  const fd = listening(both.client, 99)
  const call = watched(both.client.calls.connect(fd, both.at(80)))
  both.net.advance(50)
  expect(call.result).toEqual({ result: 0 })
  expect(both.client.calls.getsockname(fd).address?.port).toBe(99)
})
