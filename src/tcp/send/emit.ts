import { ACK, FIN, type Segment, SYN, type TextSource, URG } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { markEcn } from '../options/ecn.js'
import { writeOptions } from '../options/options.js'
import { ackSent, textSent } from '../receive/acknowledge.js'
import { windowToOffer } from '../receive/receive-window.js'
import { before, seqAdd } from '../sequence.js'
import type { Instant } from '../time.js'

/** Segments with text at the beginning that are not paced (Linux). */
const UNPACED = 10

/** Starts a segment of a connection: addresses, ports and what the program asked of the IP header. */
export function address(c: Connection, out: Segment): void {
  out.reset()
  out.source = c.local
  out.destination = c.remote
  out.sourcePort = c.localPort
  out.destinationPort = c.remotePort
  out.ttl = c.options.ttl < 0 ? c.env.settings.ttl : c.options.ttl
  out.dscp = c.options.dscp
  out.flowLabel = c.options.flowLabel
  out.dontFragment = c.options.pathMtuDiscovery
  out.ipOptions = c.ipOptions
}

/**
 * Sends one segment (or super-segment) of a connection: `flags` as given, text [seq, seq + textLength) of the send
 * queue, ACK, window and options as they are now. `gsoSize` > 0: a super-segment of pieces of that many octets.
 */
export function emit(
  c: Connection,
  flags: number,
  seq: number,
  textLength: number,
  retransmission: boolean,
  now: Instant,
  gsoSize = 0,
  text: TextSource = c.snd.queue,
): void {
  const { env, snd } = c
  const { out } = env
  address(c, out)
  out.seq = seq
  out.flags = flags
  if (flags & ACK) out.ack = c.rcv.nxt
  if (textLength > 0) {
    out.text = text
    out.textLength = textLength
    out.gsoSize = gsoSize
  }
  if (snd.urgent) markUrgent(c, out)
  out.window = windowToOffer(c, now)
  writeOptions(c, out, now)
  if (c.ecn !== null) markEcn(c, out, textLength > 0, retransmission)
  snd.lastEmitted = now
  const segments = gsoSize > 0 ? Math.ceil(textLength / gsoSize) : 1
  snd.segmentsSent += segments
  if (textLength > 0) {
    snd.textSegmentsSent += segments
    snd.octetsSent += textLength
    if (c.recovery.inFlight === 0) c.congestion.sendingStarts(c, now)
    snd.lastSent = now
    if (env.settings.pacing) pace(c, textLength, now)
  }
  env.transmit(c, out, retransmission, now)
  if (flags & ACK) ackSent(c, now)
  if (textLength > 0) textSent(c, now)
}

/** The first window is not paced: its rate is not known. Time lost since the last segment is made up for by half. */
function pace(c: Connection, octets: number, now: Instant): void {
  const { rate } = c.snd
  if (rate.pacingRate === Number.POSITIVE_INFINITY || c.snd.textSegmentsSent < UNPACED) return
  const length = (octets * 1000) / rate.pacingRate
  const late = Math.max(0, now - Math.max(rate.paceUntil, 0))
  rate.paceUntil = now + length - Math.min(length / 2, late)
}

/** A bare ACK (acknowledge.ts decides when). SEQ is SND.NXT, or the right edge of a window that shrank. */
export function emitAck(c: Connection, now: Instant): void {
  const { snd } = c
  // BSD's output repeats a FIN that is not acknowledged in every ACK
  const again = c.env.settings.resendFinWhenClosing && snd.finSent && !c.finAcknowledged
  if (again) emit(c, FIN | ACK, snd.finSeq, 0, true, now)
  else emit(c, ACK, acceptableSeq(c), 0, false, now)
}

/** SND.NXT; a peer that took window back would not accept it, but takes the edge of what it left. */
export function acceptableSeq(c: Connection): number {
  const { snd } = c
  const edge = seqAdd(snd.una, snd.wnd)
  if (!before(edge, snd.nxt)) return snd.nxt
  // an octet that probed a closed window is beyond it, and so would be an ACK from behind that octet
  if (snd.wnd === 0 && c.env.settings.probeWithText) return edge
  // the peer could not say more exactly what it left
  if (snd.wscaleOk && ((snd.nxt - edge) | 0) < 1 << c.rcv.wscale) return snd.nxt
  return edge
}

/** Whether a segment with text from `seq` on must say that urgent text is ahead (MUST-30 to MUST-32, RFC 6093). */
function markUrgent(c: Connection, out: Segment): void {
  const { up } = c.snd
  if (out.flags & SYN || !before(out.seq, up)) return
  out.flags |= URG
  out.urgentPointer = Math.min((up - out.seq) >>> 0, 0xffff)
}
