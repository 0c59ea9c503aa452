import { expect, test } from 'vitest'
import { connected, now, octets, streamSocket, text, twoPrograms, watched } from './two-programs.test-fixture.js'

test('a blocking read returns with what there is as soon as there is something', () => {
  const { client, server, net, c, s } = connected()
  const target = new Uint8Array(100)
  const started = net.now
  const reading = watched(server.calls.read(s, target))
  expect(now(client.calls.write(c, octets('hello')))).toEqual({ result: 5 })
  net.advance(50)
  expect(reading.result?.result).toBe(5)
  expect(reading.at).toBe(started + 10)
  expect(text(target, 5)).toBe('hello')
})

test('a non-blocking read: EAGAIN, text, 0 at the end', () => {
  const { client, server, net, c, s } = connected()
  const read = (flags = 0) => {
    const target = new Uint8Array(100)
    const { result, errno } = now(server.calls.recv(s, target, server.n.MSG_DONTWAIT! | flags))
    return errno ?? text(target, result)
  }
  expect(read()).toBe('EAGAIN')
  client.calls.write(c, octets('abcdef'))
  net.advance(50)
  expect(read(server.n.MSG_PEEK)).toBe('abcdef')
  expect(read()).toBe('abcdef')
  client.calls.close(c)
  net.advance(50)
  expect(read()).toBe('')
  expect(read()).toBe('')
})

test('MSG_WAITALL waits for all of it; SO_RCVTIMEO gives what there is', () => {
  const { client, server, net, c, s } = connected()
  const target = new Uint8Array(10)
  const all = watched(server.calls.recv(s, target, server.n.MSG_WAITALL))
  client.calls.write(c, octets('01234'))
  net.advance(50)
  expect(all.result).toBeNull()
  client.calls.write(c, octets('56789'))
  net.advance(50)
  expect(all.result?.result).toBe(10)
  expect(text(target)).toBe('0123456789')
  server.calls.setsockopt(s, 'SOL_SOCKET', 'SO_RCVTIMEO', { seconds: 0, microseconds: 300_000 })
  const some = watched(server.calls.recv(s, target, server.n.MSG_WAITALL))
  client.calls.write(c, octets('xyz'))
  net.advance('1s')
  expect(some.result?.result).toBe(3)
})

test('MSG_TRUNC throws text away', () => {
  const { client, server, net, c, s } = connected()
  client.calls.write(c, octets('throw me away, keep me'))
  net.advance(50)
  expect(now(server.calls.recv(s, new Uint8Array(15), server.n.MSG_TRUNC)).result).toBe(15)
  const target = new Uint8Array(20)
  expect(text(target, now(server.calls.read(s, target)).result)).toBe('keep me')
})

test('a blocking write of much returns when everything is in the send buffer', () => {
  const { client, server, net, c, s } = connected()
  const much = new Uint8Array(2_000_000).fill(7)
  const writing = watched(client.calls.write(c, much))
  expect(writing.result).toBeNull()
  let received = 0
  const target = new Uint8Array(65_536)
  for (let i = 0; i < 2000 && received < much.length; i++) {
    net.advance(5)
    const { result } = now(server.calls.recv(s, target, server.n.MSG_DONTWAIT))
    if (result > 0) received += result
  }
  expect(received).toBe(much.length)
  expect(writing.result).toEqual({ result: much.length })
})

test('a non-blocking write takes what fits, then says EAGAIN', () => {
  const { client, c } = connected()
  const { calls, n } = client
  calls.fcntl(c, n.F_SETFL!, n.O_RDWR! | n.O_NONBLOCK!)
  const { result } = now(calls.write(c, new Uint8Array(10_000_000)))
  expect(result).toBeGreaterThan(0)
  expect(result).toBeLessThan(10_000_000)
  expect(now(calls.write(c, new Uint8Array(1000)))).toEqual({ result: -1, errno: 'EAGAIN' })
})

test('writing to a peer that is gone: RST, ECONNRESET once, then EPIPE', () => {
  const { client, server, net, c, s } = connected()
  server.calls.setsockopt(s, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 0 })
  server.calls.close(s)
  net.advance(50)
  expect(now(client.calls.write(c, octets('x')))).toEqual({ result: -1, errno: 'ECONNRESET' })
  expect(now(client.calls.write(c, octets('x')))).toEqual({ result: -1, errno: 'EPIPE' })
  expect(now(client.calls.read(c, new Uint8Array(1))).result).toBe(0)
})

test('a socket that never was connected: Linux EPIPE and ENOTCONN, FreeBSD ENOTCONN', () => {
  const linux = twoPrograms().client
  const fd = streamSocket(linux)
  expect(now(linux.calls.write(fd, octets('x'))).errno).toBe('EPIPE')
  expect(now(linux.calls.recv(fd, new Uint8Array(1))).errno).toBe('ENOTCONN')
  const freebsd = twoPrograms('freebsd').client
  expect(now(freebsd.calls.write(streamSocket(freebsd), octets('x'))).errno).toBe('ENOTCONN')
})

test('gathered and scattered: writev, readv, sendmsg, recvmsg', () => {
  const { client, server, net, c, s } = connected()
  expect(now(client.calls.writev(c, [octets('one '), octets(''), octets('two')]))).toEqual({ result: 7 })
  net.advance(50)
  const parts = [new Uint8Array(3), new Uint8Array(10)]
  expect(now(server.calls.readv(s, parts)).result).toBe(7)
  expect(text(parts[0]!) + text(parts[1]!, 4)).toBe('one two')
  expect(now(client.calls.sendmsg(c, { text: octets('three') })).result).toBe(5)
  net.advance(50)
  expect(now(server.calls.recvmsg(s, new Uint8Array(9)))).toEqual({ result: 5, flags: 0, control: [] })
})

test('TCP_INQ: each recvmsg says how much is left, and the end counts as one', () => {
  const { client, server, net, c, s } = connected()
  const { calls, n } = server
  calls.setsockopt(s, 'IPPROTO_TCP', 'TCP_INQ', 1)
  client.calls.write(c, octets('0123456789'))
  net.advance(50)
  const left = (length: number) => now(calls.recvmsg(s, new Uint8Array(length))).control
  expect(left(4)).toEqual([{ level: n.SOL_TCP, type: n.TCP_CM_INQ, data: 6 }])
  client.calls.close(c)
  net.advance(50)
  expect(left(6)).toEqual([{ level: n.SOL_TCP, type: n.TCP_CM_INQ, data: 1 }])
})

test('urgent text: MSG_OOB takes the octet out of band, SIOCATMARK says where it was', () => {
  const { client, server, net, c, s } = connected()
  const { calls, n } = server
  client.calls.write(c, octets('ab'))
  client.calls.send(c, octets('!'), n.MSG_OOB)
  client.calls.write(c, octets('cd'))
  net.advance('1s')
  const target = new Uint8Array(10)
  expect(calls.ioctl(s, 'SIOCATMARK').value).toBe(0)
  expect(text(target, now(calls.recv(s, target, n.MSG_OOB)).result)).toBe('!')
  expect(now(calls.recv(s, target, n.MSG_OOB)).errno).toBe('EINVAL')
  expect(text(target, now(calls.recv(s, target)).result)).toBe('ab')
  expect(calls.ioctl(s, 'SIOCATMARK').value).toBe(1)
  expect(text(target, now(calls.recv(s, target)).result)).toBe('cd')
})

test('EFAULT for a buffer that is not there', () => {
  const { client, c } = connected()
  expect(now(client.calls.write(c, null)).errno).toBe('EFAULT')
  expect(now(client.calls.read(c, null)).errno).toBe('EFAULT')
})
