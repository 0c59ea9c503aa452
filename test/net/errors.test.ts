import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Net, NetSocket } from '../../src/socket/net/index.js'
import { twoHosts } from './two-hosts.test-fixture.js'

async function listening(net: Net, port = 80, listener: (socket: NetSocket) => void = () => {}) {
  const server = net.createServer({ allowHalfOpen: true }, listener)
  server.listen(port)
  await once(server, 'listening')
  return server
}

test('nobody listens: connect ECONNREFUSED', async () => {
  const { client, address, until } = twoHosts()
  const [error] = await until(once(client.connect(80, address), 'error').catch((e) => [e]))
  expect(error).toMatchObject({
    message: `connect ECONNREFUSED ${address}:80`,
    code: 'ECONNREFUSED',
    errno: -111,
    syscall: 'connect',
    address,
    port: 80,
  })
})

test('nobody answers: connect ETIMEDOUT, after the two minutes of tcp_syn_retries, in no time', async () => {
  const { network, client, address, until } = twoHosts()
  network.partition(['server'])
  const [error] = await until(once(client.connect(80, address), 'error').catch((e) => [e]))
  expect(error).toMatchObject({ code: 'ETIMEDOUT', syscall: 'connect' })
  expect(network.now).toBeGreaterThan(120_000)
})

test('no route: connect ENETUNREACH, with the local address it would have had', async () => {
  const { client, until } = twoHosts()
  const [error] = await until(once(client.connect(80, '203.0.113.1'), 'error').catch((e) => [e]))
  expect(error.message).toBe('connect ENETUNREACH 203.0.113.1:80 - Local (0.0.0.0:0)')
})

test('no such local address: bind EADDRNOTAVAIL', async () => {
  const { client, address, until } = twoHosts()
  const socket = client.connect({ port: 80, host: address, localAddress: '203.0.113.9' })
  const [error] = await until(once(socket, 'error').catch((e) => [e]))
  expect(error).toMatchObject({
    message: 'bind EADDRNOTAVAIL 203.0.113.9',
    code: 'EADDRNOTAVAIL',
    syscall: 'bind',
    address: '203.0.113.9',
  })
})

test('a host that is no name: a TypeError at once', () => {
  const { client } = twoHosts()
  expect(() => client.connect({ port: 80, host: 5 as unknown as string })).toThrow('The "hostname" argument')
})

test('the port is taken: listen EADDRINUSE', async () => {
  const { server } = twoHosts()
  await listening(server)
  const second = server.createServer()
  second.listen(80)
  const [error] = await once(second, 'error').catch((e) => [e])
  expect(error).toMatchObject({
    message: 'listen EADDRINUSE: address already in use :::80',
    code: 'EADDRINUSE',
    errno: -98,
    syscall: 'listen',
    address: '::',
    port: 80,
  })
})

test("the peer's reset is read as ECONNRESET", async () => {
  const { client, server, address, until } = twoHosts()
  await listening(server, 80, (socket) => socket.resetAndDestroy())
  const socket = client.connect(80, address)
  const [error] = await until(once(socket, 'data').catch((e) => [e]))
  expect(error).toMatchObject({ message: 'read ECONNRESET', code: 'ECONNRESET', errno: -104, syscall: 'read' })
})

test('writing on a reset connection that is not read fails: EPIPE after ECONNRESET', async () => {
  const { client, server, address, until } = twoHosts()
  await listening(server, 80, (socket) => socket.resetAndDestroy())
  const socket = client.connect({ port: 80, host: address })
  socket.pause()
  socket.on('connect', () => {
    setImmediate(() => setImmediate(() => setImmediate(() => socket.write('x'))))
  })
  const [error] = await until(once(socket, 'data').catch((e) => [e]))
  expect(['write ECONNRESET', 'write EPIPE', 'read ECONNRESET']).toContain(error.message)
})

test('a name that nobody knows: getaddrinfo ENOTFOUND', async () => {
  const { client, until } = twoHosts()
  const [error] = await until(once(client.connect(80, 'nowhere.test'), 'error').catch((e) => [e]))
  expect(error).toMatchObject({
    message: 'getaddrinfo ENOTFOUND nowhere.test',
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: 'nowhere.test',
  })
})

test.each([
  [{ port: 65536 }, 'ERR_SOCKET_BAD_PORT', 'Port should be >= 0 and < 65536. Received type number (65536).'],
  [{}, 'ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified'],
  [{ port: true }, 'ERR_INVALID_ARG_TYPE', /^The "options.port" property must be one of type number or string\. Rec/],
  [{ port: 80, lookup: 1 }, 'ERR_INVALID_ARG_TYPE', /^The "options.lookup" property must be of type function\./],
  [{ port: 80, localAddress: 'x' }, 'ERR_INVALID_IP_ADDRESS', 'Invalid IP address: x'],
])('a bad argument is thrown: %o', (options, code, message) => {
  const { client } = twoHosts()
  const connect = () => client.connect(options as { port: number })
  expect(connect).toThrow(expect.objectContaining({ code }))
  expect(connect).toThrow(message)
})
