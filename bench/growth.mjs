// How cost grows: CPU time per segment by number of connections, by loss, by round-trip time. Virtual time where time matters.
import { receiveChunk, send } from '../dist/tcp/index.js'
import { cpuSeconds, program, TwoHosts } from './two-hosts.mjs'
import { Transfer } from './virtual-time.mjs'

const segmentsOf = (...hosts) => hosts.reduce((sum, host) => sum + host.counters.get('TcpOutSegs'), 0)

/** µs of CPU per segment when `count` connections each have text to send in turn, over a memory pipe. */
function byConnections(count, size) {
  const net = new TwoHosts()
  const chunk = new Uint8Array(1400)
  net.listen(
    80,
    program(net.server, (c, _ready, now) => {
      while (receiveChunk(c, 1 << 20, now) instanceof Uint8Array);
    }),
    1e9,
  )
  const clients = []
  const idle = program(net.client, () => {})
  for (let i = 0; i < count; i++) {
    clients.push(net.connect(1024 + i, 80, idle))
    if (i % 256 === 255) net.settle()
  }
  net.settle()
  const sendSegments = (segments) => {
    const from = segmentsOf(net.client, net.server)
    for (let i = 0; segmentsOf(net.client, net.server) - from < segments; i++) {
      send(clients[i % count], chunk, 0, net.now)
      if (i % 32 === 31) net.turn()
      if (i % 1024 === 1023) net.settle()
    }
    return segmentsOf(net.client, net.server) - from
  }
  sendSegments(100_000)
  const began = cpuSeconds()
  const sent = sendSegments(400_000 * size)
  return ((cpuSeconds() - began) / sent) * 1e6
}

/** µs of CPU per segment of one transfer between two simulated hosts. */
function inVirtualTime(network, size) {
  return 1e6 / new Transfer(network).rate(200_000 * size)
}

const points = (values, measure) =>
  Object.fromEntries(values.map(([name, value]) => [name, (size) => measure(value, size)]))

/** Tables: `at` has a measurement for each point. */
export const growth = [
  {
    name: 'growth-connections',
    title: 'CPU time per segment, by connections that send in turn (memory pipe, MTU 1500, both checksums)',
    zh: '按轮流发送的连接数，每个报文段的 CPU 时间（内存管道，MTU 1500，两端校验和）',
    over: 'connections',
    unit: 'µs per segment',
    at: points(
      [1, 10, 100, 1000, 10_000].map((count) => [count.toLocaleString('en'), count]),
      byConnections,
    ),
  },
  {
    name: 'growth-loss',
    title: 'CPU time per segment, by loss in both directions (virtual time, RTT 2 ms)',
    zh: '按双向丢包率，每个报文段的 CPU 时间（虚拟时间，RTT 2 ms）',
    over: 'loss',
    unit: 'µs per segment',
    at: points(
      [0, 0.001, 0.01, 0.05].map((loss) => [`${loss * 100} %`, { latency: 1, loss }]),
      inVirtualTime,
    ),
  },
  {
    name: 'growth-rtt',
    title: 'CPU time per segment, by round-trip time (virtual time, no loss)',
    zh: '按往返时间，每个报文段的 CPU 时间（虚拟时间，无丢包）',
    over: 'round-trip time',
    unit: 'µs per segment',
    at: points(
      [0.2, 2, 20, 200].map((rtt) => [`${rtt} ms`, { latency: rtt / 2 }]),
      inVirtualTime,
    ),
  },
]
