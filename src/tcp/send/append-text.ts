import { FIN, PSH, SYN } from '../../wire/index.js'
import { SendFlag } from '../calls.js'
import type { Connection } from '../connection.js'
import type { Instant } from '../time.js'
import { startTransmitting } from './begin-sending.js'
import { Limit, limitBegins } from './chronograph.js'
import { restartAfterIdle } from './cwnd-validation.js'
import { checkAppLimited } from './delivery-rate.js'
import { markPush, Nagle, nagleOf, push, pushIsDue, pushOne } from './output.js'
import { sendPlainText } from './plain-text.js'
import { currentMss, sizeGoal } from './segment-size.js'
import { memoryFree } from './send-buffer.js'

/** Flag of `appendText` beside SendFlag: the chunk is the machine's now, it is kept instead of copied. */
export const KEEP_CHUNK = 0x100

/** SEND: octets taken; 0: the buffer is full (Ready.Writable will follow). Sends what may be sent. */
export function appendText(c: Connection, chunk: Uint8Array, flags: number, now: Instant): number {
  const { snd } = c
  const { queue } = snd
  if (flags === 0 && sendPlainText(c, chunk, now)) return chunk.length
  const { chargeOverhead, pushEveryWrite } = c.env.settings
  const keep = (flags & KEEP_CHUNK) !== 0
  const mss = currentMss(c, now)
  const goal = sizeGoal(c, mss)
  startTransmitting(c)
  checkAppLimited(c)
  // the SYN comes before any text
  if (queue.writeSeq === snd.iss) queue.append(SYN)
  let taken = 0
  while (taken < chunk.length) {
    let tail = queue.unsent === null ? null : queue.tail
    let room = tail === null || tail.endOfRecord || tail.flags & (FIN | SYN) ? 0 : goal - tail.length
    if (room <= 0) {
      if (!memoryFree(c, 0)) {
        snd.noSpace = true
        break
      }
      if (snd.pushOnce) snd.pushOnce = false
      restartAfterIdle(c, now)
      if (queue.empty) limitBegins(c, Limit.Busy, now)
      tail = queue.append(0)
      room = goal
    }
    let n = Math.min(room, chunk.length - taken)
    if (!chargeOverhead) {
      n = Math.min(n, snd.buffer - queue.charged)
      if (n <= 0) {
        if (tail!.length === 0) queue.dropTail()
        snd.noSpace = true
        break
      }
    }
    if (taken === 0) tail!.flags &= ~PSH
    queue.appendText(chunk, taken, n, keep)
    taken += n
    if (taken === chunk.length) {
      if (flags & SendFlag.EndOfRecord) tail!.endOfRecord = true
      break
    }
    if (tail!.length < goal) continue
    if (pushEveryWrite && pushIsDue(c)) {
      markPush(c, tail!)
      push(c, mss, Nagle.Push, now)
    } else if (pushEveryWrite && tail === queue.unsent) pushOne(c, mss, now)
    // else all that fits is buffered first: PSH belongs on the segment that empties the buffer (MUST-61)
  }
  if (taken === 0) return 0
  if (flags & SendFlag.Urgent) {
    snd.urgent = true
    snd.up = queue.writeSeq
  }
  const full = taken < chunk.length
  const more = (flags & SendFlag.More) !== 0 && !full
  if (queue.unsent === null) return taken
  if (pushEveryWrite && (!more || pushIsDue(c))) markPush(c, queue.tail!)
  push(c, mss, more ? Nagle.Cork : full ? Nagle.Push : nagleOf(c), now)
  return taken
}
