import { type Connection, Ready } from '../connection.js'
import type { Instant } from '../time.js'
import { Limit, limitEnds } from './chronograph.js'

/** What a record costs beyond its text where overhead is charged (Linux truesize of an skb without text), octets. */
export const RECORD_OVERHEAD = 1280
/** Of that, what depends on the size of a segment: header room and shared info; and the sk_buff itself. */
const SEGMENT_OVERHEAD = 640
const BUFFER_OVERHEAD = 256
/** Windows the send buffer has room for: two, so that the next is written while one is in flight. */
const WINDOWS = 2
const LEAST_SEGMENTS = 10

/** Octets written and not yet sent. */
export const unsentOctets = (c: Connection): number => (c.snd.queue.writeSeq - c.snd.nxt) | 0

/** A new record may be begun; `wake` 1: for a program that waits, when half of TCP_NOTSENT_LOWAT is free. */
export function memoryFree(c: Connection, wake: number): boolean {
  const { snd } = c
  if (snd.queue.charged >= snd.buffer) return false
  const limit = c.options.notSentLowat > 0 ? c.options.notSentLowat : c.env.settings.notSentLowat
  return unsentOctets(c) * (wake + 1) < limit
}

/**
 * There is room to send (POLLOUT): a third of the buffer is free and unsent text is below TCP_NOTSENT_LOWAT. When there
 * is not, Ready.Writable follows once there is.
 */
export function writable(c: Connection): boolean {
  const { queue, buffer } = c.snd
  if (queue === undefined) return false
  if (buffer - queue.charged >= queue.charged >> 1 && memoryFree(c, 1)) return true
  c.snd.noSpace = true
  return false
}

/** SO_SNDBUF, octets as it takes effect; the buffer no longer grows by itself. */
export function setSendBuffer(c: Connection, octets: number): void {
  c.snd.buffer = octets
  c.snd.bufferFixed = true
}

/** Room for two congestion windows, overhead included (Linux tcp_sndbuf_expand). */
export function expandSendBuffer(c: Connection): void {
  const { snd, env } = c
  const segments = Math.max(LEAST_SEGMENTS, c.congestion.cwnd, c.recovery.reordering + 1)
  const size = Math.max(snd.peerMss, snd.mss)
  let each = size
  if (env.settings.chargeOverhead) each = powerOfTwo(size + SEGMENT_OVERHEAD) + BUFFER_OVERHEAD
  const wanted = WINDOWS * segments * each
  if (snd.buffer < wanted) snd.buffer = Math.max(snd.buffer, Math.min(wanted, env.settings.sendBuffer[2]))
}

/** The smallest power of two that is not less. */
function powerOfTwo(n: number): number {
  return n <= 1 ? 1 : 1 << (32 - Math.clz32(n - 1))
}

/** Room has come free: lets the buffer grow if the network could take more, and wakes a program that waits. */
export function checkSpace(c: Connection, now: Instant): void {
  const { snd } = c
  if (!snd.noSpace) return
  if (c.env.settings.autotuneSendBuffer && !snd.bufferFixed && c.recovery.inFlight < c.congestion.cwnd) {
    expandSendBuffer(c)
    snd.usage.since = now
  }
  const { queue, buffer } = snd
  if (buffer - queue.charged < queue.charged >> 1 || !memoryFree(c, 1)) return
  snd.noSpace = false
  limitEnds(c, Limit.SendBuffer, now)
  c.user?.notify(c, Ready.Writable, now)
}
