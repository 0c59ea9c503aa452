import type { Connection } from '../connection.js'
import type { Instant } from '../time.js'
import { restartAfterIdle } from './cwnd-validation.js'
import { computeMss } from './segment-size.js'

/** SND.WND becomes another, octets: a segment said so that is newer than the one that set it last. */
export function windowChanges(c: Connection, window: number, now: Instant): void {
  const { snd } = c
  snd.wnd = window
  if (snd.queue.unsent !== null) restartAfterIdle(c, now)
  if (window > snd.maxWnd) {
    snd.maxWnd = window
    if (c.env.settings.halfWindowSegments) computeMss(c)
  }
}
