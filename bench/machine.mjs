// What the machine does through its core API over a memory pipe: bulk, round trips, connections.
import { close, receiveChunk, send } from '../dist/tcp/index.js'
import { TwoHosts, user } from './two-hosts.mjs'

/** Gbit/s of text from client to server over one connection. */
export function bulk(megabytes, options) {
  const net = new TwoHosts(options)
  const chunk = new Uint8Array(65536).fill(7)
  const total = megabytes * 1e6
  let sent = 0
  let received = 0
  const sink = user({
    Readable(c, now) {
      for (let text = receiveChunk(c, 1 << 20, now); text instanceof Uint8Array; text = receiveChunk(c, 1 << 20, now)) {
        received += text.length
      }
    },
  })
  net.listen(80, sink)
  const push = (c, now) => {
    while (sent < total) {
      const taken = send(c, chunk, 0, now)
      if (!(taken > 0)) break
      sent += taken
    }
  }
  const c = net.connect(40000, 80, user({ Established: push, Writable: push }))
  net.until(() => received > total / 10, 'a tenth of the transfer')
  const from = received
  const began = performance.now()
  net.until(() => received >= total, 'the transfer')
  const seconds = (performance.now() - began) / 1000
  close(c, net.now)
  return ((received - from) * 8) / seconds / 1e9
}

/** One octet there and back, a second. */
export function roundTrips(milliseconds) {
  const net = new TwoHosts()
  const octet = new Uint8Array(1)
  let trips = 0
  const answer = (c, now) => {
    if (receiveChunk(c, 1, now) instanceof Uint8Array) send(c, octet, 0, now)
  }
  net.listen(80, user({ Readable: answer }))
  net.connect(
    40000,
    80,
    user({
      Established: (c, now) => send(c, octet, 0, now),
      Readable(c, now) {
        trips++
        answer(c, now)
      },
    }),
  )
  return perSecond(net, milliseconds, () => trips)
}

/** Connections opened, a request and an answer of one octet, and closed from the client, a second. */
export function connections(milliseconds) {
  const net = new TwoHosts({ settings: { msl: 1 } })
  const octet = new Uint8Array(1)
  let port = 1024
  let done = 0
  net.listen(
    80,
    user({
      Readable(c, now) {
        const text = receiveChunk(c, 10, now)
        if (text instanceof Uint8Array) send(c, octet, 0, now)
        else if (text === null) close(c, now)
      },
    }),
  )
  const client = user({
    Established: (c, now) => send(c, octet, 0, now),
    Readable(c, now) {
      if (!(receiveChunk(c, 10, now) instanceof Uint8Array)) return
      close(c, now)
      done++
      open()
    },
  })
  const open = () => {
    port = port === 65535 ? 1024 : port + 1
    net.connect(port, 80, client)
  }
  for (let i = 0; i < 16; i++) open()
  return perSecond(net, milliseconds, () => done)
}

/** Warms up for a third of the time, then counts. */
function perSecond(net, milliseconds, count) {
  const warm = performance.now() + milliseconds / 3
  net.until(() => net.now > warm, 'warming up')
  const from = count()
  const began = performance.now()
  net.until(() => net.now > began + milliseconds, 'counting')
  return (count() - from) / ((performance.now() - began) / 1000)
}
