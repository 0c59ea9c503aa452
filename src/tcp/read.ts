import type { Connection } from './connection.js'
import { programRead } from './receive-window.js'
import type { Instant } from './time.js'
import { noteRead, readableInOneGo } from './urgent.js'

/** RECEIVE: copies text in order to `target`; 0: there is none. The window may open and be told to the peer. */
export function readText(c: Connection, target: Uint8Array, now: Instant): number {
  const n = c.rcv.queue.read(target, readableInOneGo(c))
  afterRead(c, n, now)
  return n
}

/** As `readText`, without taking the text (MSG_PEEK); `from`: octets to pass over. */
export function peekText(c: Connection, target: Uint8Array, from = 0): number {
  return c.rcv.queue.peek(target, readableInOneGo(c) - from, from)
}

/** RECEIVE without a copy: a view of at most `max` octets, which is the caller's to keep; null: there is none. */
export function readTextChunk(c: Connection, max: number, now: Instant): Uint8Array | null {
  const chunk = c.rcv.queue.readChunk(Math.min(max, readableInOneGo(c)))
  afterRead(c, chunk === null ? 0 : chunk.length, now)
  return chunk
}

/** Takes and throws away up to `max` octets (MSG_TRUNC); returns how many. */
export function discardText(c: Connection, max: number, now: Instant): number {
  const n = Math.min(max, readableInOneGo(c))
  c.rcv.queue.skip(n)
  afterRead(c, n, now)
  return n
}

function afterRead(c: Connection, octets: number, now: Instant): void {
  if (octets === 0) return
  if (c.rcv.urgent) noteRead(c)
  programRead(c, octets, now)
}
