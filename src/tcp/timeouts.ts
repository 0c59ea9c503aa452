import { delayedAckExpired } from './acknowledge.js'
import type { Connection } from './connection.js'
import { synTimedOut } from './handshake.js'
import { keepaliveExpired } from './keepalive.js'
import { paceExpired } from './output.js'
import { persistExpired } from './persist.js'
import { rackExpired } from './recovery/rack-timeout.js'
import { sendLossProbe } from './recovery/tail-loss-probe.js'
import { fail } from './reset.js'
import { retransmitExpired } from './retransmit-timeout.js'
import { State } from './state-name.js'
import { type Instant, NEVER } from './time.js'
import { finWait2Expired } from './time-wait.js'
import { TIMER_NAMES, Timer } from './timers.js'

/** Sets a timer of a connection; an earlier setting of it is forgotten. */
export function arm(c: Connection, timer: Timer, at: Instant, now: Instant): void {
  const { timers } = c
  const before = timers[timer]!
  if (before === at) return
  timers[timer] = at
  if (c.env.observer !== null) c.env.observer.timerArmed(c, TIMER_NAMES[timer], at, now)
  if (at < c.deadline) setDeadline(c, at)
  else if (before === c.deadline) setDeadline(c, earliest(timers))
}

export function disarm(c: Connection, timer: Timer, _now: Instant): void {
  const { timers } = c
  const before = timers[timer]!
  if (before === NEVER) return
  timers[timer] = NEVER
  if (before === c.deadline) setDeadline(c, earliest(timers))
}

/** All timers off: CLOSED. */
export function disarmAll(c: Connection, _now: Instant): void {
  c.timers.fill(NEVER)
  setDeadline(c, NEVER)
}

/** Whether a timer is set. */
export function armed(c: Connection, timer: Timer): boolean {
  return c.timers[timer] !== NEVER
}

/** Fires every timer that is due (RFC 9293 3.10.8). */
export function deadlineReached(c: Connection, now: Instant): void {
  for (let timer = 0; timer < TIMER_NAMES.length; timer++) {
    if (c.timers[timer]! > now || c.state === State.Closed) continue
    c.timers[timer] = NEVER
    if (c.env.observer !== null) c.env.observer.timerFired(c, TIMER_NAMES[timer]!, now)
    fire(c, timer as Timer, now)
  }
  // the host has taken the connection out of its wheel
  c.deadline = earliest(c.timers)
  c.env.schedule(c)
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

function earliest(timers: readonly Instant[]): Instant {
  let first = NEVER
  for (let i = 0; i < timers.length; i++) if (timers[i]! < first) first = timers[i]!
  return first
}

function setDeadline(c: Connection, at: Instant): void {
  if (c.deadline === at) return
  c.deadline = at
  c.env.schedule(c)
}
