import { DropReason, ECE, FIN, type Segment, SYN } from '../../wire/index.js'
import { type Connection, Ready } from '../connection.js'
import { ecnAckArrives } from '../options/ecn.js'
import { timestampAt } from '../options/timestamps.js'
import { ACKED, AckFlag, ALERT, ack, NOT_DUPLICATE, Resend } from '../recovery/ack-state.js'
import { controlCongestion } from '../recovery/cwnd-control.js'
import { highestSacked } from '../recovery/marks.js'
import { rackAdvance, updateReorderingWindow, usesRack } from '../recovery/rack.js'
import { recover } from '../recovery/recover.js'
import { CaState, isIdle } from '../recovery/recovery.js'
import { removeRenoSacks, sackReordering } from '../recovery/reordering.js'
import { retransmitLost } from '../recovery/retransmit.js'
import { tagSacks } from '../recovery/scoreboard.js'
import { probeAnswered } from '../recovery/tail-loss-probe.js'
import { challengeAck, drop } from '../reset.js'
import { after, atOrAfter, atOrBefore, before, seqAdd } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant, Millis } from '../time.js'
import { armed, disarm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { Limit, limitEnds } from './chronograph.js'
import { beginSample, countDelivered, makeSample, noteDelivered, sample } from './delivery-rate.js'
import { Nagle, push } from './output.js'
import { probeIsOut, probeWait, takeProbeBack } from './persist.js'
import { plainAckArrives } from './plain-ack.js'
import { currentMss } from './segment-size.js'
import { Mark, type SendRecord } from './send-record.js'
import { armTransmit, setTransmitTimer } from './transmit-timers.js'
import { windowChanges } from './window-update.js'

/** Most octets below SND.UNA that an ACK may lie (RFC 5961 5.2): MAX.SND.WND, or all there was if that is less. */
const staleBy = (c: Connection): number => Math.min(c.snd.maxWnd, c.snd.octetsAcked)

/**
 * Fifth check: the ACK field (RFC 9293 3.10.7.4), in any state with something sent, SYN-SENT included. Window update,
 * what is acknowledged leaves the queue, RTT, loss recovery, congestion window. False: the segment is dropped.
 */
export function ackArrives(c: Connection, seg: Segment, now: Instant): boolean {
  c.snd.segmentsReceived += segmentsIn(seg)
  if (nothingInFlight(c, seg)) return windowOnly(c, seg, now)
  if (plainAckArrives(c, seg, now)) return true
  const { snd, recovery } = c
  const priorUna = snd.una
  ack.flags = 0
  ack.priorUna = priorUna
  ack.firstSackedAt = -1
  ack.lastSackedAt = -1
  ack.reorderedSeq = snd.nxt
  ack.sacked = 0
  ack.octets = 0
  ack.resend = Resend.Nothing
  ack.hasEcho = snd.tsOk && seg.hasTimestamps
  ack.echo = seg.tsEcr
  beginSample()
  if (before(seg.ack, priorUna)) return oldAckArrives(c, seg, now)
  if (after(seg.ack, snd.nxt)) return unsentAckArrives(c, seg, now)
  let priorPackets = recovery.packetsOut
  const closed = snd.wnd === 0
  const deliveredBefore = snd.delivered
  const lostBefore = snd.lostSegments
  const priorHigh = snd.sackOk ? highestSacked(c) : priorUna
  sample.priorInFlight = recovery.inFlight
  if (after(seg.ack, priorUna)) {
    ack.flags |= AckFlag.Advanced
    snd.retransmits = 0
  }
  if (seg.textLength > 0 || seg.flags & (SYN | FIN)) ack.flags |= AckFlag.Text
  updateWindow(c, seg, now)
  advanceUna(c, seg.ack, now)
  if (closed && snd.wnd > 0 && probeIsOut(c)) {
    takeProbeBack(c)
    priorPackets = 0
  }
  if (seg.sackCount > 0 && snd.sackOk && !isIdle(recovery)) {
    tagSacks(c, seg, now)
    if (ack.sacked > 0) countDelivered(c, ack.sacked, false)
  }
  c.softError = null
  snd.probesOut = 0
  snd.probesStamp = null
  snd.lastAcked = now
  if (priorPackets === 0) {
    noteMarks(c, seg, snd.delivered - deliveredBefore)
    if (ack.flags & AckFlag.Duplicate) recover(c, 0, now)
    windowMayHaveOpened(c, now)
    if (recovery.probing) probeAnswered(c, seg.ack, now)
    return true
  }
  cleanQueue(c, priorHigh, priorUna, now)
  noteMarks(c, seg, snd.delivered - deliveredBefore)
  if (usesRack(c)) updateReorderingWindow(c)
  if (recovery.probing) probeAnswered(c, seg.ack, now)
  const { flags } = ack
  if (!(flags & NOT_DUPLICATE) || flags & ALERT || recovery.state !== CaState.Open) {
    recover(c, isDuplicate(c) ? 1 : 0, now)
  }
  if (ack.flags & AckFlag.SetTimer) setTransmitTimer(c, now)
  const delivered = snd.delivered - deliveredBefore
  const lost = snd.lostSegments - lostBefore
  makeSample(c, delivered, lost, now)
  c.congestion.ackArrived(c, sample, now)
  controlCongestion(c, delivered, lost, now)
  if (ack.resend !== Resend.Nothing) resendWhatIsLost(c, now)
  return true
}

/** What most segments of a transfer are to its receiver: the ACK field says nothing new, and nothing waits for it. */
function nothingInFlight(c: Connection, seg: Segment): boolean {
  const { snd, recovery } = c
  return (
    seg.ack === snd.una &&
    recovery.packetsOut === 0 &&
    snd.queue.unsent === null &&
    seg.sackCount === 0 &&
    c.ecn === null &&
    !recovery.probing &&
    !snd.tellsAcks
  )
}

/** What is left of the fifth check then. */
function windowOnly(c: Connection, seg: Segment, now: Instant): boolean {
  const { snd } = c
  updateWindow(c, seg, now)
  c.softError = null
  snd.probesOut = 0
  snd.probesStamp = null
  snd.lastAcked = now
  return true
}

const segmentsIn = (seg: Segment): number =>
  seg.gsoSize > 0 ? Math.max(1, Math.ceil(seg.textLength / seg.gsoSize)) : 1

/**
 * "An acknowledgment is considered a duplicate when ..." (RFC 5681 2): it acknowledges nothing, carries nothing, and the
 * window is as it was. Answers to zero-window probes are not.
 */
function isDuplicate(c: Connection): boolean {
  return !(ack.flags & (AckFlag.Advanced | NOT_DUPLICATE | AckFlag.Duplicate)) && c.snd.wnd > 0
}

/** SEG.ACK < SND.UNA: a duplicate to be ignored, but what it SACKs is news (RFC 5961 5.2 for those too old). */
function oldAckArrives(c: Connection, seg: Segment, now: Instant): boolean {
  const { snd, env } = c
  if (before(seg.ack, seqAdd(snd.una, -staleBy(c)))) {
    if (!env.settings.insecureAck) {
      challengeAck(c, seg, now)
      drop(env, c, seg, DropReason.AckTooOld, now)
      return false
    }
  }
  if (seg.sackCount > 0 && snd.sackOk && !isIdle(c.recovery)) {
    tagSacks(c, seg, now)
    if (ack.sacked > 0) countDelivered(c, ack.sacked, false)
    recover(c, 0, now)
    if (ack.resend !== Resend.Nothing) resendWhatIsLost(c, now)
  }
  return true
}

/** SEG.ACK > SND.NXT: "send an ACK, drop the segment, and return". */
function unsentAckArrives(c: Connection, seg: Segment, now: Instant): boolean {
  challengeAck(c, seg, now)
  drop(c.env, c, seg, DropReason.AckOfUnsent, now)
  return false
}

/** The send window (RFC 9293 3.10.7.4, RFC 7323 2.2), if the segment is newer than the one that set it last. */
function updateWindow(c: Connection, seg: Segment, now: Instant): void {
  const { snd } = c
  const window = seg.flags & SYN ? seg.window : seg.window << snd.wscale
  if (!windowIsNewer(c, seg, window)) return
  ack.flags |= AckFlag.WindowUpdate
  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
  if (window !== snd.wnd) windowChanges(c, window, now)
}

function windowIsNewer(c: Connection, seg: Segment, window: number): boolean {
  const { snd } = c
  if (after(seg.ack, snd.una) || after(seg.seq, snd.wl1)) return true
  if (seg.seq !== snd.wl1) return false
  if (window === snd.wnd) return false
  // same sequence and ACK numbers: which of two came last is not to be told
  return window > snd.wnd || window === 0 || (c.env.settings.lowerWindowAtSameAck && seg.ack === snd.una)
}

function advanceUna(c: Connection, to: number, now: Instant): void {
  const { snd } = c
  const octets = (to - snd.una) | 0
  snd.octetsAcked += octets
  snd.una = to
  if (snd.urgent && atOrBefore(snd.up, to)) snd.urgent = false
  if (snd.finSent && !c.finAcknowledged && after(to, snd.finSeq)) c.finAcknowledged = true
  if (snd.tellsAcks) c.user?.notify(c, Ready.Acknowledged, now)
}

/** ECN-Echo of the old kind, or marks counted (RFC 9768). */
function noteMarks(c: Connection, seg: Segment, delivered: number): void {
  if (c.ecn === null) return
  const { snd } = c
  const progress = (ack.flags & (ACKED | AckFlag.TextSacked)) !== 0
  const marked = ecnAckArrives(c, seg, delivered, ack.octets, progress)
  if (c.ecn.accurate) {
    snd.deliveredCe += marked
    if (marked > 0) ack.flags |= AckFlag.EcnEcho
  } else if ((seg.flags & (ECE | SYN)) === ECE) {
    snd.deliveredCe += delivered
    ack.flags |= AckFlag.EcnEcho
  }
}

/** Takes what is acknowledged off the queue (RFC 9293 3.10.7.4), measures the RTT, and counts what was delivered. */
function cleanQueue(c: Connection, priorHigh: number, priorUna: number, now: Instant): void {
  const { snd, recovery } = c
  const { queue, una } = snd
  const priorSacked = recovery.sackedOut
  let acked = 0
  let firstAt: Instant = -1
  let lastAt: Instant = -1
  let overtaken = snd.nxt
  let whole = true
  let record: SendRecord | null = queue.head
  while (record !== null && record !== queue.unsent) {
    const { seq, endSeq, marks } = record
    let segments: number
    if (after(endSeq, una)) {
      if (record.segments === 1 || !after(una, seq)) break
      segments = trim(c, record)
      if (segments === 0) break
      whole = false
    } else segments = record.segments
    const again = marks & (Mark.Retransmitted | Mark.EverRetransmitted) || (record.flags & SYN && c.synsResent > 0)
    if (again) {
      if (marks & Mark.Retransmitted) recovery.retransOut -= segments
      ack.flags |= AckFlag.RetransmittedAcked
    } else if (!(marks & Mark.Sacked)) {
      lastAt = record.sentAt
      if (firstAt < 0) firstAt = lastAt
      if (before(seq, overtaken)) overtaken = seq
      if (!after(endSeq, recovery.highSeq)) ack.flags |= AckFlag.OriginalDelivered
    }
    if (marks & Mark.Sacked) {
      recovery.sackedOut -= segments
      ack.octets -= whole ? record.length : 0
    } else if (snd.sackOk) {
      countDelivered(c, segments, false)
      if (!retransmissionWasSpurious(c, record)) rackAdvance(c, marks, endSeq, record.sentAt, now)
    }
    if (marks & Mark.Lost) recovery.lostOut -= segments
    recovery.packetsOut -= segments
    acked += segments
    noteDelivered(c, record)
    if (record.flags & SYN) {
      ack.flags |= AckFlag.SynAcked
      snd.retransmitStamp = null
    } else ack.flags |= AckFlag.TextAcked
    if (!whole) break
    const { next }: SendRecord = record
    if (record === recovery.retransmitFrom) recovery.retransmitFrom = null
    if (record === recovery.sackHint) recovery.sackHint = null
    queue.remove(record)
    record = next
  }
  if (acked > 0) queue.release(una)
  if (record === null || record === queue.unsent) limitEnds(c, Limit.Busy, now)
  else if (record.marks & Mark.Sacked) ack.flags |= AckFlag.Reneging
  ack.octets += (una - priorUna) | 0

  let rtt: Millis = -1
  let lastRtt: Millis = -1
  if (firstAt >= 0 && !(ack.flags & AckFlag.RetransmittedAcked)) {
    rtt = now - firstAt
    lastRtt = now - lastAt
    if (
      acked === 1 &&
      whole &&
      priorSacked === 0 &&
      ((una - priorUna) | 0) < snd.mss &&
      sample.priorDelivered + 1 === snd.delivered &&
      !(ack.flags & (ALERT | AckFlag.SynAcked))
    ) {
      // a small segment alone: the peer may have waited with its ACK
      ack.flags |= AckFlag.MaybeDelayed
    }
  }
  let sackRtt: Millis = -1
  if (ack.firstSackedAt >= 0) {
    sackRtt = now - ack.firstSackedAt
    lastRtt = now - ack.lastSackedAt
  }
  const measured = measureRtt(c, rtt, sackRtt, lastRtt, now)

  if (ack.flags & ACKED) {
    ack.flags |= AckFlag.SetTimer
    if (!snd.sackOk) {
      removeRenoSacks(c, acked, false)
      // without SACK it is not known which of them were delivered before they were sent again
      if (ack.flags & AckFlag.RetransmittedAcked) ack.flags &= ~AckFlag.OriginalDelivered
    } else if (before(overtaken, priorHigh)) sackReordering(c, overtaken, false)
  } else if (measured && sackRtt >= 0 && record !== null && record !== queue.unsent && sackRtt > now - record.sentAt) {
    // something sent after the oldest was last sent is delivered: the path works, the RTO starts anew
    ack.flags |= AckFlag.SetTimer
  }
  sample.acked = acked
}

/** Takes whole segments off the front of a super-segment acknowledged in part; how many. */
function trim(c: Connection, record: SendRecord): number {
  const { queue, una } = c.snd
  const { segments } = record
  queue.trimHead(record, (una - record.seq) | 0)
  record.cut(record.mss)
  return segments - record.segments
}

/** What was sent again was delivered as it was sent first: the echoed timestamp is older (RFC 3522, RFC 8985 6.2 step 2). */
function retransmissionWasSpurious(c: Connection, record: SendRecord): boolean {
  if (!(record.marks & Mark.Retransmitted) || !ack.hasEcho || ack.echo === 0) return false
  return before(ack.echo, timestampAt(record.sentAt, c.tsOffset))
}

/**
 * RFC 6298 3 and 4: RTT from what was never sent again (Karn), else from SACKs, else from the echoed timestamp, and then
 * only if SND.UNA moved. True: there was a sample.
 */
function measureRtt(c: Connection, rtt: Millis, sackRtt: Millis, lastRtt: Millis, now: Instant): boolean {
  const { snd } = c
  let measured = rtt >= 0 ? rtt : sackRtt
  let last = lastRtt
  if (measured < 0 && ack.hasEcho && ack.echo !== 0 && ack.flags & ACKED) {
    // at least a tick of that clock
    const ticks = (Math.floor(now) + c.tsOffset - ack.echo) | 0
    if (ticks >= 0) measured = last = Math.max(ticks, 1)
  }
  sample.rtt = last
  if (measured < 0) return false
  if (!(ack.flags & AckFlag.MaybeDelayed && last > c.rtt.minimum)) c.rtt.sampleMinimum(last, now)
  c.rtt.sample(measured, snd.una, snd.nxt)
  snd.backoff = 0
  return true
}

/** Nothing was in flight: did a closed window open (RFC 9293 3.8.6.1)? */
function windowMayHaveOpened(c: Connection, now: Instant): void {
  const { snd } = c
  const { unsent } = snd.queue
  if (unsent === null || c.state === State.SynSent) return
  if (atOrAfter(seqAdd(snd.una, snd.wnd), unsent.endSeq)) {
    snd.backoff = 0
    if (armed(c, Timer.Persist)) disarm(c, Timer.Persist, now)
  } else armTransmit(c, Timer.Persist, now + probeWait(c, now), now)
}

/** The end of an ACK in recovery: new text for F-RTO, or what is lost. */
function resendWhatIsLost(c: Connection, now: Instant): void {
  if (c.state === State.SynSent) return
  if (ack.resend === Resend.New) {
    push(c, currentMss(c, now), Nagle.Off, now)
    if (after(c.snd.nxt, c.recovery.highSeq)) return
    c.recovery.frto = false
  }
  retransmitLost(c, now)
}
