import type { Connection } from '../connection.js'
import { retransmittedAgain } from '../error-report.js'
import { enterLoss } from '../recovery/enter.js'
import { CaState } from '../recovery/recovery.js'
import { retransmitRecord } from '../recovery/retransmit.js'
import { fail } from '../reset.js'
import { State } from '../states/state-name.js'
import { type Instant, type Millis, NEVER } from '../time.js'
import { Timeouts } from './send-state.js'
import { armRetransmit } from './transmit-timers.js'

/** Streams of fewer segments in flight are thin; they double their RTO only after so many retransmissions (Linux). */
const THIN_SEGMENTS = 4
const THIN_RETRIES = 6
/** Tries for a connection that no program holds and whose peer still answers, when the setting says 0 (Linux). */
const ORPHAN_RETRIES = 8
/** Longest exponent of the back-off that is counted. */
const MOST_BACKOFF = 30

/** The RTO passed without an ACK of the oldest record (RFC 6298 5.4-5.7). */
export function retransmitExpired(c: Connection, now: Instant): void {
  const { snd, recovery, env } = c
  const { head, unsent } = snd.queue
  if (recovery.packetsOut === 0 || head === null || head === unsent) return
  if (snd.wnd === 0 && !c.orphan) return closedWindowExpired(c, now)
  env.counters.count('TcpExtTCPTimeouts')
  if (retriesExhausted(c, now)) return giveUp(c, now)
  countTimeout(c)
  enterLoss(c, now)
  snd.timeouts ??= new Timeouts()
  const { timeouts } = snd
  if (recovery.state === CaState.Loss && timeouts.since === NEVER) {
    timeouts.since = now
    timeouts.recoveries++
  }
  timeouts.count++
  snd.retransmits++
  retransmittedAgain(c, snd.retransmits, now)
  retransmitRecord(c, snd.queue.head!, 1, now)
  backOff(c)
  armRetransmit(c, now + clampToUserTimeout(c, now), now)
}

/** The peer took its window back: retransmissions are probes of it, and do not end the connection (RFC 9293 3.8.6.1, MUST-35). */
function closedWindowExpired(c: Connection, now: Instant): void {
  const { snd } = c
  const since = snd.retransmitStamp === null ? snd.queue.head!.sentAt : snd.retransmitStamp
  if (silentTooLong(c, now - since, now)) return giveUp(c, now)
  enterLoss(c, now)
  retransmitRecord(c, snd.queue.head!, 1, now)
  backOff(c)
  armRetransmit(c, now + clampToUserTimeout(c, now), now)
}

/** R2, or the user time-out in its place, is exceeded: the connection is closed, and nobody is there to be told. */
export function giveUp(c: Connection, now: Instant): void {
  const event = c.options.userTimeout > 0 ? 'timeout: user' : 'timeout: retransmission'
  fail(c, c.softError ?? 'ETIMEDOUT', event, now)
}

/** A peer that does not even acknowledge probes any more is gone. */
function silentTooLong(c: Connection, trying: Millis, now: Instant): boolean {
  const { snd, env } = c
  let limit = env.settings.rtoMax * 2
  if (c.options.userTimeout > 0) {
    if (trying > c.options.userTimeout) return true
    limit = Math.min(limit, c.options.userTimeout)
  }
  return now - snd.lastAcked > limit && trying > limit
}

function countTimeout(c: Connection): void {
  if (c.snd.retransmits > 0) return
  const { recovery, env } = c
  const kind = c.snd.sackOk ? 'Sack' : 'Reno'
  if (recovery.state === CaState.Recovery) env.counters.count(`TcpExtTCP${kind}RecoveryFail`)
  else if (recovery.state === CaState.Loss) env.counters.count('TcpExtTCPLossFailures')
  else if (recovery.state === CaState.Disorder || recovery.sackedOut > 0) env.counters.count(`TcpExtTCP${kind}Failures`)
}

/** RFC 6298 5.5: the RTO doubles, up to its limit; for thin streams only after some tries, if the settings say so. */
function backOff(c: Connection): void {
  const { snd, rtt, recovery } = c
  const { thinLinearTimeouts, rtoMax } = c.env.settings
  const thin = recovery.packetsOut < THIN_SEGMENTS && recovery.state !== CaState.Open
  if (thinLinearTimeouts && thin && c.state === State.Established && snd.retransmits <= THIN_RETRIES) {
    snd.backoff = 0
    rtt.rto = rtt.withoutBackoff()
    return
  }
  if (snd.backoff < MOST_BACKOFF) snd.backoff++
  rtt.rto = Math.min(rtt.rto * 2, rtoMax)
}

/** R2 (RFC 9293 3.8.3, MUST-20 to MUST-23), the user time-out (RFC 9293 3.10.8, RFC 5482), fewer tries for orphans. */
function retriesExhausted(c: Connection, now: Instant): boolean {
  const { settings } = c.env
  let retries = settings.dataRetries
  if (c.orphan) {
    const alive = c.rtt.rto < settings.rtoMax
    retries = orphanRetries(c, alive)
  }
  return timedOut(c, retries, c.options.userTimeout, now)
}

/** Retransmissions for a connection that no program holds any more. */
export function orphanRetries(c: Connection, alive: boolean): number {
  let retries = c.env.settings.orphanRetries
  // an ICMP message said why nobody answers
  if (c.softError !== null && !alive) retries = 0
  return retries === 0 && alive ? ORPHAN_RETRIES : retries
}

/** So many retransmissions, or the time they take, or `userTimeout` ms if that is set, have passed since the first. */
function timedOut(c: Connection, retries: number, userTimeout: Millis, now: Instant): boolean {
  const { snd } = c
  const { settings } = c.env
  if (snd.retransmits === 0) return false
  const trying = snd.retransmitStamp === null ? 0 : now - snd.retransmitStamp
  if (userTimeout > 0) return trying >= userTimeout
  if (!settings.retriesAsTime) return snd.retransmits >= retries
  return trying >= timeOfRetries(retries, settings.rtoMin, settings.rtoMax)
}

/** Time that `retries` retransmissions take when the first RTO is `rto`, ms. */
export function timeOfRetries(retries: number, rto: Millis, rtoMax: Millis): Millis {
  const doublings = Math.floor(Math.log2(rtoMax / rto))
  if (retries <= doublings) return (2 ** (retries + 1) - 1) * rto
  return (2 ** (doublings + 1) - 1) * rto + (retries - doublings) * rtoMax
}

/** The RTO, or what is left of the user time-out if that is less, ms. */
function clampToUserTimeout(c: Connection, now: Instant): Millis {
  const { rto } = c.rtt
  const { retransmitStamp } = c.snd
  if (c.options.userTimeout === 0 || retransmitStamp === null) return rto
  return Math.max(1, Math.min(rto, retransmitStamp + c.options.userTimeout - now))
}
