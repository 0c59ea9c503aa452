import { congestionControl } from '../congestion/index.js'
import type { Connection } from '../connection.js'
import { armKeepalive } from '../keepalive.js'
import { updatePacingRate } from '../recovery/cwnd-control.js'
import { idleRecovery, isIdle, Recovery } from '../recovery/recovery.js'
import { retransmitOversized } from '../recovery/retransmit.js'
import type { Instant, Millis } from '../time.js'
import { dropUnset } from '../timeouts.js'
import { CwndUsage, IDLE_USAGE } from './cwnd-usage.js'
import { initialWindow } from './cwnd-validation.js'
import { DeliveryRate, IDLE_RATE } from './delivery-rate.js'
import { RttEstimator } from './rtt.js'
import { computeMss } from './segment-size.js'
import { expandSendBuffer, RECORD_OVERHEAD } from './send-buffer.js'
import { SendQueue } from './send-queue.js'

/** Makes the send half: ISS, queue, RTT estimator, recovery, congestion control. Before SYN or SYN-ACK. */
export function beginSending(c: Connection, iss: number, _now: Instant): void {
  const { snd, env } = c
  const { settings } = env
  snd.iss = iss
  snd.una = snd.nxt = snd.pushedSeq = snd.smallSeq = snd.up = iss
  snd.queue = new SendQueue(iss, settings.chargeOverhead ? RECORD_OVERHEAD : 0)
  snd.bufferFixed = c.options.sendBuffer > 0
  snd.buffer = snd.bufferFixed ? c.options.sendBuffer : settings.sendBuffer[1]
  c.rtt = new RttEstimator(settings)
  c.recovery = idleRecovery(settings.dupAckThreshold)
  computeMss(c)
  c.congestion = congestionControl(c.options.congestionControl || settings.congestionControl, initialWindow(c))
}

/** Something will be sent: makes what only connections need that send. */
export function startTransmitting(c: Connection): void {
  if (!isIdle(c.recovery)) return
  c.recovery = new Recovery(c.recovery.reordering)
  c.snd.rate = new DeliveryRate()
  c.snd.usage = new CwndUsage(c.snd.una, c.snd.lastSent)
  if (c.established) updatePacingRate(c)
}

/** An RTT seen outside the send queue: of the SYN-ACK that a SYN-queue entry sent, ms. */
export function seedRtt(c: Connection, rtt: Millis, now: Instant): void {
  c.rtt.sampleMinimum(rtt, now)
  c.rtt.sample(rtt, c.snd.una, c.snd.nxt)
  c.snd.delivered++
}

/** The handshake is complete: initial window, send buffer, keepalive. After ackArrives of the ACK that completed it. */
export function establishSending(c: Connection, now: Instant): void {
  const { snd, rtt, congestion } = c
  computeMss(c)
  if (!rtt.measured) rtt.withoutSample()
  // RFC 5681 3.1: one segment when SYN or SYN-ACK was lost
  congestion.cwnd = c.synsResent > 1 ? 1 : initialWindow(c)
  snd.lastSent = now
  snd.lastAcked = now
  snd.retransmits = 0
  snd.backoff = 0
  congestion.begin(c, now)
  if (snd.queue.empty) {
    // the SYN alone was sent: what was made for it is not needed until there is text
    c.recovery = idleRecovery(c.recovery.reordering)
    snd.rate = IDLE_RATE
    snd.usage = IDLE_USAGE
    dropUnset(c)
  } else {
    snd.usage.since = now
    updatePacingRate(c)
  }
  if (!snd.bufferFixed && c.env.settings.autotuneSendBuffer) expandSendBuffer(c)
  if (c.options.keepalive) armKeepalive(c, now)
}

/** The connection is CLOSED: what it held is let go. */
export function endSending(c: Connection): void {
  if (c.snd.queue === undefined) return
  c.snd.queue.clear()
  if (isIdle(c.recovery)) return
  c.recovery.packetsOut = c.recovery.sackedOut = c.recovery.lostOut = c.recovery.retransOut = 0
  c.recovery.retransmitFrom = c.recovery.sackHint = null
}

/**
 * Path MTU, peer's MSS, options or TCP_MAXSEG changed: computes SND.MSS anew. What is in flight and too large for it is
 * lost and goes again in smaller pieces (RFC 1191 6.4); that is no sign of congestion.
 */
export function mssChanged(c: Connection, now: Instant): void {
  const { snd } = c
  if (snd.queue === undefined) return
  const before = snd.mss
  computeMss(c)
  if (snd.mss < before && c.recovery.packetsOut > 0 && c.established) retransmitOversized(c, now)
}
