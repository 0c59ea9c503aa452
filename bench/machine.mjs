// What the machine does through its core API over a memory pipe: bulk, round trips, connections. Rates are per second of
// CPU time, so that they are those of a machine that does nothing else.
import { close, Ready, receive, send } from '../dist/tcp/index.js'
import { kernelBulk, kernelConnections, kernelRoundTrips } from './kernel.mjs'
import { cpuSeconds, program, TwoHosts } from './two-hosts.mjs'

/** SO_SNDBUF and SO_RCVBUF of a bulk transfer, octets: what is under way stays in the cache, and no round trip is long. */
const BUFFER = 512 * 1024

/** Gbit/s of text from client to server over one connection, copied from one buffer of 64 KB and into another. */
export function bulk(megabytes, options) {
  const buffers = { sendBuffer: [4096, BUFFER, BUFFER], receiveBuffer: [4096, BUFFER, BUFFER] }
  const net = new TwoHosts({ ...options, offloads: true, settings: buffers })
  const chunk = new Uint8Array(65536).fill(7)
  const target = new Uint8Array(65536)
  const total = megabytes * 1e6
  let sent = 0
  let received = 0
  const read = (c, _ready, now) => {
    for (let taken = receive(c, target, 0, now); taken > 0; taken = receive(c, target, 0, now)) received += taken
  }
  net.listen(80, program(net.server, read))
  const push = (c, _ready, now) => {
    while (sent < total) {
      const taken = send(c, chunk, 0, now)
      if (!(taken > 0)) break
      sent += taken
    }
  }
  const c = net.connect(40000, 80, program(net.client, push))
  net.until(() => received > total / 4, 'a quarter of the transfer')
  const from = received
  const began = cpuSeconds()
  net.until(() => received >= total, 'the transfer')
  const seconds = cpuSeconds() - began
  close(c, net.now)
  return ((received - from) * 8) / seconds / 1e9
}

/** One octet there and back, a second. */
export function roundTrips(milliseconds) {
  const net = new TwoHosts()
  const octet = new Uint8Array(1)
  const target = new Uint8Array(64)
  let trips = 0
  net.listen(
    80,
    program(net.server, (c, _ready, now) => {
      if (receive(c, target, 0, now) > 0) send(c, octet, 0, now)
    }),
  )
  const ask = (c, ready, now) => {
    if (ready & Ready.Established) send(c, octet, 0, now)
    else if (receive(c, target, 0, now) > 0) {
      trips++
      send(c, octet, 0, now)
    }
  }
  net.connect(40000, 80, program(net.client, ask))
  return perSecond(net, milliseconds, () => trips)
}

/** Connections opened, a request and an answer of one octet, and closed from the client, a second. */
export function connections(milliseconds) {
  const net = new TwoHosts({ settings: { msl: 1 } })
  const octet = new Uint8Array(1)
  const target = new Uint8Array(64)
  let port = 1024
  let done = 0
  const answer = (c, _ready, now) => {
    const taken = receive(c, target, 0, now)
    if (taken > 0) send(c, octet, 0, now)
    else if (taken === 0) close(c, now)
  }
  net.listen(80, program(net.server, answer))
  const client = program(net.client, (c, ready, now) => {
    if (ready & Ready.Established) return void send(c, octet, 0, now)
    if (!(receive(c, target, 0, now) > 0)) return
    close(c, now)
    done++
    open()
  })
  const open = () => {
    port = port === 65535 ? 1024 : port + 1
    net.connect(port, 80, client)
  }
  for (let i = 0; i < 16; i++) open()
  return perSecond(net, milliseconds, () => done)
}

/** Warms up, while the engine compiles, then counts; ms of CPU time. */
function perSecond(net, milliseconds, count) {
  const warm = cpuSeconds() + Math.max(1.5, milliseconds / 500)
  net.until(() => cpuSeconds() > warm, 'warming up', 64)
  const from = count()
  const began = cpuSeconds()
  net.until(() => cpuSeconds() > began + milliseconds / 1000, 'counting', 64)
  return (count() - from) / (cpuSeconds() - began)
}

/** What `npm run bench` measures here: see run.mjs for the shape of a row. */
export const rows = [
  {
    name: 'bulk',
    title: 'memory pipe, MTU 1500, both checksums computed, one connection, core API',
    zh: '内存管道，MTU 1500，两端均计算校验和，单连接，核心 API',
    unit: 'Gbit/s',
    atLeast: 8,
    goal: 20,
    ours: (size) => bulk(4000 * size),
    peers: { loopback: (size) => kernelBulk(1000 * size) },
  },
  {
    name: 'bulk-super',
    title: 'memory pipe, super-segments, checksums left to the link',
    zh: '内存管道，超级报文段，校验和由链路负责',
    unit: 'Gbit/s',
    atLeast: 30,
    goal: 36,
    ours: (size) => bulk(12_000 * size, { superSegments: true, checksumOffload: true }),
    peers: { loopback: (size) => kernelBulk(1000 * size) },
  },
  {
    name: 'bulk-super-checksums',
    title: 'memory pipe, super-segments, both checksums computed',
    zh: '内存管道，超级报文段，两端均计算校验和',
    unit: 'Gbit/s',
    ours: (size) => bulk(9000 * size, { superSegments: true }),
    peers: { loopback: (size) => kernelBulk(1000 * size) },
  },
  {
    name: 'round-trips',
    title: 'one-octet round trips, memory pipe, core API',
    zh: '单字节往返，内存管道，核心 API',
    unit: '/s',
    atLeast: 500_000,
    ours: (size) => roundTrips(1000 * size),
    peers: { loopback: (size) => kernelRoundTrips(1000 * size) },
  },
  {
    name: 'connections',
    title: 'connections opened and closed, memory pipe, core API',
    zh: '打开并关闭连接，内存管道，核心 API',
    unit: '/s',
    atLeast: 100_000,
    ours: (size) => connections(1000 * size),
    peers: { loopback: (size) => kernelConnections(1000 * size) },
  },
]
