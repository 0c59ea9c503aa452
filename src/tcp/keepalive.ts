import { ACK, type TextSource } from '../wire/index.js'
import type { Connection } from './connection.js'
import { fail, sendReset } from './reset.js'
import { emit } from './send/emit.js'
import { sendProbe } from './send/persist.js'
import { seqAdd } from './sequence.js'
import { State } from './states/state-name.js'
import type { Instant, Millis } from './time.js'
import { arm, disarm } from './timeouts.js'
import { Timer } from './timers.js'

/** One octet the peer has had already, for peers that answer nothing less (RFC 9293 3.8.4, MAY-6). */
const GARBAGE: TextSource = {
  copyText(_seq, _length, target, at) {
    target[at] = 0
  },
}

/** Starts the keepalive timer (RFC 9293 3.8.4): the program asked for it, or the connection that has it is established. */
export function armKeepalive(c: Connection, now: Instant): void {
  arm(c, Timer.Keepalive, now + c.options.keepaliveIdle, now)
}

/** TCP_KEEPIDLE was changed, or keepalive turned on or off. */
export function keepaliveChanged(c: Connection, now: Instant): void {
  if (!c.options.keepalive || !c.established) disarm(c, Timer.Keepalive, now)
  else arm(c, Timer.Keepalive, Math.max(lastHeard(c) + c.options.keepaliveIdle, now), now)
}

/** When the peer was last heard. */
const lastHeard = (c: Connection): Instant => Math.max(c.lastReceived, c.snd.lastAcked)

/**
 * Nothing was heard for as long as the program allows: a probe. Probes unanswered one after the other end the connection
 * (MUST-29: a single one must not), or all that a user time-out leaves time for (RFC 5482).
 */
export function keepaliveExpired(c: Connection, now: Instant): void {
  const { snd, recovery, env } = c
  if (!c.options.keepalive || c.state < State.Established || c.state > State.LastAck) return
  // what is in flight has its own timer
  if (recovery.packetsOut > 0 || snd.queue.unsent !== null) return armKeepalive(c, now)
  // compared as a time of day: the difference of two may be less than `keepaliveIdle` by a rounding for ever
  const due = lastHeard(c) + c.options.keepaliveIdle
  if (now < due) return arm(c, Timer.Keepalive, due, now)
  const idle: Millis = now - lastHeard(c)
  const gone =
    c.options.userTimeout > 0
      ? idle >= c.options.userTimeout && snd.probesOut > 0
      : snd.probesOut >= c.options.keepaliveProbes
  if (gone) {
    sendReset(c, now)
    fail(c, c.softError ?? 'ETIMEDOUT', 'timeout: keepalive', now)
    return
  }
  env.counters.count('TcpExtTCPKeepAlive')
  if (env.settings.keepaliveGarbage) emit(c, ACK, seqAdd(snd.una, -1), 1, true, now, 0, GARBAGE)
  else sendProbe(c, now)
  snd.probesOut++
  arm(c, Timer.Keepalive, now + c.options.keepaliveInterval, now)
}
