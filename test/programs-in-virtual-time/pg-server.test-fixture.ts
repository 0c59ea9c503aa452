import { once } from 'node:events'
import net from 'node:net'
import type { PGlite } from '@electric-sql/pglite'

const SSL_REQUEST = 80877103

/** A PostgreSQL server for one session at a time: the wire protocol as it is, PGlite behind it. */
export function pgServer(db: PGlite): net.Server {
  return net.createServer((socket) => {
    let waiting = Buffer.alloc(0)
    let started = false
    const feed = async (): Promise<void> => {
      for (;;) {
        // the first message has no type; every message says its own length
        const head = started ? 1 : 0
        if (waiting.length < head + 4) return
        const length = head + waiting.readUInt32BE(head)
        if (waiting.length < length) return
        const message = waiting.subarray(0, length)
        waiting = waiting.subarray(length)
        if (!started && message.readUInt32BE(4) === SSL_REQUEST) {
          socket.write('N')
          continue
        }
        started = true
        if (message[0] === 'X'.charCodeAt(0)) return void socket.end()
        const answer = await db.execProtocolRaw(message)
        if (!socket.write(answer)) await once(socket, 'drain')
      }
    }
    let fed = Promise.resolve()
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk])
      fed = fed.then(feed)
    })
  })
}
