import type { Connection } from '../connection.js'
import { sample } from '../send/delivery-rate.js'
import { Mark, type SendRecord } from '../send/send-record.js'
import { armTransmit } from '../send/transmit-timers.js'
import { after } from '../sequence.js'
import type { Instant, Millis } from '../time.js'
import { Timer } from '../timers.js'
import { AckFlag, ack } from './ack-state.js'
import { markLost } from './marks.js'
import { CaState } from './recovery.js'

/** Bits of `Settings.rack` (Linux tcp_recovery). */
const RACK = 1
const STATIC_WINDOW = 2
const NO_DUPLICATE_THRESHOLD = 4
/** Recoveries a widened reordering window lasts (RFC 8985 6.2 step 4). */
export const WINDOW_PERSISTS = 16
const MOST_STEPS = 255

export const usesRack = (c: Connection): boolean => (c.env.settings.rack & RACK) !== 0 && c.snd.sackOk

const sentAfter = (at: Instant, seq: number, otherAt: Instant, otherSeq: number): boolean =>
  at > otherAt || (at === otherAt && after(seq, otherSeq))

/** A segment was delivered (RFC 8985 6.2 step 2): the one sent last tells how long deliveries take now. */
export function rackAdvance(c: Connection, marks: number, endSeq: number, sentAt: Instant, now: Instant): void {
  const { recovery } = c
  const rtt = now - sentAt
  // faster than the path is: it is the original that was delivered, not the retransmission
  if (rtt < c.rtt.minimum && marks & (Mark.Retransmitted | Mark.EverRetransmitted)) return
  recovery.rackAdvanced = true
  recovery.rackRtt = rtt
  if (sentAfter(sentAt, endSeq, recovery.rackSentAt, recovery.rackEnd)) {
    recovery.rackSentAt = sentAt
    recovery.rackEnd = endSeq
  }
}

/** How much later than the last one delivered a segment may arrive (RFC 8985 6.2 step 4), ms. */
function reorderingWindow(c: Connection): Millis {
  const { recovery, rtt } = c
  if (recovery.reorderingSeen === 0) {
    if (recovery.state >= CaState.Recovery) return 0
    if (recovery.sackedOut >= recovery.reordering && !(c.env.settings.rack & NO_DUPLICATE_THRESHOLD)) return 0
  }
  return Math.min((rtt.minimum / 4) * recovery.rackSteps, rtt.smoothed)
}

/** How long until a record counts as lost, ms; at most 0: it does. */
export function rackTimeLeft(c: Connection, record: SendRecord, window: Millis, now: Instant): Millis {
  return c.recovery.rackRtt + window - (now - record.sentAt)
}

/** Times that differ by less are the same: sums of doubles are not exact. ms. */
const SAME: Millis = 1e-6

/** Marks what was sent long enough before the segment delivered last (RFC 8985 6.2 step 5). Returns the time until more is due, ms; 0: no more. */
function detectLoss(c: Connection, now: Instant): Millis {
  const { recovery } = c
  const { queue } = c.snd
  const window = reorderingWindow(c)
  let wait = 0
  for (let record = queue.earliest; record !== null; ) {
    const { later } = record
    if ((record.marks & (Mark.Lost | Mark.Retransmitted)) !== Mark.Lost) {
      if (!sentAfter(recovery.rackSentAt, recovery.rackEnd, record.sentAt, record.endSeq)) break
      const left = rackTimeLeft(c, record, window, now)
      if (left <= SAME) {
        markLost(c, record)
        queue.unstamp(record)
      } else wait = Math.max(wait, left)
    }
    record = later
  }
  return wait
}

/** After an ACK: marks what is lost, and sets the timer for what may be. True: the timer is set. */
export function rackMarkLost(c: Connection, now: Instant): boolean {
  const { recovery } = c
  if (!recovery.rackAdvanced) return false
  recovery.rackAdvanced = false
  const wait = detectLoss(c, now)
  if (wait === 0) return false
  const timeout = Math.ceil(wait + c.env.settings.timerMargin)
  armTransmit(c, Timer.Reorder, now + Math.min(timeout, c.rtt.rto), now)
  return true
}

/** The reordering timer fired. True: something was found lost. */
export function rackTimeout(c: Connection, now: Instant): boolean {
  const prior = c.recovery.inFlight
  detectLoss(c, now)
  return c.recovery.inFlight !== prior
}

/** Duplicates reported after reordering was seen widen the window, once per round trip (RFC 8985 6.2 step 4). */
export function updateReorderingWindow(c: Connection): void {
  const { recovery } = c
  if (c.env.settings.rack & STATIC_WINDOW || sample.priorDelivered === 0) return
  if (sample.priorDelivered < recovery.rackLastDelivered) recovery.rackDsackSeen = false
  if (recovery.rackDsackSeen) {
    recovery.rackSteps = Math.min(MOST_STEPS, recovery.rackSteps + 1)
    recovery.rackDsackSeen = false
    recovery.rackLastDelivered = c.snd.delivered
    recovery.rackPersist = WINDOW_PERSISTS
  } else if (recovery.rackPersist === 0) recovery.rackSteps = 1
}

/** The loss found now took a retransmission with it. */
export function noteLostRetransmissions(c: Connection, prior: number): void {
  if (prior > c.recovery.retransOut) ack.flags |= AckFlag.RetransmissionLost
}
