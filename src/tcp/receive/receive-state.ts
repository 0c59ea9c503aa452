import { type Instant, type Millis, NEVER } from '../time.js'
import type { Reassembly } from './reassembly.js'
import type { ReceiveQueue } from './receive-queue.js'

/** What is owed to the peer by way of an acknowledgment, as bits of `ReceiveState.owed`. */
export const Owed = {
  /** An ACK is owed, at the latest when the delayed-ACK timer fires. */
  Ack: 1,
  /** The delayed-ACK timer is set. */
  Timer: 2,
  /** Less than a full segment, or one with PSH, arrived since the last ACK (Linux ICSK_ACK_PUSHED). */
  Pushed: 4,
  /** Twice in a row. */
  PushedTwice: 8,
  /** At once, whatever the delays. */
  Now: 16,
  /** Text was dropped for want of memory: the next window is zero. */
  NoMemory: 32,
  /** When all frames that arrived together have been processed. */
  AfterBatch: 64,
} as const

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
  /** Rightmost edge of any window offered; the window may have shrunk since. */
  maxEdge = 0
  /** RCV.UP: the octet after the urgent ones; valid while `urgent`. */
  up = 0
  /** Urgent text has been announced and not all read. */
  urgent = false
  /** The urgent octet (the last one before RCV.UP) while it is out of band; -1: it has not arrived or was read. */
  urgentOctet = -1
  /** Shift of the windows we offer (Rcv.Wind.Shift). */
  wscale = 0
  /** The MSS we advertised, octets. */
  advMss = 536
  /** Estimate of the segments the peer sends, octets (for delayed ACK; Linux icsk_ack.rcv_mss). */
  mss = 536
  /** TS.Recent and when it was stored (RFC 7323 4.3). */
  tsRecent = 0
  tsRecentAt: Instant = -NEVER
  /** Last ACK sent (Last.ACK.sent). */
  lastAckSent = 0
  /** Peer's FIN was received in order: nothing more comes. */
  finReceived = false
  /** The user time-out is the peer's (RFC 5482). */
  userTimeoutTaken = false
  /** The program shut down reading (SHUT_RD). */
  shutdown = false
  /** Receive buffer size, octets, and whether the program fixed it (SO_RCVBUF). */
  buffer = 0
  bufferFixed = false
  /** Text in order not yet read. */
  queue!: ReceiveQueue
  /** Text out of order and what SACK says of it; null: never had any. */
  reassembly: Reassembly | null = null

  // --- the window (receive-window.ts) ---
  /** Most that is ever offered, octets (Linux window_clamp). */
  clamp = 0
  /** What the slow start of the window has reached, octets (Linux rcv_ssthresh). */
  ssthresh = 0
  /** 256ths of the buffer that may be window: text per octet of memory it costs (Linux scaling_ratio). */
  ratio = 256

  // --- acknowledging (acknowledge.ts) ---
  /** Bits of `Owed`. */
  owed = 0
  /** Segments that are still acknowledged at once (Linux icsk_ack.quick). */
  quick = 0
  /** How often the program answered what it read; from 1 on ACKs wait for an answer (Linux icsk_ack.pingpong). */
  pingpong = 0
  /** How long an ACK may wait now, ms (Linux icsk_ack.ato); 0: no text has arrived yet. */
  ato: Millis = 0
  /** When text last arrived; at first: when the connection was established. */
  lastTextAt: Instant = -NEVER
  /** Size of the last segment that was not full, octets. */
  lastSegmentSize = 0
  /** ACKs for text out of order held back since the last one sent, RCV.NXT then, and duplicates sent since it moved. */
  compressed = 0
  compressedAt = 0
  duplicateAcks = 0

  // --- how fast the program reads (receive-autotuning.ts) ---
  /** RTT as the receiver sees it, eighths of ms; 0: not known. */
  rtt8 = 0
  /** A window's worth from `rttFrom` ends at this sequence number. */
  rttSeq = 0
  rttFrom: Instant = -NEVER
  rttEcho = 0
  /** Octets the program read in the best RTT so far, and where and when the current one began (Linux rcvq_space). */
  space = 0
  spaceSeq = 0
  spaceFrom: Instant = -NEVER

  // --- counts (RFC 4898, tcp_info) ---
  /** Octets of text received in order. */
  octetsReceived = 0
  /** Segments received that carried text, and those of them out of order. */
  textSegments = 0
  outOfOrderSegments = 0
}
