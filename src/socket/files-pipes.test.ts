import { expect, test } from 'vitest'
import { connected, now, octets, text, watched } from './two-programs.test-fixture.js'

test('a pipe: what is written can be read, and the end is told', () => {
  const { client, net } = connected()
  const { calls } = client
  const [reader, writer] = calls.pipe().fds!
  const target = new Uint8Array(10)
  const reading = watched(calls.read(reader, target))
  expect(reading.result).toBeNull()
  calls.write(writer, octets('through'))
  net.advance(1)
  expect(reading.result?.result).toBe(7)
  expect(text(target, 7)).toBe('through')
  calls.close(writer)
  expect(now(calls.read(reader, target)).result).toBe(0)
})

test('sendfile and splice move text between files, sockets and pipes', () => {
  const { client, server, net, c, s } = connected()
  client.calls.files.set('/tmp/page', { octets: octets('hello from a file') })
  const file = client.calls.open('/tmp/page', client.n.O_RDONLY!).result
  expect(now(client.calls.sendfile(c, file, 0, 100)).result).toBe(17)
  net.advance(50)
  const [reader, writer] = server.calls.pipe().fds!
  expect(now(server.calls.splice(s, writer, 100)).result).toBe(17)
  const target = new Uint8Array(100)
  expect(text(target, now(server.calls.read(reader, target)).result)).toBe('hello from a file')
})

test('open: a file that is not there, one that is made, appended to and truncated', () => {
  const { client } = connected()
  const { calls, n } = client
  expect(calls.open('/tmp/nothing', n.O_RDONLY!).errno).toBe('ENOENT')
  const fd = calls.open('/tmp/new', n.O_RDWR! | n.O_CREAT!).result
  calls.write(fd, octets('abc'))
  const more = calls.open('/tmp/new', n.O_WRONLY! | n.O_APPEND!).result
  calls.write(more, octets('def'))
  expect(text(calls.files.get('/tmp/new')!.octets)).toBe('abcdef')
  expect(calls.open('/tmp/new', n.O_CREAT! | n.O_EXCL!).errno).toBe('EEXIST')
  calls.open('/tmp/new', n.O_RDWR! | n.O_TRUNC!)
  expect(calls.files.get('/tmp/new')!.octets.length).toBe(0)
})
