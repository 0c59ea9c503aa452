import { expect, test } from 'vitest'
import {
  connected,
  listening,
  now,
  octets,
  streamSocket,
  text,
  twoPrograms,
  watched,
} from './two-programs.test-fixture.js'

test('SHUT_WR: the peer reads 0, and can go on writing', () => {
  const { client, server, net, c, s } = connected()
  expect(client.calls.shutdown(c, client.n.SHUT_WR!)).toEqual({ result: 0 })
  net.advance(50)
  const target = new Uint8Array(10)
  expect(now(server.calls.read(s, target)).result).toBe(0)
  expect(now(server.calls.write(s, octets('still'))).result).toBe(5)
  net.advance(50)
  expect(text(target, now(client.calls.read(c, target)).result)).toBe('still')
  expect(now(client.calls.write(c, octets('x')))).toEqual({ result: -1, errno: 'EPIPE' })
})

test('SHUT_RD: read says 0; on Linux text that arrives afterwards can be read all the same, on FreeBSD it is thrown away', () => {
  for (const [profile, expected] of [
    ['linux', 5],
    ['freebsd', 0],
  ] as const) {
    const { client, server, net, c, s } = connected(profile)
    expect(server.calls.shutdown(s, server.n.SHUT_RD!)).toEqual({ result: 0 })
    expect(now(server.calls.read(s, new Uint8Array(9))).result).toBe(0)
    client.calls.write(c, octets('there'))
    net.advance(50)
    expect(now(server.calls.read(s, new Uint8Array(9))).result).toBe(expected)
  }
})

test('shutdown of a socket without a connection: ENOTCONN; with a direction that is none: EINVAL', () => {
  const { client } = twoPrograms()
  const fd = streamSocket(client)
  expect(client.calls.shutdown(fd, client.n.SHUT_WR!).errno).toBe('ENOTCONN')
  expect(client.calls.shutdown(fd, 3).errno).toBe('EINVAL')
})

test('SHUT_RD on a listening socket ends the listening (Linux)', () => {
  const both = twoPrograms()
  const { client, server, net } = both
  const l = listening(server, 80)
  expect(server.calls.shutdown(l, server.n.SHUT_RD!)).toEqual({ result: 0 })
  const call = watched(client.calls.connect(streamSocket(client), both.at(80)))
  net.advance(100)
  expect(call.result?.errno).toBe('ECONNREFUSED')
})

test('close lingers until everything is acknowledged', () => {
  const { client, net, c } = connected()
  client.calls.setsockopt(c, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 5 })
  client.calls.write(c, octets('last words'))
  const started = net.now
  const closing = watched(client.calls.close(c))
  expect(closing.result).toBeNull()
  net.advance('10s')
  expect(closing.result).toEqual({ result: 0 })
  expect(closing.at - started).toBeLessThan(200)
})

test('close lingers no longer than it was told: Linux says 0, FreeBSD EAGAIN', () => {
  for (const [profile, result] of [
    ['linux', { result: 0 }],
    ['freebsd', { result: -1, errno: 'EAGAIN' }],
  ] as const) {
    const { client, net, c } = connected(profile)
    client.calls.setsockopt(c, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 3 })
    net.partition(['server'])
    const started = net.now
    const closing = watched(client.calls.close(c))
    net.advance('10s')
    expect(closing).toEqual({ result, at: started + 3000 })
  }
})

test('close with linger 0, and close with unread text, reset the connection', () => {
  for (const unread of [false, true]) {
    const { client, server, net, c, s } = connected()
    if (unread) {
      client.calls.write(c, octets('unread'))
      net.advance(50)
    } else server.calls.setsockopt(s, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 0 })
    server.calls.close(s)
    net.advance(50)
    expect(now(client.calls.read(c, new Uint8Array(1))).errno).toBe('ECONNRESET')
  }
})

test('a descriptor that was duplicated keeps the connection open', () => {
  const { client, server, net, c, s } = connected()
  const other = client.calls.dup(c).result
  client.calls.close(c)
  net.advance(50)
  expect(now(server.calls.recv(s, new Uint8Array(1), server.n.MSG_DONTWAIT)).errno).toBe('EAGAIN')
  client.calls.close(other)
  net.advance(50)
  expect(now(server.calls.read(s, new Uint8Array(1))).result).toBe(0)
})
