import { type Instant, NEVER } from './time.js'
import type { ReceiveQueue } from './receive-queue.js'

/** The receive half of the TCB: RCV.* of RFC 9293 3.3.1 and what receiving needs beside. Owned by text-arrives.ts, receive-window.ts, acknowledge.ts. */
export class ReceiveState {
  /** IRS: initial receive sequence number. */
  irs = 0
  /** RCV.NXT: next sequence number expected. */
  nxt = 0
  /** RCV.WND as last offered, octets, already scaled. */
  wnd = 0
  /** RCV.NXT when that window was offered: the right edge is wup + wnd. */
  wup = 0
  /** RCV.UP; valid while `urgent`. */
  up = 0
  urgent = false
  /** Shift of the windows we offer (Rcv.Wind.Shift). */
  wscale = 0
  /** The MSS we advertised, octets. */
  advMss = 536
  /** Estimate of the segments the peer sends, octets (for delayed ACK). */
  mss = 536
  /** TS.Recent and when it was stored (RFC 7323 4.3). */
  tsRecent = 0
  tsRecentAt: Instant = -NEVER
  /** Last ACK sent (Last.ACK.sent). */
  lastAckSent = 0
  /** Peer's FIN was received in order: nothing more comes. */
  finReceived = false
  /** The program shut down reading (SHUT_RD). */
  shutdown = false
  /** Receive buffer size, octets, and whether the program fixed it (SO_RCVBUF). */
  buffer = 0
  bufferFixed = false
  /** Text in order not yet read, and text out of order. */
  queue!: ReceiveQueue
}
