import { FIN, SYN } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { currentSsthresh } from '../send/cwnd-validation.js'
import { burstSize, pacingHolds } from '../send/output.js'
import { currentMss } from '../send/segment-size.js'
import { Mark, type SendRecord } from '../send/send-record.js'
import { transmitRecord } from '../send/transmit.js'
import { armRetransmit } from '../send/transmit-timers.js'
import { after, before } from '../sequence.js'
import type { Instant } from '../time.js'
import { armed } from '../timeouts.js'
import { Timer } from '../timers.js'
import { setCaState } from './cwnd-control.js'
import { adjustCounts, markLost, splitSent } from './marks.js'
import { CaState } from './recovery.js'
import { limitRenoSacks } from './reordering.js'

/**
 * Sends a record again, at most `segments` of it. False: it is outside of the window. The peer may have taken window
 * back; the oldest octet is sent even so, since that is how a closed window is probed (RFC 9293 3.8.6.1, SHLD-15).
 */
export function resend(c: Connection, record: SendRecord, segments: number, now: Instant): boolean {
  const { snd } = c
  const mss = currentMss(c, now)
  // part of it was acknowledged
  if (before(record.seq, snd.una)) snd.queue.trimHead(record, (snd.una - record.seq) | 0)
  let window = (snd.una + snd.wnd - record.seq) | 0
  if (window <= 0) {
    if (record.seq !== snd.una) return false
    window = mss
  }
  let most = mss * segments
  if (most > window) most = Math.floor(window / mss) * mss || window
  const { length } = record
  if (length > most) splitSent(c, record, most, mss)
  else {
    const segmentsBefore = record.segments
    record.cut(mss)
    adjustCounts(c, record, segmentsBefore - record.segments)
    if (length < Math.min(window, mss)) joinSmall(c, record, Math.min(window, mss))
  }
  snd.segmentsRetransmitted += record.segments
  snd.octetsRetransmitted += record.length
  record.marks |= Mark.EverRetransmitted
  transmitRecord(c, record, true, now)
  return true
}

/** Sends a record again as loss recovery does: it counts as in flight once more. */
export function retransmitRecord(c: Connection, record: SendRecord, segments: number, now: Instant): boolean {
  const { recovery, snd } = c
  const sent = resend(c, record, segments, now)
  if (sent) {
    record.marks |= Mark.Retransmitted | Mark.EverRetransmitted
    recovery.retransOut += record.segments
    if (snd.retransmitStamp === null) snd.retransmitStamp = now
  }
  recovery.undoRetrans = Math.max(recovery.undoRetrans, 0) + record.segments
  return sent
}

/** Small segments behind one that is sent again go with it, as many as fill it (RFC 9293 3.8.1: repacketization). */
function joinSmall(c: Connection, record: SendRecord, room: number): void {
  if (!c.env.settings.collapseRetransmissions || record.flags & (SYN | FIN)) return
  const { queue, una, wnd } = c.snd
  let space = room - record.length
  for (let next = record.next; next !== null && next !== queue.unsent; next = record.next) {
    if (record.endOfRecord || next.segments > 1 || next.marks & Mark.Sacked || next.flags & SYN) return
    const { length } = next
    space -= length
    if (space < 0 || after(next.endSeq, (una + wnd) | 0)) return
    join(c, record, next)
    if (record.flags & FIN) return
  }
}

function join(c: Connection, record: SendRecord, next: SendRecord): void {
  const { recovery, snd } = c
  record.marks |= next.marks & Mark.EverRetransmitted
  adjustCounts(c, next, next.segments)
  if (recovery.retransmitFrom === next) recovery.retransmitFrom = record
  if (recovery.sackHint === next) recovery.sackHint = null
  const { segments, mss } = record
  snd.queue.grow(record, next.length)
  record.segments = segments
  record.mss = mss
}

/** Sends what is marked lost again, as far as cwnd goes (RFC 6675 5 (C), NextSeg rule 1). */
export function retransmitLost(c: Connection, now: Instant): void {
  const { recovery, congestion, env } = c
  const { queue } = c.snd
  if (recovery.packetsOut === 0) return
  const first = queue.head
  const most = burstSize(c, currentMss(c, now))
  let rearm = false
  let hole: SendRecord | null = null
  for (
    let record: SendRecord | null = recovery.retransmitFrom ?? first;
    record !== null && record !== queue.unsent;
    record = record.next
  ) {
    if (env.settings.pacing && pacingHolds(c, now)) break
    if (hole === null) recovery.retransmitFrom = record
    const room = congestion.cwnd - recovery.inFlight
    if (room <= 0 || recovery.retransOut >= recovery.lostOut) break
    const { marks } = record
    if (!(marks & Mark.Lost)) {
      if (hole === null && !(marks & (Mark.Retransmitted | Mark.Sacked))) hole = record
      continue
    }
    if (marks & (Mark.Sacked | Mark.Retransmitted)) continue
    if (!retransmitRecord(c, record, Math.min(room, most), now)) break
    const slowStart = recovery.state === CaState.Loss
    env.counters.count(slowStart ? 'TcpExtTCPSlowStartRetrans' : 'TcpExtTCPFastRetrans', record.segments)
    if (recovery.reducing) recovery.prrOut += record.segments
    if (record === first && !armed(c, Timer.Reorder)) rearm = true
  }
  if (rearm) armRetransmit(c, now + c.rtt.rto, now)
}

/** What was sent with the SYN was not taken (RFC 7413 4.2.1): it goes again, and nothing is congested. True: it did. */
export function retransmitOldest(c: Connection, now: Instant): boolean {
  const { queue } = c.snd
  for (let record = queue.head; record !== null && record !== queue.unsent; record = record.next) lostOnce(c, record)
  return resendWithoutCongestion(c, now)
}

/** What is in flight and larger than SND.MSS was dropped on the way for its size: it goes again, and nothing is congested. */
export function retransmitOversized(c: Connection, now: Instant): void {
  const { queue } = c.snd
  const mss = currentMss(c, now)
  for (let record = queue.head; record !== null && record !== queue.unsent; record = record.next) {
    if (Math.min(record.length, record.mss) > mss) lostOnce(c, record)
  }
  resendWithoutCongestion(c, now)
}

/** A record did not get through, nor did what was sent of it again. */
function lostOnce(c: Connection, record: SendRecord): void {
  if (record.marks & Mark.Retransmitted) {
    record.marks &= ~Mark.Retransmitted
    c.recovery.retransOut -= record.segments
  }
  markLost(c, record)
}

/** Recovery of what was lost for another reason than congestion: cwnd stays. */
function resendWithoutCongestion(c: Connection, now: Instant): boolean {
  const { recovery, snd, congestion } = c
  recovery.retransmitFrom = null
  if (recovery.lostOut === 0) return false
  if (!snd.sackOk) limitRenoSacks(c)
  if (recovery.state !== CaState.Loss) {
    recovery.highSeq = snd.nxt
    congestion.ssthresh = currentSsthresh(c)
    recovery.priorSsthresh = 0
    recovery.undoing = false
    setCaState(c, CaState.Loss, now)
  }
  const sent = snd.segmentsSent
  retransmitLost(c, now)
  return snd.segmentsSent !== sent
}
