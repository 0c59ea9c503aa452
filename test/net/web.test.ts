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
