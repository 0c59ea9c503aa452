import type { Instant } from '../tcp/index.js'
import { type OpenFile, Poll } from './open-file.js'

/** struct pollfd; events by the system's numbers, which are Linux's as far as TCP goes. */
export interface PollEntry {
  readonly fd: number
  readonly events: number
  revents: number
}

/** One look at all of them: how many have something to say. `fileOf` null: no such descriptor. */
export function pollStep(entries: readonly PollEntry[], fileOf: (fd: number) => OpenFile | null, now: Instant): number {
  let count = 0
  for (const entry of entries) {
    entry.revents = 0
    if (entry.fd < 0) continue
    const file = fileOf(entry.fd)
    entry.revents =
      file === null ? Poll.Invalid : file.poll(now) & (entry.events | Poll.Error | Poll.HangUp | Poll.Invalid)
    if (entry.revents !== 0) count++
  }
  return count
}
