import type { Connection } from './connection.js'
import { keepaliveExpired } from './keepalive.js'
import { synTimedOut } from './open/handshake.js'
import { delayedAckExpired } from './receive/acknowledge.js'
import { rackExpired } from './recovery/rack-timeout.js'
import { sendLossProbe } from './recovery/tail-loss-probe.js'
import { fail } from './reset.js'
import { paceExpired } from './send/output.js'
import { persistExpired } from './send/persist.js'
import { retransmitExpired } from './send/retransmit-timeout.js'
import { State } from './states/state-name.js'
import { type Instant, NEVER } from './time.js'
import { finWait2Expired } from './time-wait.js'
import { NO_TIMERS, TIMER_NAMES, Timer } from './timers.js'

/**
 * Sets a timer of a connection; an earlier setting of it is forgotten. The host hears of it, but not of timers that are
 * set later or stopped: it looks at `deadline` when the time it knows has come.
 */
export function arm(c: Connection, timer: Timer, at: Instant, now: Instant): void {
  if (c.timers[timer] === at) return
  if (at === NEVER) return disarm(c, timer, now)
  if (c.timers === NO_TIMERS) c.timers = NO_TIMERS.slice()
  c.timers[timer] = at
  c.timersSet |= 1 << timer
  if (c.env.observer !== null) c.env.observer.timerArmed(c, TIMER_NAMES[timer], at, now)
  c.env.schedule(c, at)
}

export function disarm(c: Connection, timer: Timer, _now: Instant): void {
  if (!armed(c, timer)) return
  c.timers[timer] = NEVER
  c.timersSet &= ~(1 << timer)
}

/** No timer is set: they take no room until one is. For connections that may be idle for long. */
export function dropUnset(c: Connection): void {
  if (c.timersSet === 0) c.timers = NO_TIMERS
}

/** All timers off: CLOSED. */
export function disarmAll(c: Connection, _now: Instant): void {
  c.timers = NO_TIMERS
  c.timersSet = 0
  c.env.unschedule(c)
}

/** Whether a timer is set. */
export function armed(c: Connection, timer: Timer): boolean {
  return (c.timersSet & (1 << timer)) !== 0
}

/** Fires every timer that is due (RFC 9293 3.10.8). */
export function deadlineReached(c: Connection, now: Instant): void {
  for (let timer = 0; timer < TIMER_NAMES.length; timer++) {
    if (c.timers[timer]! > now || c.state === State.Closed) continue
    c.timers[timer] = NEVER
    c.timersSet &= ~(1 << timer)
    if (c.env.observer !== null) c.env.observer.timerFired(c, TIMER_NAMES[timer]!, now)
    fire(c, timer as Timer, now)
  }
  // the host has taken the connection out of those that wait
  if (c.timersSet !== 0) c.env.schedule(c, earliestTimer(c))
}

function fire(c: Connection, timer: Timer, now: Instant): void {
  switch (timer) {
    case Timer.Retransmit:
      if (c.established) retransmitExpired(c, now)
      else synTimedOut(c, now)
      return
    case Timer.TailLossProbe:
      return sendLossProbe(c, now)
    case Timer.Reorder:
      return rackExpired(c, now)
    case Timer.Persist:
      return persistExpired(c, now)
    case Timer.DelayedAck:
      return delayedAckExpired(c, now)
    case Timer.Keepalive:
      return keepaliveExpired(c, now)
    case Timer.FinWait2:
      return finWait2Expired(c, now)
    case Timer.Hold:
      return paceExpired(c, now)
    case Timer.User:
      return userExpired(c, now)
  }
}

/** The handshake took longer than the program or the system allows (FreeBSD TCP_KEEPINIT). */
function userExpired(c: Connection, now: Instant): void {
  fail(c, c.softError ?? 'ETIMEDOUT', 'timeout: user', now)
}

/** When the first of a connection's timers is due; NEVER: none is set. */
export function earliestTimer({ timers, timersSet }: Connection): Instant {
  let first = NEVER
  for (let left = timersSet; left !== 0; left &= left - 1) {
    const at = timers[31 - Math.clz32(left & -left)]!
    if (at < first) first = at
  }
  return first
}
