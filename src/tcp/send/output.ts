import { FIN, PSH, SYN } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { retransmitLost } from '../recovery/retransmit.js'
import { after, seqAdd } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'
import { arm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { startTransmitting } from './begin-sending.js'
import { Limit, limitBegins, limitEnds } from './chronograph.js'
import { validateCwnd } from './cwnd-validation.js'
import { currentMss, largestRecord } from './segment-size.js'
import { checkSpace } from './send-buffer.js'
import type { SendRecord } from './send-record.js'
import { advanceNext, transmitRecord } from './transmit.js'
import { armTransmit, rearmRetransmit, scheduleProbe, transmitTimerArmed } from './transmit-timers.js'

export { retransmitOldest } from '../recovery/retransmit.js'
export { appendText, KEEP_CHUNK } from './append-text.js'
export { beginSending, endSending, establishSending, mssChanged, seedRtt } from './begin-sending.js'
export { setSendBuffer, writable } from './send-buffer.js'
export { recordSyn } from './transmit.js'

/** What may hold back a small segment, as bits: nothing does (NODELAY), the program corks, it pushed just now. */
export const Nagle = { Off: 1, Cork: 2, Push: 4 } as const

/** Bounds on how long a burst takes to send at the flow's rate: 1/1024 s (Linux sk_pacing_shift), more on short paths. */
const BURSTS_PER_SECOND = 1024
const SHORT_RTT = 512
/** Longest wait for more text to fill a super-segment, ms. */
const DEFER_MOST = 1

/** Why sending stopped before a window was used up. */
let cwndHolds = false
let windowHolds = false

/** Flags of `Nagle` that hold for a connection. */
export function nagleOf(c: Connection): number {
  return (c.options.noDelay ? Nagle.Off : 0) | (c.options.cork ? Nagle.Cork : 0) | (c.snd.pushOnce ? Nagle.Push : 0)
}

/** Text and FIN may leave in this state: the handshake is complete, or fast open lets the server answer before. */
function maySend(c: Connection): boolean {
  const { state } = c
  if (state >= State.Established && state <= State.LastAck) return c.established || c.fastOpen !== null
  return state === State.SynReceived && c.fastOpen?.passive === true
}

/** Sends what windows, Nagle and cork allow. True: something was sent. */
export function sendPending(c: Connection, now: Instant): boolean {
  const sent = c.snd.segmentsSent
  if (c.snd.queue.unsent !== null) push(c, currentMss(c, now), nagleOf(c), now)
  if (c.snd.noSpace) checkSpace(c, now)
  return c.snd.segmentsSent !== sent
}

/** NODELAY was set or cork taken off: what was held back goes. */
export function releaseHeld(c: Connection, now: Instant): void {
  const { snd } = c
  if (c.options.noDelay) snd.pushOnce = true
  if (snd.queue?.unsent != null) push(c, currentMss(c, now), nagleOf(c), now)
}

/** FIN behind the last octet; sent when its turn comes. */
export function queueFin(c: Connection, now: Instant): void {
  const { snd } = c
  const { queue } = snd
  if (snd.finQueued) return
  startTransmitting(c)
  snd.finQueued = true
  snd.finSeq = queue.writeSeq
  const { tail } = queue
  if (queue.unsent !== null && tail !== null && (tail.flags & SYN) === 0) queue.appendFin()
  else {
    if (queue.empty) limitBegins(c, Limit.Busy, now)
    queue.append(FIN)
  }
  push(c, currentMss(c, now), Nagle.Off, now)
}

/** Sends what may be sent; when that is nothing and nothing is in flight, a probe will find out why (RFC 9293 3.8.6.1). */
export function push(c: Connection, mss: number, nagle: number, now: Instant): void {
  if (!maySend(c)) return
  if (sendQueued(c, mss, nagle, Burst.All, now) && !transmitTimerArmed(c)) {
    armTransmit(c, Timer.Persist, now + Math.max(c.rtt.rto, c.env.settings.persistMin), now)
  }
}

/** How much `sendQueued` sends: all that may be, one record, or one record though the congestion window is full. */
export const Burst = { All: 0, One: 1, Probe: 2 } as const

/** The record that was just filled, if it is the next to go. */
export function pushOne(c: Connection, mss: number, now: Instant): void {
  if (maySend(c)) sendQueued(c, mss, Nagle.Push, Burst.One, now)
}

/**
 * Sends records while the windows are open (RFC 9293 3.8.6.2.1, RFC 5681, RFC 1122 4.2.3.4). True: nothing was sent,
 * nothing is in flight, and there is something to send.
 */
export function sendQueued(c: Connection, mss: number, nagle: number, burst: number, now: Instant): boolean {
  const { snd, recovery } = c
  const { queue } = snd
  const { settings } = c.env
  const most = burstSize(c, mss)
  let sent = 0
  let restart = false
  cwndHolds = false
  windowHolds = false
  for (let record = queue.unsent; record !== null; record = queue.unsent) {
    if (settings.pacing && pacingHolds(c, now)) break
    let quota = cwndQuota(c)
    if (quota === 0) {
      if (burst !== Burst.Probe && !isLoneFin(c, record)) break
      quota = 1
    }
    quota = Math.min(quota, most)
    if (settings.growSuperSegments) growFromNext(c, record, quota * mss)
    if (record.segments === 0 || record.mss !== mss) record.cut(mss)
    const window = seqAdd(snd.una, snd.wnd - record.seq) | 0
    const limit = windowLimit(c, record, mss, window)
    if (limit < 0) {
      windowHolds = true
      break
    }
    if (limit > 0) {
      // half the largest window ever offered is worth a segment (RFC 9293 3.8.6.2.1 (3))
      queue.split(record, limit, mss)
    } else if (record.segments === 1) {
      if (!nagleAllows(c, record, mss, record.next === null ? nagle : Nagle.Push)) break
    } else {
      if (burst === Burst.All && settings.deferSuperSegments && shouldDefer(c, record, window, most, now)) break
      const take = snd.urgent ? mss : splitPoint(c, record, mss, quota, nagle, window)
      if (record.length > take) queue.split(record, take, mss)
    }
    transmitRecord(c, record, false, now)
    if (advanceNext(c, record)) restart = true
    if (record.length < record.segments * mss) snd.smallSeq = record.endSeq
    sent += record.segments
    if (burst !== Burst.All) break
  }
  if (windowHolds) limitBegins(c, Limit.ReceiveWindow, now)
  else limitEnds(c, Limit.ReceiveWindow, now)
  const limited = cwndHolds || recovery.inFlight >= c.congestion.cwnd
  if (sent > 0 || limited) validateCwnd(c, limited, now)
  if (sent > 0) {
    if (recovery.reducing) recovery.prrOut += sent
    if ((burst === Burst.Probe || !scheduleProbe(c, false, now)) && restart) rearmRetransmit(c, now)
    return false
  }
  return recovery.packetsOut === 0 && queue.unsent !== null
}

/** Segments that the congestion window leaves room for; at most half of it at once, lest bursts become one. */
function cwndQuota(c: Connection): number {
  const { cwnd } = c.congestion
  const { recovery } = c
  const { settings } = c.env
  let inFlight = recovery.inFlight
  // without limited transmit (RFC 3042) a duplicate ACK lets nothing go until recovery begins
  if (!settings.limitedTransmit && recovery.state === 1) inFlight = recovery.packetsOut
  if (inFlight >= cwnd) return 0
  const room = cwnd - inFlight
  return settings.halfCwndBursts ? Math.min(Math.max(cwnd >> 1, 1), room) : room
}

/** Nothing is gained from holding back the last segment of all. */
function isLoneFin(c: Connection, record: SendRecord): boolean {
  return c.env.settings.finIgnoresCwnd && (record.flags & FIN) !== 0 && record.length <= c.snd.mss
}

/** The next segment is not due yet: it is sent when it is. */
export function pacingHolds(c: Connection, now: Instant): boolean {
  const { paceUntil } = c.snd.rate
  if (paceUntil <= now) return false
  arm(c, Timer.Hold, paceUntil, now)
  return true
}

/** Timer.Hold: what pacing held back is due. */
export function paceExpired(c: Connection, now: Instant): void {
  if (c.recovery.lostOut > c.recovery.retransOut) retransmitLost(c, now)
  sendPending(c, now)
}

/** Most segments in one record: what the flow sends in a millisecond (Linux tcp_tso_autosize). */
export function burstSize(c: Connection, mss: number): number {
  const { settings } = c.env
  const largest = largestRecord(c, mss)
  if (!settings.sizeByRate) return Math.max(1, Math.floor(largest / mss))
  let octets = c.snd.rate.pacingRate / BURSTS_PER_SECOND
  // on a short path there is little to be gained from small bursts
  const shift = c.rtt.minimumMicros / SHORT_RTT
  if (shift < 32) octets += largest >> shift
  return Math.max(Math.floor(Math.min(octets, largest) / mss), settings.minTsoSegments)
}

/** Takes text from the records behind, up to `octets` in all. */
function growFromNext(c: Connection, record: SendRecord, octets: number): void {
  const { queue } = c.snd
  let missing = octets - record.length
  while (missing > 0) {
    const { next } = record
    if (next === null || record.endOfRecord || record.flags & (FIN | SYN)) return
    const take = Math.min(missing, next.length)
    if (take === 0 && !(next.flags & FIN)) return
    queue.grow(record, take)
    if (take === 0) return
    missing -= take
    if (c.env.settings.superSegmentSize > 0) return
  }
}

/**
 * Whether the send window has room for the record's first segment: 0: it has; -1: no; else so many octets of it may go,
 * because they are half of the largest window or all there is room for.
 */
function windowLimit(c: Connection, record: SendRecord, mss: number, window: number): number {
  const { length } = record
  if (length > mss) {
    if (window >= mss) return 0
  } else if (((record.endSeq - record.seq) | 0) <= window) return 0
  if (c.env.settings.halfWindowSegments) return -1
  return window > 0 && window < length && window >= c.snd.maxWnd / 2 ? window : -1
}

function nagleAllows(c: Connection, record: SendRecord, mss: number, nagle: number): boolean {
  if (nagle & Nagle.Push || record.flags & FIN || c.snd.urgent) return true
  return !nagleHolds(c, record.length < mss, nagle)
}

/** RFC 9293 3.7.4 (SHLD-7): a small segment waits while others are unacknowledged; Minshall: while small ones are. */
function nagleHolds(c: Connection, partial: boolean, nagle: number): boolean {
  if (!partial) return false
  if (nagle & Nagle.Cork) return true
  if (nagle !== 0 || c.recovery.packetsOut === 0) return false
  const { snd } = c
  return !c.env.settings.minshallNagle || (after(snd.smallSeq, snd.una) && !after(snd.smallSeq, snd.nxt))
}

/** Octets of a record of several segments that go now: whole segments, and the rest when Nagle lets it go with them. */
function splitPoint(
  c: Connection,
  record: SendRecord,
  mss: number,
  quota: number,
  nagle: number,
  window: number,
): number {
  const most = mss * quota
  if (most <= window && record.next !== null) return most
  const needed = Math.min(record.length, window)
  if (most <= needed) return most
  const partial = needed % mss
  return nagleHolds(c, partial !== 0, nagle) ? needed - partial : needed
}

/** Linux tcp_tso_should_defer: a super-segment that the windows cut short waits, if the ACK that opens them is near. */
function shouldDefer(c: Connection, record: SendRecord, window: number, most: number, now: Instant): boolean {
  const { snd, recovery, congestion } = c
  if (recovery.state >= 3 || now - snd.lastEmitted > DEFER_MOST) return false
  const { queue, mss } = snd
  const congestionRoom = (congestion.cwnd - recovery.inFlight) * mss
  const room = Math.min(window, congestionRoom)
  if (room >= most * mss) return false
  const { length } = record
  if (record.next !== null && room >= length) return false
  const { tsoWinDivisor } = c.env.settings
  if (tsoWinDivisor > 0) {
    if (room >= Math.floor(Math.min(snd.wnd, congestion.cwnd * mss) / tsoWinDivisor)) return false
  } else if (room > 3 * mss) return false
  const { head } = queue
  if (head === null || head === queue.unsent) return false
  const ackIn = head.sentAt + c.rtt.smoothed - now
  if (ackIn > Math.min(c.rtt.smoothed / 2, DEFER_MOST)) return false
  if (congestionRoom < window) {
    if (congestionRoom <= length) {
      cwndHolds = true
      return true
    }
  } else if (window <= length) {
    windowHolds = true
    return true
  }
  return !(record.flags & FIN) && !record.endOfRecord
}

/** PSH on a record: the program wants it delivered. */
export function markPush(c: Connection, record: SendRecord): void {
  record.flags |= PSH
  c.snd.pushedSeq = c.snd.queue.writeSeq
}

/** So much was written since the last PSH that the peer, which may wait for one, must get it (half its window). */
export function pushIsDue(c: Connection): boolean {
  const { snd } = c
  return after(snd.queue.writeSeq, seqAdd(snd.pushedSeq, snd.maxWnd >> 1))
}
