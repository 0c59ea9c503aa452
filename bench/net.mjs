// What programs get through `estab/net` over a memory pipe, two hosts in this process in real time; and, with `nodes()`, the
// same programs on Node's own net over the kernel's loopback. Rates are per second of CPU time.
import { once } from 'node:events'
import nodeNet from 'node:net'
import { Host, Random, RealTime } from '../dist/ip/index.js'
import { memoryPipe } from '../dist/link/index.js'
import { createNet, nodeTime } from '../dist/socket/net/index.js'
import { profile } from '../dist/tcp/index.js'
import { parseIpAddress } from '../dist/wire/index.js'
import { cpuSeconds } from './two-hosts.mjs'

/** What a program needs: `net` of either end, and where the server listens. */
function ours({ settings = {}, ...pipe } = {}) {
  const time = new RealTime(nodeTime())
  const ends = memoryPipe({ ...pipe, soon: (deliver) => time.soon(deliver) })
  const all = { ...profile('linux'), ...settings }
  const [client, server] = ends.map((link, i) => {
    const host = new Host({ settings: all, random: new Random(i + 1), offloads: true })
    host.attach(link, { addresses: [{ address: parseIpAddress(`10.0.0.${i + 1}`), prefixLength: 8 }] })
    time.drive(host)
    return createNet(host, { now: () => time.now })
  })
  return { client, server, address: '10.0.0.2' }
}

const nodes = () => ({ client: nodeNet, server: nodeNet, address: '127.0.0.1' })

/** @typedef {{ client: typeof nodeNet, server: typeof nodeNet, address: string }} Where */

async function listening({ server, address }, onConnection) {
  const made = server.createServer({ noDelay: true }, onConnection).listen(0, address)
  await once(made, 'listening')
  return made
}

async function connected({ client, address }, server) {
  const socket = client.connect({ port: server.address().port, host: address, noDelay: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Gbit/s of text over one connection, 16 KB writes. @param {Where} where */
async function bulk(where, megabytes) {
  const total = megabytes * 1e6
  const warm = total / 4
  let received = 0
  let from = 0
  let began = 0
  let finished
  const done = new Promise((resolve) => {
    finished = resolve
  })
  const server = await listening(where, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received += chunk.length
      if (began === 0 && received >= warm) {
        from = received
        began = cpuSeconds()
      }
      if (received >= total) finished()
    })
  })
  const client = await connected(where, server)
  const chunk = Buffer.alloc(16384, 7)
  let sent = 0
  const push = () => {
    while (sent < total) {
      sent += chunk.length
      if (!client.write(chunk)) return void client.once('drain', push)
    }
  }
  push()
  await done
  const rate = ((received - from) * 8) / (cpuSeconds() - began) / 1e9
  client.destroy()
  server.close()
  return rate
}

/** One octet there and back over one connection. @param {Where} where */
async function roundTrips(where, milliseconds) {
  const server = await listening(where, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => socket.write(chunk))
  })
  const client = await connected(where, server)
  const octet = Buffer.alloc(1)
  let trips = 0
  client.on('data', () => {
    trips++
    client.write(octet)
  })
  client.write(octet)
  const rate = await counted(milliseconds, () => trips)
  client.destroy()
  server.close()
  return rate
}

/** Connections opened, an octet asked and answered, and closed from the client; sixteen at a time. @param {Where} where */
async function connections(where, milliseconds) {
  const server = await listening(where, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk))
    socket.on('error', () => {})
  })
  const { port } = server.address()
  const octet = Buffer.alloc(1)
  let done = 0
  let going = true
  const open = () => {
    const client = where.client.connect(port, where.address, () => client.write(octet))
    client.on('error', () => {})
    client.on('data', () => client.end())
    client.on('close', () => {
      done++
      if (going) open()
    })
  }
  for (let i = 0; i < 16; i++) open()
  const rate = await counted(milliseconds, () => done)
  going = false
  server.close()
  return rate
}

/** CPU time until everything is compiled that is going to be: a connection runs through some hundred functions, s. */
const WARM_UP = 3

/** Counts for so much CPU time, once it is warm. */
async function counted(milliseconds, count) {
  await spent(WARM_UP * 1000)
  const from = count()
  const began = cpuSeconds()
  await spent(milliseconds)
  return (count() - from) / (cpuSeconds() - began)
}

/** Waits until this process has used so much CPU time, ms. */
async function spent(milliseconds) {
  const until = cpuSeconds() + milliseconds / 1000
  while (cpuSeconds() < until) await new Promise((resolve) => setTimeout(resolve, 20))
}

const netBulk = (megabytes, options) => bulk(ours(options), megabytes)
const netRoundTrips = (milliseconds) => roundTrips(ours(), milliseconds)
// TIME-WAIT as short as can be: else the client's ports are used up
const netConnections = (milliseconds) => connections(ours({ settings: { msl: 1 } }), milliseconds)
const peers = (measure) => ({ loopback: (size) => measure(nodes(), size) })

export const rows = [
  {
    name: 'net-bulk',
    title: 'the same through `estab/net` sockets, writes of 16 KB',
    zh: '同上，经由 `estab/net` 套接字，每次写入 16 KB',
    unit: 'Gbit/s',
    atLeast: 4,
    goal: 10,
    ours: (size) => netBulk(2000 * size, { superSegments: true, checksumOffload: true }),
    peers: peers((where, size) => bulk(where, 1500 * size)),
  },
  {
    name: 'net-bulk-1500',
    title: '`estab/net` sockets, MTU 1500, both checksums computed, writes of 16 KB',
    zh: '`estab/net` 套接字，MTU 1500，两端均计算校验和，每次写入 16 KB',
    unit: 'Gbit/s',
    ours: (size) => netBulk(1000 * size),
  },
  {
    name: 'net-round-trips',
    title: 'one-octet round trips, memory pipe, `estab/net`',
    zh: '单字节往返，内存管道，`estab/net`',
    unit: '/s',
    atLeast: 100_000,
    ours: (size) => netRoundTrips(1500 * size),
    peers: peers((where, size) => roundTrips(where, 1500 * size)),
  },
  {
    name: 'net-connections',
    title: 'connections opened and closed, memory pipe, `estab/net`',
    zh: '打开并关闭连接，内存管道，`estab/net`',
    unit: '/s',
    atLeast: 20_000,
    ours: (size) => netConnections(1500 * size),
    peers: peers((where, size) => connections(where, 1500 * size)),
  },
]
