// Heap of idle connections and SYN-queue entries, octets each. Needs --expose-gc.
import { close } from '../dist/tcp/index.js'
import { TwoHosts, user } from './two-hosts.mjs'

const FIRST_PORT = 1024

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

/** Octets of heap per connection of which both ends are idle. @param {number} count at most 60 000 */
export function connectionMemory(count) {
  const net = new TwoHosts()
  net.listen(80, user({}))
  establish(net, FIRST_PORT, 1000)
  const before = heap()
  const clients = establish(net, FIRST_PORT + 1000, count)
  const established = (heap() - before) / (2 * count)
  return clients.length > 0 ? established : 0
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

/** Octets of heap per TIME-WAIT record: what is left of closed connections once their timers are over. */
export function timeWaitMemory(count) {
  const net = new TwoHosts()
  net.listen(80, user({ PeerClosed: (c, now) => close(c, now) }))
  const before = heap()
  for (const c of establish(net, FIRST_PORT, count)) close(c, net.now)
  net.settle()
  const until = performance.now() + 4000
  net.until(() => net.now > until, 'the end of the timers')
  const records = net.client.connections.size ?? count
  return (heap() - before) / Math.max(1, records)
}
