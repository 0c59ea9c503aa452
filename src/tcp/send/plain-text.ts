import { ACK, PSH } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { CaState } from '../recovery/recovery.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'
import { startTransmitting } from './begin-sending.js'
import { Limit, limitBegins, limitEnds } from './chronograph.js'
import { restartAfterIdle, validateCwnd } from './cwnd-validation.js'
import { emit } from './emit.js'
import { currentMss } from './segment-size.js'
import { memoryFree } from './send-buffer.js'
import { rearmRetransmit, scheduleProbe } from './transmit-timers.js'

/**
 * SEND of a question or an answer, as most are: it fits one segment, nothing was written before it that is not
 * acknowledged, and nothing holds it back: it leaves at once. What `appendText` would do with it is done here with few
 * instructions; test/plain-paths.test.ts holds the two against each other. False: something is different, and nothing was
 * done.
 */
export function sendPlainText(c: Connection, chunk: Uint8Array, now: Instant): boolean {
  const { length } = chunk
  const { snd } = c
  const { queue } = snd
  const { settings } = c.env
  if (length === 0 || !queue.empty || !isPlain(c) || snd.wnd < length || snd.nxt !== queue.writeSeq || settings.pacing)
    return false
  const mss = currentMss(c, now)
  if (length > mss || !memoryFree(c, 0) || (!settings.chargeOverhead && length > snd.buffer)) return false

  startTransmitting(c)
  const { recovery, congestion } = c
  const { rate } = snd
  // nothing is in flight, and the program has written less than a segment (`checkAppLimited`)
  rate.appLimited = snd.delivered || 1
  snd.pushOnce = false
  if (now - snd.lastSent > c.rtt.rto) restartAfterIdle(c, now)
  limitBegins(c, Limit.Busy, now)
  const record = queue.sendAlone(chunk, settings.pushEveryWrite ? PSH : 0, mss)
  if (settings.pushEveryWrite) snd.pushedSeq = record.endSeq
  // `transmitRecord` of the first in flight
  rate.firstSentAt = now
  rate.deliveredAt = now
  record.sentAt = now
  record.firstSentAt = now
  record.deliveredAt = now
  record.delivered = snd.delivered
  record.deliveredCe = snd.deliveredCe
  record.appLimited = true
  emit(c, ACK | PSH, record.seq, length, false, now)
  snd.nxt = record.endSeq
  recovery.packetsOut = 1
  if (length < mss) snd.smallSeq = record.endSeq
  limitEnds(c, Limit.ReceiveWindow, now)
  validateCwnd(c, congestion.cwnd <= 1, now)
  if (!scheduleProbe(c, false, now)) rearmRetransmit(c, now)
  return true
}

/** Text may leave in this state, and neither loss nor the program's wishes say anything about when. */
function isPlain(c: Connection): boolean {
  const { snd, recovery } = c
  return (
    (c.state === State.Established || c.state === State.CloseWait) &&
    c.established &&
    !snd.finQueued &&
    !snd.urgent &&
    !c.options.cork &&
    recovery.state === CaState.Open &&
    recovery.packetsOut === 0 &&
    c.congestion.cwnd > 0
  )
}
