// Bulk transfers through the core API over a memory pipe. Rates are per second of
// CPU time, so that they are those of a machine that does nothing else.
import { close, receive, send } from '../dist/tcp/index.js'
import { kernelBulk } from './kernel.mjs'
import { tcpipBulk } from './tcpip.mjs'
import { cpuSeconds, program, TwoHosts } from './two-hosts.mjs'

/** SO_SNDBUF and SO_RCVBUF of a bulk transfer, octets: what is under way stays in the cache, and no round trip is long. */
const BUFFER = 256 * 1024

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
    peers: { loopback: (size) => kernelBulk(1000 * size), tcpip: (size) => tcpipBulk(100 * size) },
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
]
