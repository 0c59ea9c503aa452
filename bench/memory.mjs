// Heap of idle connections, TIME-WAIT records and SYN-queue entries, octets each. Needs --expose-gc.
import { getHeapStatistics } from 'node:v8'
import { close, State } from '../dist/tcp/index.js'
import { TwoHosts, user } from './two-hosts.mjs'

const FIRST_PORT = 1024
/** Octets that an idle end may take when room is reckoned. */
const HELD = 2048

function heap() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Opens `count` connections from `firstPort` on; nobody says anything on them. */
function establish(net, firstPort, count) {
  const clients = []
  const idle = user({})
  for (let i = 0; i < count; i++) {
    clients.push(net.connect(firstPort + i, 80, idle))
    if (i % 256 === 255) net.settle()
  }
  net.settle()
  return clients
}

/** Octets of heap per connection of which both ends are idle, and per TIME-WAIT record. @param {number} count at most 60 000 */
export function connectionMemory(count) {
  const net = new TwoHosts()
  net.listen(80, user({ PeerClosed: (c, now) => close(c, now) }))
  // what opening and closing compile and keep for the next is there before
  for (const c of establish(net, FIRST_PORT, 1000)) close(c, net.now)
  net.settle()
  const before = heap()
  const clients = establish(net, FIRST_PORT + 1000, count)
  const established = (heap() - before) / (2 * count)
  for (let i = 0; i < clients.length; i++) {
    close(clients[i], net.now)
    if (i % 256 === 255) net.settle()
  }
  clients.length = 0
  net.settle()
  // the client's ends are TIME-WAIT records now, in their tables and with their ports; the server's are gone
  const timeWait = (heap() - before) / count
  return { established, timeWait, alive: net }
}

/** Connections to one port of the server. */
const TO_ONE = 50_000

/**
 * How many idle connections one host holds of those asked for, as many as fit the heap. Their peers open them and then
 * forget them, as a machine does whose plug is pulled: nobody says anything on them, and no timer runs.
 */
export function heldConnections(count) {
  const room = getHeapStatistics().heap_size_limit * 0.8
  const wanted = Math.min(count, Math.floor(room / HELD / TO_ONE) * TO_ONE)
  const net = new TwoHosts()
  const idle = user({})
  for (let held = 0, port = 80; held < wanted; held += TO_ONE, port++) {
    net.listen(port, idle)
    for (let i = 0; i < TO_ONE; i++) {
      net.connect(FIRST_PORT + i, port, idle)
      if (i % 256 === 255) net.settle()
    }
    net.settle()
    net.client.reboot()
  }
  let established = 0
  for (const c of net.server.connections) if (c.state === State.Established) established++
  return established
}

/** Octets of heap per entry of a SYN queue, the listener's answer lost. */
export function synEntryMemory(count) {
  const net = new TwoHosts({ settings: { maxSynBacklog: 1e9, somaxconn: 1e9, synCookies: 0 } })
  net.listen(80, user({}), 1e9)
  net.client.interfaces[1].link.receiver = null
  const before = heap()
  const clients = establish(net, FIRST_PORT, count)
  const both = heap() - before
  net.server.reboot()
  const withoutEntries = heap() - before
  return clients.length > 0 ? (both - withoutEntries) / count : 0
}

export const rows = [
  {
    name: 'idle-connections',
    title: 'idle connections held by one host',
    zh: '一台主机保持的空闲连接数',
    unit: 'connections',
    atLeast: 200_000,
    goal: 1_000_000,
    once: true,
    ours: (size) => heldConnections(size < 1 ? 200_000 : 1_000_000),
  },
  {
    name: 'heap-connection',
    title: 'heap per idle established end of a connection, of 20,000',
    zh: '每个空闲已建立端点的堆内存（20,000 个）',
    unit: 'octets',
    atMost: 2048,
    goal: 1024,
    once: true,
    ours: () => connectionMemory(20_000).established,
  },
  {
    name: 'heap-time-wait',
    title: 'heap per TIME-WAIT record, of 20,000',
    zh: '每条 TIME-WAIT 记录的堆内存（20,000 条）',
    unit: 'octets',
    atMost: 250,
    once: true,
    ours: () => connectionMemory(20_000).timeWait,
  },
  {
    name: 'heap-syn-queue',
    title: 'heap per SYN-queue entry, of 20,000',
    zh: 'SYN 队列每个条目的堆内存（20,000 个）',
    unit: 'octets',
    atMost: 250,
    once: true,
    ours: () => synEntryMemory(20_000),
  },
]
