import { ACK, PSH } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { resend } from '../recovery/retransmit.js'
import { seqAdd } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant, Millis } from '../time.js'
import { Timer } from '../timers.js'
import { emit } from './emit.js'
import { giveUp, orphanRetries } from './retransmit-timeout.js'
import { currentMss } from './segment-size.js'
import { advanceNext, transmitRecord } from './transmit.js'
import { armTransmit, rearmRetransmit } from './transmit-timers.js'

/** Time until the next probe, ms: the RTO, doubled for each that was sent (RFC 9293 3.8.6.1, MUST-36 and SHLD-29 and 30). */
export function probeWait(c: Connection, now: Instant): Millis {
  const { persistMin, persistMax } = c.env.settings
  const base = Math.max(c.rtt.rto, persistMin)
  const wait = Math.min(base * 2 ** Math.min(c.snd.backoff, 20), persistMax)
  const { probesStamp } = c.snd
  if (c.options.userTimeout === 0 || probesStamp === null) return wait
  return Math.min(wait, Math.max(probesStamp + c.options.userTimeout - now, 1))
}

/**
 * The window has been closed, or too small, for a while: probes it (RFC 9293 3.8.6.1). The connection stays open as long
 * as the peer answers (MUST-37), unless no program holds it or set a time-out.
 */
export function persistExpired(c: Connection, now: Instant): void {
  const { snd, recovery, env } = c
  const { settings } = env
  const { queue } = snd
  if (queue.unsent === null && recovery.packetsOut === 0) {
    snd.probesOut = 0
    snd.probesStamp = null
    return
  }
  if (recovery.packetsOut > 0 && !settings.probeWithText) return
  if (snd.probesStamp === null) snd.probesStamp = now
  else if (c.options.userTimeout > 0 && now - snd.probesStamp >= c.options.userTimeout) return giveUp(c, now)
  let most = settings.persistRetries
  if (c.orphan) {
    const alive = Math.max(c.rtt.rto, settings.persistMin) * 2 ** snd.backoff < settings.rtoMax
    most = orphanRetries(c, alive)
    if (!alive && snd.backoff >= most) return giveUp(c, now)
  }
  if (snd.probesOut >= most) return giveUp(c, now)
  if (recovery.packetsOut > 0) resend(c, queue.head!, 1, now)
  else {
    probeWindow(c, now)
    if ((recovery.packetsOut > 0 && snd.wnd > 0) || (queue.unsent === null && recovery.packetsOut === 0)) {
      snd.probesOut = 0
      snd.backoff = 0
      snd.probesStamp = null
      return
    }
  }
  env.counters.count('TcpExtTCPWinProbe')
  snd.probesOut++
  if (snd.backoff < settings.dataRetries) snd.backoff++
  armTransmit(c, Timer.Persist, now + probeWait(c, now), now)
}

/**
 * Something the peer must answer. If the window has room for part of a segment that silly-window avoidance held back,
 * that part goes (the override of RFC 9293 3.8.6.2.1); else a probe, with or without text.
 */
export function probeWindow(c: Connection, now: Instant): void {
  const { snd } = c
  const { queue } = snd
  if (c.state === State.Closed) return
  const record = queue.unsent
  const window = record === null ? 0 : (snd.una + snd.wnd - record.seq) | 0
  const withText = record !== null && c.env.settings.probeWithText && record.length > 0
  if (record === null || (window <= 0 && !withText)) return sendProbe(c, now)
  const mss = currentMss(c, now)
  // "at least one octet of new data"
  const size = Math.min(Math.max(window, 1), mss)
  if (record.length > size) {
    record.flags |= PSH
    queue.split(record, size, mss)
    record.flags |= PSH
  } else if (record.segments === 0) record.cut(mss)
  if (c.env.settings.pushEveryWrite) record.flags |= PSH
  snd.pushedSeq = record.endSeq
  transmitRecord(c, record, false, now)
  if (advanceNext(c, record)) rearmRetransmit(c, now)
}

/**
 * The window opened, and the octet that probed it was not taken: it is as if it had not been sent, and goes with what
 * waits behind it.
 */
export function takeProbeBack(c: Connection): void {
  const { snd, recovery } = c
  const { queue } = snd
  const record = queue.head!
  queue.unstamp(record)
  queue.unsent = record
  record.marks = 0
  record.segments = 0
  snd.nxt = record.seq
  recovery.packetsOut = recovery.lostOut = recovery.retransOut = recovery.sackedOut = 0
  recovery.retransmitFrom = recovery.sackHint = null
  snd.retransmitStamp = null
}

/** An octet is in flight that probes a closed window, and nothing else. */
export function probeIsOut(c: Connection): boolean {
  const { snd, recovery } = c
  if (snd.probesOut === 0 || recovery.packetsOut !== 1) return false
  const { head, unsent } = snd.queue
  return head !== null && head.next === unsent && head.length === 1 && head.seq === snd.una
}

/** An ACK from before SND.UNA, which the peer finds unacceptable and answers (RFC 9293 3.8.4). */
export function sendProbe(c: Connection, now: Instant): void {
  const { snd } = c
  // urgent text is announced even then (MUST-32)
  if (snd.urgent) emit(c, ACK, snd.una, 0, false, now)
  emit(c, ACK, seqAdd(snd.una, -1), 0, false, now)
}
