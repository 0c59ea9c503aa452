import type { AckSample } from '../congestion/controller.js'
import type { Connection } from '../connection.js'
import { after } from '../sequence.js'
import type { Instant, Millis } from '../time.js'
import { Mark, type SendRecord } from './send-record.js'

/**
 * How fast a connection delivers (draft-cheng-iccrg-delivery-rate-estimation). Segments, ms. Made with the first text;
 * until then connections share one that nobody changes.
 */
export class DeliveryRate {
  deliveredAt: Instant = -0.5
  /** When the segment was sent that was delivered last. */
  firstSentAt: Instant = -0.5
  /** `delivered` up to which samples are limited by the program; 0: none. */
  appLimited = 0x7fffffff
  /** The sample reported. */
  sampleDelivered = 0
  sampleInterval: Millis = -0.5
  sampleAppLimited = false
  /** Octets per second at which Linux would pace; Infinity: not known yet. */
  pacingRate = Number.POSITIVE_INFINITY
  /** When the next segment is due, where they are spaced out by that rate. */
  paceUntil: Instant = Number.NEGATIVE_INFINITY
}

export const IDLE_RATE = new DeliveryRate()

/** Sample of the ACK being processed; there is one at a time. */
export const sample: AckSample & { priorAt: Instant; lastEnd: number; sendInterval: Millis; retransmitted: boolean } = {
  delivered: 0,
  lost: 0,
  deliveredCe: 0,
  acked: 0,
  rtt: -0.5,
  priorInFlight: 0,
  rateDelivered: 0,
  rateInterval: -0.5,
  appLimited: false,
  priorDelivered: 0,
  ecnEcho: false,
  priorAt: -0.5,
  lastEnd: 0,
  sendInterval: -0.5,
  retransmitted: false,
}

export function beginSample(): void {
  sample.delivered = 0
  sample.lost = 0
  sample.deliveredCe = 0
  sample.acked = 0
  sample.rtt = -1
  sample.rateInterval = -1
  sample.priorDelivered = 0
  sample.priorAt = -1
  sample.retransmitted = false
  sample.ecnEcho = false
}

/** A record is sent: notes what was delivered until now. */
export function noteSent(c: Connection, record: SendRecord, now: Instant): void {
  const { rate } = c.snd
  if (c.recovery.packetsOut === 0) {
    rate.firstSentAt = now
    rate.deliveredAt = now
  }
  record.firstSentAt = rate.firstSentAt
  record.deliveredAt = rate.deliveredAt
  record.delivered = c.snd.delivered
  record.deliveredCe = c.snd.deliveredCe
  record.appLimited = rate.appLimited !== 0
}

/** A record is delivered, by ACK or SACK: the one sent last makes the sample. */
export function noteDelivered(c: Connection, record: SendRecord): void {
  if (record.deliveredAt < 0) return
  const { rate } = c.snd
  const { sentAt } = record
  if (
    sample.priorDelivered === 0 ||
    sentAt > rate.firstSentAt ||
    (sentAt === rate.firstSentAt && after(record.endSeq, sample.lastEnd))
  ) {
    sample.priorDelivered = record.delivered
    sample.priorAt = record.deliveredAt
    sample.appLimited = record.appLimited
    sample.retransmitted = record.everRetransmitted
    sample.lastEnd = record.endSeq
    rate.firstSentAt = sentAt
    sample.sendInterval = sentAt - record.firstSentAt
  }
  // a SACKed record is not looked at again when it is acknowledged
  if (record.marks & Mark.Sacked) record.deliveredAt = -1
}

/** Segments were delivered. */
export function countDelivered(c: Connection, segments: number, marked: boolean): void {
  c.snd.delivered += segments
  if (marked) c.snd.deliveredCe += segments
}

/** The ACK is processed: makes its rate sample. */
export function makeSample(c: Connection, delivered: number, lost: number, now: Instant): void {
  const { rate } = c.snd
  if (rate.appLimited !== 0 && c.snd.delivered > rate.appLimited) rate.appLimited = 0
  if (delivered > 0) rate.deliveredAt = now
  sample.delivered = delivered
  sample.lost = lost
  if (sample.priorAt < 0 || c.recovery.reneged) {
    sample.rateInterval = -1
    return
  }
  sample.rateDelivered = c.snd.delivered - sample.priorDelivered
  // ACKs may be compressed and sends bunched: the longer of both is the time it took
  const interval = Math.max(sample.sendInterval, now - sample.priorAt)
  sample.rateInterval = interval
  if (interval < c.rtt.minimum) {
    sample.rateInterval = -1
    return
  }
  if (
    !sample.appLimited ||
    rate.sampleInterval < 0 ||
    sample.rateDelivered * rate.sampleInterval >= rate.sampleDelivered * interval
  ) {
    rate.sampleDelivered = sample.rateDelivered
    rate.sampleInterval = interval
    rate.sampleAppLimited = sample.appLimited
  }
}

/** The program has less than a segment to send and nothing else holds us: what follows is limited by it. */
export function checkAppLimited(c: Connection): void {
  const { snd, recovery } = c
  if (
    ((snd.queue.writeSeq - snd.nxt) | 0) < snd.mss &&
    recovery.inFlight < c.congestion.cwnd &&
    recovery.lostOut <= recovery.retransOut
  ) {
    snd.rate.appLimited = snd.delivered + recovery.inFlight || 1
  }
}
