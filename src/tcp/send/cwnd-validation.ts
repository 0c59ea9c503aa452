import type { Connection } from '../connection.js'
import { CaState } from '../recovery/recovery.js'
import { atOrAfter } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant, Millis } from '../time.js'
import { Limit, limitBegins } from './chronograph.js'

/** Initial window, segments (RFC 6928), or RFC 5681's by the size of a segment. */
export function initialWindow(c: Connection): number {
  const { initialWindow: segments } = c.env.settings
  if (segments > 0) return segments
  const { mss } = c.snd
  return mss > 2190 ? 2 : mss > 1095 ? 3 : 4
}

/** ssthresh for a window that is given up without a loss: what was reached is remembered (RFC 2861 3.1). */
export function currentSsthresh(c: Connection): number {
  const { cwnd, ssthresh } = c.congestion
  if (c.recovery.reducing) return ssthresh
  return Math.max(ssthresh, (cwnd >> 1) + (cwnd >> 2))
}

/** cwnd limits us, or nearly does in slow start: only then may it grow (RFC 7661, RFC 9293 MUST-19 through RFC 5681). */
export function cwndIsLimit(c: Connection): boolean {
  const { snd, congestion } = c
  const { usage } = snd
  if (usage.limited) return true
  return congestion.slowStart && congestion.cwnd < 2 * usage.maxPacketsOut
}

/** Something was sent, or cwnd kept it from being sent: notes whether cwnd is in use (RFC 2861, 7661; Linux). */
export function validateCwnd(c: Connection, limited: boolean, now: Instant): void {
  const { snd, recovery } = c
  const { usage } = snd
  if (atOrAfter(snd.una, usage.endSeq) || limited || (!usage.limited && recovery.packetsOut > usage.maxPacketsOut)) {
    usage.limited = limited
    usage.maxPacketsOut = recovery.packetsOut
    usage.endSeq = snd.nxt
  }
  if (cwndIsLimit(c)) {
    usage.used = 0
    usage.since = now
    return
  }
  if (recovery.packetsOut > usage.used) usage.used = recovery.packetsOut
  if (c.env.settings.slowStartAfterIdle && now - usage.since >= c.rtt.rto) applicationLimited(c, now)
  // all was sent, cwnd had room, and the program would have written more: the send buffer is too small
  if (snd.noSpace && snd.queue.unsent === null && (c.state === State.Established || c.state === State.CloseWait)) {
    limitBegins(c, Limit.SendBuffer, now)
  }
}

/** An RTO without using all of cwnd: half of what was not used is given up (RFC 2861 3.2). */
function applicationLimited(c: Connection, now: Instant): void {
  const { snd, congestion } = c
  if (c.recovery.state === CaState.Open && !snd.noSpace) {
    const used = Math.max(snd.usage.used, initialWindow(c))
    if (used < congestion.cwnd) {
      congestion.ssthresh = currentSsthresh(c)
      congestion.cwnd = (congestion.cwnd + used) >> 1
    }
    snd.usage.used = 0
  }
  snd.usage.since = now
}

/** Nothing was sent for longer than the RTO: cwnd is halved for each, down to the restart window (RFC 5681 4.1, SHLD). */
export function restartAfterIdle(c: Connection, now: Instant): void {
  const { snd, congestion, rtt } = c
  if (!c.env.settings.slowStartAfterIdle || c.recovery.packetsOut > 0) return
  let idle: Millis = now - snd.lastSent
  if (!(idle > rtt.rto)) return
  const restart = Math.min(initialWindow(c), congestion.cwnd)
  congestion.ssthresh = currentSsthresh(c)
  let { cwnd } = congestion
  for (idle -= rtt.rto; idle > 0 && cwnd > restart; idle -= rtt.rto) cwnd >>= 1
  congestion.cwnd = Math.max(cwnd, restart)
  snd.usage.since = now
  snd.usage.used = 0
}
