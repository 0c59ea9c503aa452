import { expect, test } from 'vitest'
import type { WebListener } from '../../src/socket/index.js'
import { twoHosts } from './two-hosts.test-fixture.js'

function webs() {
  const world = twoHosts()
  return { ...world, client: world.network.host('client'), server: world.network.host('server') }
}

async function echo(listener: WebListener): Promise<void> {
  for await (const connection of listener) void connection.readable.pipeTo(connection.writable)
}

async function octets(readable: ReadableStream<Uint8Array>): Promise<number> {
  let count = 0
  const reader = readable.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) count += next.value.length
  return count
}

test('an echo through web streams', async () => {
  const { client, server, address, until, network } = webs()
  const listener = server.listen({ port: 7, allowHalfOpen: true })
  expect(listener.address).toEqual({ hostname: '::', port: 7 })
  void echo(listener)
  const connection = client.connect({ hostname: address, port: 7 }, { allowHalfOpen: true })
  const ends = await until(connection.opened)
  expect(ends.remoteAddress).toBe(`${address}:7`)
  expect(ends.remote).toEqual({ hostname: address, port: 7 })
  const writer = connection.writable.getWriter()
  const written = Promise.all([writer.write(new Uint8Array(5_000_000)), writer.close()])
  expect(await until(octets(connection.readable))).toBe(5_000_000)
  await until(written)
  await until(connection.closed)
  listener.close()
  expect(network.now).toBeGreaterThan(40)
})

test('octets come into the buffer of whoever reads', async () => {
  const { client, server, address, until } = webs()
  const listener = server.listen({ port: 7 })
  const connection = client.connect({ hostname: address, port: 7 })
  const accepted = (await until(listener.accept()))!
  const writer = accepted.writable.getWriter()
  await until(writer.write(new TextEncoder().encode('0123456789')))
  const reader = connection.readable.getReader({ mode: 'byob' })
  const first = await until(reader.read(new Uint8Array(4)))
  expect(new TextDecoder().decode(first.value)).toBe('0123')
  void writer.close()
  const second = await until(reader.read(new Uint8Array(100)))
  expect(new TextDecoder().decode(second.value)).toBe('456789')
  expect((await until(reader.read(new Uint8Array(1)))).done).toBe(true)
  // not half open: the other side closes by itself
  await until(connection.closed)
})

test('nobody listens: opened and closed are rejected with ECONNREFUSED', async () => {
  const { client, address, until } = webs()
  const connection = client.connect({ hostname: address, port: 9 })
  const message = `connect ${address}:9: connection refused (ECONNREFUSED)`
  const refused = { name: 'SocketError', code: 'ECONNREFUSED', message }
  await expect(until(connection.opened)).rejects.toMatchObject(refused)
  await expect(connection.closed).rejects.toMatchObject(refused)
  await expect(connection.readable.getReader().read()).rejects.toMatchObject(refused)
})

test('the port is taken: listen throws EADDRINUSE', () => {
  const { server } = webs()
  server.listen({ port: 80 })
  expect(() => server.listen({ port: 80 })).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }))
})

test('an aborted writer resets the connection', async () => {
  const { client, server, address, until } = webs()
  const listener = server.listen({ port: 7 })
  const connection = client.connect({ hostname: address, port: 7 })
  const accepted = (await until(listener.accept()))!
  const read = accepted.readable.getReader().read()
  await until(connection.opened)
  await until(connection.writable.abort())
  await expect(until(read)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test("the writable side outlives the peer's FIN where that was asked for", async () => {
  const { client, server, address, until, network } = webs()
  const listener = server.listen({ port: 7, allowHalfOpen: true })
  const connection = client.connect({ hostname: address, port: 7 }, { allowHalfOpen: true })
  const accepted = (await until(listener.accept()))!
  const writer = connection.writable.getWriter()
  await until(writer.write(new TextEncoder().encode('question')))
  void writer.close()
  expect(await until(octets(accepted.readable))).toBe('question'.length)
  // long after the FIN
  network.advance('30s')
  const answers = accepted.writable.getWriter()
  // more than a send buffer and a window hold: it is the open connection that takes it
  const written = Promise.all([answers.write(new Uint8Array(8_000_000)), answers.write(new Uint8Array(10))])
  const answer = octets(connection.readable)
  await until(written)
  await until(answers.close())
  expect(await until(answer)).toBe(8_000_010)
  await until(Promise.all([connection.closed, accepted.closed]))
  listener.close()
})

test('a new connection on the ports of one that was reset begins with its own octets', async () => {
  const world = twoHosts()
  const { until, network, address } = world
  const server = network.host('server')
  const listener = server.listen({ port: 80 })
  const open = async () => {
    // web streams choose no port; the old connection's is asked for by node:net
    const client = world.client.connect({ port: 80, host: address, localPort: 5555 })
    client.on('error', () => {})
    return { client, accepted: (await until(listener.accept()))! }
  }
  const first = await open()
  // not read when the RST comes, and some of it on the way
  first.client.write('old '.repeat(10_000))
  network.advance('15ms')
  first.client.resetAndDestroy()
  await expect(until(first.accepted.closed)).rejects.toMatchObject({ code: 'ECONNRESET' })
  network.advance('1s')
  const second = await open()
  expect((await second.accepted.opened).remote.port).toBe(5555)
  second.client.end('new')
  const reader = second.accepted.readable.getReader()
  const next = await until(reader.read())
  expect(new TextDecoder().decode(next.value)).toBe('new')
  expect((await until(reader.read())).done).toBe(true)
  listener.close()
})
