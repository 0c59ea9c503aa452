import type { Connection } from './connection.js'
import type { Instant } from './time.js'

/**
 * Sends one segment (or super-segment) of a connection: `flags` as given, text [seq, seq + textLength) of the send
 * queue, ACK, window and options as they are now. `gsoSize` > 0: a super-segment of pieces of that many octets.
 */
export declare function emit(
  c: Connection,
  flags: number,
  seq: number,
  textLength: number,
  retransmission: boolean,
  now: Instant,
  gsoSize?: number,
): void
/** A bare ACK (T3's acknowledge.ts decides when). SEQ is SND.NXT, or the right edge of a window that shrank. */
export declare function emitAck(c: Connection, now: Instant): void
