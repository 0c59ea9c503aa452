import type { Segment } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { AckFlag, ack } from '../recovery/ack-state.js'
import { controlCongestion } from '../recovery/cwnd-control.js'
import { rackAdvance, updateReorderingWindow, usesRack } from '../recovery/rack.js'
import { CaState } from '../recovery/recovery.js'
import { after, before, seqDiff } from '../sequence.js'
import type { Instant } from '../time.js'
import { Limit, limitEnds } from './chronograph.js'
import { beginSample, makeSample, noteDelivered, sample } from './delivery-rate.js'
import type { SendRecord } from './send-record.js'
import { setTransmitTimer } from './transmit-timers.js'
import { windowChanges } from './window-update.js'

/**
 * The fifth check (RFC 9293 3.10.7.4) for an ACK as nearly all are: it acknowledges text that was sent once, nothing was
 * lost, SACKed or marked, and nobody waits for it but the congestion window. What `ackArrives` would do with it is done
 * here with few instructions; test/plain-paths.test.ts holds the two against each other. False: it is another one, and
 * nothing was done.
 */
export function plainAckArrives(c: Connection, seg: Segment, now: Instant): boolean {
  const { snd } = c
  const priorUna = snd.una
  if (!after(seg.ack, priorUna) || after(seg.ack, snd.nxt) || !isPlain(c, seg) || !onlyText(c, seg.ack)) return false
  const { recovery, rtt } = c
  const { queue, delivered: deliveredBefore } = snd
  snd.retransmits = 0
  ack.flags = AckFlag.Advanced | AckFlag.TextAcked
  beginSample()
  sample.priorInFlight = recovery.packetsOut

  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
  const window = seg.window << snd.wscale
  if (window !== snd.wnd) windowChanges(c, window, now)
  const octets = seqDiff(seg.ack, priorUna)
  snd.octetsAcked += octets
  snd.una = seg.ack
  c.softError = null
  snd.probesOut = 0
  snd.probesStamp = null
  snd.lastAcked = now

  let record = queue.head!
  const firstAt = record.sentAt
  let lastAt: Instant
  let whole: boolean
  for (;;) {
    const { endSeq, segments, next } = record
    lastAt = record.sentAt
    whole = !after(endSeq, seg.ack)
    if (!whole) {
      queue.trimHead(record, seqDiff(seg.ack, record.seq))
      record.cut(record.mss)
    }
    const delivered = whole ? segments : segments - record.segments
    snd.delivered += delivered
    recovery.packetsOut -= delivered
    rackAdvance(c, 0, endSeq, lastAt, now)
    noteDelivered(c, record)
    if (!whole) break
    if (record === recovery.retransmitFrom) recovery.retransmitFrom = null
    if (record === recovery.sackHint) recovery.sackHint = null
    queue.remove(record)
    if (endSeq === seg.ack) break
    record = next!
  }
  queue.release(seg.ack)
  if (recovery.packetsOut === 0) limitEnds(c, Limit.Busy, now)

  const acked = snd.delivered - deliveredBefore
  const last = now - lastAt
  sample.rtt = last
  sample.acked = acked
  // a small segment alone: the peer may have waited with its ACK
  const maybeDelayed = acked === 1 && whole && octets < snd.mss && sample.priorDelivered + 1 === snd.delivered
  if (!maybeDelayed || last <= rtt.minimum) rtt.sampleMinimum(last, now)
  rtt.sample(now - firstAt, seg.ack, snd.nxt)
  snd.backoff = 0
  if (usesRack(c)) updateReorderingWindow(c)
  setTransmitTimer(c, now)
  makeSample(c, acked, 0, now)
  c.congestion.ackArrived(c, sample, now)
  controlCongestion(c, acked, 0, now)
  return true
}

/** Nothing is amiss with the connection, nothing rare is under way, and the segment says nothing rare. */
function isPlain(c: Connection, seg: Segment): boolean {
  const { snd, recovery } = c
  return (
    seg.sackCount === 0 &&
    snd.sackOk &&
    recovery.state === CaState.Open &&
    recovery.sackedOut === 0 &&
    recovery.lostOut === 0 &&
    recovery.retransOut === 0 &&
    !recovery.probing &&
    c.ecn === null &&
    snd.wnd > 0 &&
    !snd.urgent &&
    !snd.finSent &&
    !snd.tellsAcks
  )
}

/** What an ACK of all before `to` acknowledges is text that was sent once, whole segments of it. */
function onlyText(c: Connection, to: number): boolean {
  const { head, unsent } = c.snd.queue
  let record: SendRecord | null = head
  while (record !== null && record !== unsent && record.marks === 0 && isText(record) && record.sentAt >= 0) {
    if (record.endSeq === to) return true
    if (before(to, record.endSeq)) {
      // at least a segment of it
      return record.segments > 1 && Math.ceil(seqDiff(record.endSeq, to) / record.mss) < record.segments
    }
    record = record.next
  }
  return false
}

/** Of less than a segment it is the ACK of a SYN or FIN that is looked for. */
const isText = ({ seq, endSeq, length }: SendRecord): boolean => seqDiff(endSeq, seq) === length
