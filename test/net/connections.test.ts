import { once } from 'node:events'
import type net from 'node:net'
import { expect, test } from 'vitest'
import type { NetSocket } from '../../src/socket/net/index.js'
import { twoHosts } from './two-hosts.test-fixture.js'

type World = ReturnType<typeof twoHosts>

async function connected(world: World, options: object = {}): Promise<{ client: NetSocket; server: NetSocket }> {
  const listener = world.server.createServer({ allowHalfOpen: true })
  listener.listen(80)
  await once(listener, 'listening')
  const client = world.client.connect({ port: 80, host: world.address, allowHalfOpen: true, ...options })
  const [[server]] = await world.until(Promise.all([once(listener, 'connection'), once(client, 'connect')]))
  listener.close()
  return { client, server: server as NetSocket }
}

async function text(socket: NetSocket): Promise<string> {
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  await once(socket, 'end')
  return received
}

test("the writable side outlives the peer's FIN", async () => {
  const world = twoHosts()
  const { client, server } = await connected(world)
  client.end('question')
  expect(await world.until(text(server))).toBe('question')
  // long after the FIN
  world.network.advance('30s')
  expect(server.writable).toBe(true)
  server.write('answer, ')
  const answer = text(client)
  await world.until(new Promise((resolve) => server.end('and more', resolve as () => void)))
  expect(await world.until(answer)).toBe('answer, and more')
})

test('a new connection on the ports of one that was reset begins with its own octets', async () => {
  const world = twoHosts()
  const first = await connected(world, { localPort: 5555 })
  first.server.on('error', () => {})
  // not read when the RST comes, and some of it on the way
  first.server.pause()
  first.client.write('old '.repeat(10_000))
  world.network.advance('15ms')
  first.client.resetAndDestroy()
  await world.until(once(first.client, 'close'))
  world.network.advance('1s')
  const second = await connected(world, { localPort: 5555 })
  expect(second.server.remotePort).toBe(5555)
  second.client.end('new')
  expect(await world.until(text(second.server))).toBe('new')
})

test('who does not read closes the window, and the writer is told to wait', async () => {
  const world = twoHosts()
  const { client, server } = await connected(world)
  server.pause()
  const chunk = Buffer.alloc(65_536, 'x')
  let written = 0
  const total = 400 * chunk.length
  const write = () => {
    while (written < total) {
      written += chunk.length
      if (!client.write(chunk)) return void client.once('drain', write)
    }
    client.end()
  }
  write()
  for (let i = 0; i < 300; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    world.network.advance('100ms')
  }
  expect(written).toBeLessThan(total)
  const connection = client._handle!.socket.connection!
  expect(connection.snd.wnd).toBe(0)
  let received = 0
  server.on('data', (piece: Buffer) => {
    received += piece.length
  })
  server.resume()
  await world.until(once(server, 'end'))
  expect(received).toBe(total)
})

test('setTimeout counts the time in which nothing is read or written, in virtual time', async () => {
  const world = twoHosts()
  const { client, server } = await connected(world)
  server.resume()
  const begun = world.network.now
  client.setTimeout(60_000)
  world.network.clock.after(30_000, () => client.write('still here'))
  await world.until(once(client, 'timeout'))
  expect(world.network.now - begun).toBeGreaterThanOrEqual(90_000)
  expect(world.network.now - begun).toBeLessThan(91_000)
  expect(client.destroyed).toBe(false)
})

test('keepalive finds a peer that died without a word', async () => {
  const world = twoHosts()
  const { client } = await connected(world, { keepAlive: true, keepAliveInitialDelay: 60_000 })
  client.resume()
  world.network.partition(['server'])
  const [error] = await world.until(once(client, 'end').catch((e) => [e]))
  expect(error.message).toBe('read ETIMEDOUT')
})

test('the first address of a name that answers wins, and no other', async () => {
  const hosts = { 'www.test': ['192.0.2.200', 'ADDRESS'] }
  const world = twoHosts({}, {}, { hosts })
  hosts['www.test'][1] = world.address
  const attempts: string[] = []
  const listener = world.server.createServer()
  listener.listen(80, world.address)
  await once(listener, 'listening')
  const client = world.client.connect(80, 'www.test')
  client.on('connectionAttempt', (address) => attempts.push(address))
  await world.until(once(client, 'connect'))
  expect(attempts).toEqual(['192.0.2.200', world.address])
  expect(client.remoteAddress).toBe(world.address)
  expect(world.network.now).toBeLessThan(1000)
})

test('a block list keeps sockets from addresses, and addresses from servers', async () => {
  const world = twoHosts({}, {}, { hosts: { 'www.test': ['192.0.2.200', 'ADDRESS'] } })
  const blockList = new world.client.BlockList()
  blockList.addAddress(world.address)
  const blocked = world.client.connect({ port: 80, host: world.address, blockList })
  const [error] = await world.until(once(blocked, 'error'))
  expect(error.code).toBe('ERR_IP_BLOCKED')
  expect(error.message).toBe(`IP(${world.address}) is blocked by net.BlockList`)
  expect(() => world.client.connect({ port: 80, host: world.address, blockList: {} })).toThrow('net.BlockList')

  const unwanted = new world.server.BlockList()
  unwanted.addSubnet('10.0.0.0', 8)
  const server = world.server.createServer({ blockList: unwanted }, () => expect.fail('it was accepted'))
  server.listen(80)
  const client = world.client.connect(80, world.address)
  client.resume()
  await world.until(once(client, 'close'))
  expect(client.bytesRead).toBe(0)
})

test("a program that was written for node:net's types takes our sockets and servers", async () => {
  const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port
  const send = (socket: Pick<net.Socket, 'write' | 'destroySoon' | 'bytesWritten'>, text: string) => {
    socket.write(text)
    socket.destroySoon()
  }
  const world = twoHosts()
  const server = world.server.createServer().listen()
  await once(server, 'listening')
  send(world.client.connect(portOf(server), world.address), 'hello')
  const [accepted] = await world.until(once(server, 'connection'))
  expect(await world.until(text(accepted))).toBe('hello')
})

test('bytes are counted on both sides, and ends are named', async () => {
  const world = twoHosts()
  const { client, server } = await connected(world)
  expect(client.remoteAddress).toBe(world.address)
  expect(server.localAddress).toBe(`::ffff:${world.address}`)
  expect(server.remotePort).toBe(client.localPort)
  expect(client.address()).toEqual({ address: client.localAddress, family: 'IPv4', port: client.localPort })
  client.end('12345')
  await world.until(text(server))
  expect([client.bytesWritten, server.bytesRead]).toEqual([5, 5])
  server.end()
  await world.until(text(client))
})
