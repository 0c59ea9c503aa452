import { once } from 'node:events'
import { expect, test } from 'vitest'
import { memoryPipe } from '../../src/link/index.js'
import { createNetwork } from '../../src/sim/index.js'
import { type AddressResult, createHost, isPending, LINUX, type LiveHost } from '../../src/socket/index.js'
import '../../src/socket/net/index.js'
import { parseIpAddress } from '../../src/wire/index.js'

function hosts(): [LiveHost, LiveHost] {
  const [left, right] = memoryPipe()
  return [
    createHost({ name: 'a', link: left, address: ['10.0.0.1/24', 'fd00::1/64'], lookup: () => ['fd00::2'] }),
    createHost({ name: 'b', link: right, address: ['10.0.0.2/24', 'fd00::2/64'] }),
  ]
}

async function textOf(readable: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) text += new TextDecoder().decode(chunk)
  return text
}

test("web streams on one host talk to node:net's sockets on another", async () => {
  const [a, b] = hosts()
  const server = b.net.createServer((socket) => socket.end(`you are ${socket.remoteAddress}`)).listen(7)
  await once(server, 'listening')
  const connection = a.connect('10.0.0.2:7')
  expect(await textOf(connection.readable)).toBe('you are ::ffff:10.0.0.1')
  await connection.closed
  server.close()
})

test("the BSD calls accept what node:net's sockets connect to", async () => {
  const [a, b] = hosts()
  const { AF_INET, SOCK_STREAM } = LINUX.numbers
  const { calls } = b
  expect(calls).toBe(b.calls)
  const fd = calls.socket(AF_INET!, SOCK_STREAM!).result
  calls.bind(fd, { family: AF_INET!, address: parseIpAddress('0.0.0.0'), port: 7 })
  calls.listen(fd, 5)
  const accepted = calls.accept(fd)
  const socket = a.net.connect(7, '10.0.0.2')
  await once(socket, 'connect')
  if (!isPending(accepted)) return expect.fail('nobody was there to accept')
  const { address } = await new Promise<AddressResult>((resolve) => accepted.onDone(resolve))
  expect(address).toMatchObject({ port: socket.localPort })
  expect(calls.sockets().map(({ state }) => state)).toEqual(['LISTEN', 'ESTABLISHED'])
  socket.destroy()
})

test('names are found by the lookup of the host, for both faces', async () => {
  const [a, b] = hosts()
  const listener = b.listen({ port: 7 })
  const viaWeb = await a.connect({ hostname: 'anything', port: 7 }).opened
  expect(viaWeb.remoteAddress).toBe('[fd00::2]:7')
  const socket = a.net.connect(7, 'anything')
  await once(socket, 'connect')
  expect(socket.remoteAddress).toBe('fd00::2')
  socket.destroy()
  const here = b.listen({ port: 9, hostname: '127.0.0.1' })
  expect((await b.connect('localhost:9').opened).remoteAddress).toBe('127.0.0.1:9')
  here.close()
  listener.close()
})

test('on a simulated network, hosts find each other by name', async () => {
  const network = createNetwork({ latency: '10ms' })
  const [a, b] = [network.host('a'), network.host('b')]
  const listener = b.listen({ port: 7 })
  const connection = a.connect('b:7')
  const nobody = a.connect('nobody:7')
  await expect(nobody.opened).rejects.toMatchObject({ message: 'connect nobody:7: no such name (ENOTFOUND)' })
  network.advance('1s')
  expect((await connection.opened).remoteAddress).toBe('10.0.0.2:7')
  const socket = a.net.connect(7, 'b')
  await new Promise((resolve) => setImmediate(resolve))
  network.advance('1s')
  await once(socket, 'connect')
  listener.close()
})

test('hosts made without a seed draw what nobody can guess', () => {
  const ports = () => createHost().ports.forConnection(parseIpAddress('127.0.0.1'), parseIpAddress('127.0.0.1'), 1)
  expect(new Set([ports(), ports(), ports()]).size).toBeGreaterThan(1)
  const seeded = () => createHost({ seed: 7 }).secrets.isn
  expect(seeded()).toEqual(seeded())
  expect(() => createHost({ address: '10.0.0.1/24' })).toThrow('addresses are for a link')
})
