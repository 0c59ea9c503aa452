import type { Connection } from '../connection.js'
import { CaState } from '../recovery/recovery.js'
import type { Instant, Millis } from '../time.js'
import { arm, armed, disarm } from '../timeouts.js'
import { Timer } from '../timers.js'

/** The timers of which a connection runs one at a time (RFC 8985 8). */
type TransmitTimer = typeof Timer.Retransmit | typeof Timer.TailLossProbe | typeof Timer.Reorder | typeof Timer.Persist
const EXCLUSIVE = (1 << Timer.Retransmit) | (1 << Timer.TailLossProbe) | (1 << Timer.Reorder) | (1 << Timer.Persist)

/** Sets one of the transmit timers, and stops the others. */
export function armTransmit(c: Connection, timer: TransmitTimer, at: Instant, now: Instant): void {
  const others = c.timersSet & EXCLUSIVE & ~(1 << timer)
  if (others !== 0) disarmThese(c, others, now)
  arm(c, timer, at, now)
}

export function disarmTransmit(c: Connection, now: Instant): void {
  disarmThese(c, c.timersSet & EXCLUSIVE, now)
}

function disarmThese(c: Connection, timers: number, now: Instant): void {
  for (let left = timers; left !== 0; left &= left - 1) disarm(c, (31 - Math.clz32(left & -left)) as Timer, now)
}

export function transmitTimerArmed(c: Connection): boolean {
  return (c.timersSet & EXCLUSIVE) !== 0
}

/** How long until the oldest record is due by RTO, ms; may be negative. */
export function untilRto(c: Connection, now: Instant): Millis {
  const { head, unsent } = c.snd.queue
  const { rto } = c.rtt
  return head === null || head === unsent ? rto : head.sentAt + rto - now
}

/** Starts the retransmission timer anew, or stops it when nothing is in flight (RFC 6298 5.1-5.3). */
export function rearmRetransmit(c: Connection, now: Instant): void {
  if (c.fastOpen?.passive === true && !c.established) return
  if (c.recovery.packetsOut === 0) {
    if (armed(c, Timer.Retransmit)) disarm(c, Timer.Retransmit, now)
    if (armed(c, Timer.TailLossProbe)) disarm(c, Timer.TailLossProbe, now)
    if (armed(c, Timer.Reorder)) disarm(c, Timer.Reorder, now)
    return
  }
  let wait = c.rtt.rto
  // these ran in place of the RTO, from when the record was sent
  if (armed(c, Timer.Reorder) || armed(c, Timer.TailLossProbe)) wait = Math.max(untilRto(c, now), 1)
  armRetransmit(c, now + wait, now)
}

/** The timer for the oldest record; towards a closed window that is the probe timer (RFC 9293 3.8.6.1). */
export function armRetransmit(c: Connection, at: Instant, now: Instant): void {
  const probing = c.snd.wnd === 0 && c.env.settings.probeWithText && c.established
  armTransmit(c, probing ? Timer.Persist : Timer.Retransmit, at, now)
}

/** After text was sent or acknowledged: the tail loss probe if there is to be one, else the RTO (RFC 8985 7.2). */
export function setTransmitTimer(c: Connection, now: Instant): void {
  if (!scheduleProbe(c, true, now)) rearmRetransmit(c, now)
}

/**
 * A tail loss probe in two RTTs (RFC 8985 7.2), with SACK, outside of recovery. `fromNow`: the RTO counts from now, since
 * an ACK just restarted it; else from when the oldest record was sent.
 */
export function scheduleProbe(c: Connection, fromNow: boolean, now: Instant): boolean {
  const { settings } = c.env
  const { recovery, rtt } = c
  if (!settings.tailLossProbe || recovery.packetsOut === 0 || !c.snd.sackOk) return false
  if (recovery.state !== CaState.Open && recovery.state !== CaState.Cwr) return false
  if (c.fastOpen?.passive === true && !c.established) return false
  let wait = settings.initialRto
  if (rtt.measured) {
    // one segment alone may meet a delayed ACK
    wait = rtt.smoothed * 2 + (recovery.packetsOut === 1 ? settings.rtoMin : settings.timerMargin)
  }
  const rto = fromNow ? rtt.rto : untilRto(c, now)
  if (rto > 0) wait = Math.min(wait, rto)
  armTransmit(c, Timer.TailLossProbe, now + Math.ceil(wait), now)
  return true
}
