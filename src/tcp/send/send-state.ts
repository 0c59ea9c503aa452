import { type Instant, type Millis, NEVER } from '../time.js'
import type { Chronograph } from './chronograph.js'
import { type CwndUsage, IDLE_USAGE } from './cwnd-usage.js'
import { type DeliveryRate, IDLE_RATE } from './delivery-rate.js'
import type { SendQueue } from './send-queue.js'

/** The send half of the TCB: SND.* of RFC 9293 3.3.1 and what sending needs beside. Owned by output.ts, ack-arrives.ts, recovery/. */
export class SendState {
  /** ISS: initial send sequence number. */
  iss = 0
  /** SND.UNA: oldest sequence number not acknowledged. */
  una = 0
  /** SND.NXT: next sequence number to send. */
  nxt = 0
  /** SND.WND: send window, octets, already scaled. */
  wnd = 0
  /** Largest window the peer ever offered (RFC 9293 3.8.6.2.1 Max(SND.WND)), octets. */
  maxWnd = 0
  /** SND.WL1 / SND.WL2: SEG.SEQ and SEG.ACK of the last window update. */
  wl1 = 0
  wl2 = 0
  /** SND.UP: the octet after the urgent one; valid while `urgent`. */
  up = 0
  urgent = false
  /** Shift of the windows the peer offers (Snd.Wind.Shift, RFC 7323 2.2). */
  wscale = 0
  /** Window scaling was agreed. */
  wscaleOk = false
  /** Largest segment the peer takes, octets of text and options together, as its MSS option or the default said (SendMSS). */
  peerMss = 536
  /** Octets of text in a full segment now: min(peerMss, path) less the options every segment carries (Eff.snd.MSS). */
  mss = 536
  /** Path MTU that `mss` was computed from, octets. */
  mtu = 0
  /** SACK was agreed. */
  sackOk = false
  /** Timestamps were agreed. */
  tsOk = false
  /** FIN was asked for by CLOSE or shutdown; it follows the last octet of the queue. */
  finQueued = false
  /** Sequence number of our FIN once queued (it is `finSeq`, ACK of it is finSeq + 1). */
  finSeq = 0
  /** FIN has been sent at least once. */
  finSent = false
  /** Text not acknowledged and not yet sent, and the record of what was sent. */
  queue!: SendQueue
  /** When the last segment with text left. */
  lastSent: Instant = -NEVER
  /** Consecutive retransmissions of the oldest octet without progress (Linux icsk_retransmits). */
  retransmits = 0
  /** Exponent of the RTO back-off. */
  backoff = 0
  /** When the first of those retransmissions left; null: none. */
  retransmitStamp: Instant | null = null
  /** Zero-window or keepalive probes sent and not answered. */
  probesOut = 0
  /** When the first of those probes left; null: none. */
  probesStamp: Instant | null = null
  /** When the peer last acknowledged anything (keepalive). */
  lastAcked: Instant = -NEVER

  // --- buffer (send-buffer.ts) ---
  /** Send buffer size, octets, and whether the program fixed it (SO_SNDBUF). */
  buffer = 0
  bufferFixed = false
  /** The program found no room and waits for Ready.Writable. */
  noSpace = false
  /** The program waits for what it sent to be acknowledged: Ready.Acknowledged for each ACK that moves SND.UNA. */
  tellsAcks = false

  // --- sending (output.ts) ---
  /** What Nagle and cork hold back now goes once (Linux TCP_NAGLE_PUSH). */
  pushOnce = false
  /** PSH was put on the record that ends here (Linux pushed_seq). */
  pushedSeq = 0
  /** End of the last segment that was not full (Minshall). */
  smallSeq = 0
  /** When anything was last sent. */
  lastEmitted: Instant = -NEVER

  usage: CwndUsage = IDLE_USAGE

  /** Segments delivered so far, those of them with CE marks, and those lost. */
  delivered = 0
  deliveredCe = 0
  lostSegments = 0
  rate: DeliveryRate = IDLE_RATE
  chronograph: Chronograph | null = null

  // --- counts (tcp_info, RFC 4898) ---
  octetsAcked = 0
  octetsSent = 0
  octetsRetransmitted = 0
  segmentsSent = 0
  segmentsReceived = 0
  textSegmentsSent = 0
  segmentsRetransmitted = 0
  /** null: the RTO never passed. */
  timeouts: Timeouts | null = null
}

/** RTO time-outs of a connection, recoveries begun by them, and the time spent in them. */
export class Timeouts {
  count = 0
  recoveries = 0
  /** When the current one began; NEVER: there is none. */
  since: Instant = NEVER
  /** In those that ended, ms. */
  total: Millis = 0
}
