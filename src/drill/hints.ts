import type { TraceEvent } from '../trace/index.js'
import { FIN, RST, SYN } from '../wire/index.js'
import type { LivePacket } from './packets/live-packet.js'

/** What people call a segment that a timer sent. */
const TIMERS: Readonly<Record<string, string>> = {
  retransmit: 'RTO',
  'tail-loss-probe': 'tail loss probe',
  reorder: 'RACK reordering timer',
  persist: 'zero-window probe',
  'delayed-ack': 'delayed ACK',
  keepalive: 'keepalive',
  user: 'user timeout',
}

/**
 * Why a packet was sent, for whoever wonders: `FIN, retransmitted after 302 ms (RTO)`; '' when there is nothing to say.
 * @param start when the script started, ms of the log
 */
export function whySent(packet: LivePacket, events: readonly TraceEvent[], start: number): string {
  const { content } = packet
  if (content.kind !== 'tcp') return ''
  const at = start + packet.at / 1000
  let found = events.length - 1
  for (; found >= 0; found--) {
    const event = events[found]!
    if (event.type !== 'sent' || Math.abs(event.at - at) > 1e-3) continue
    if (event.segment.seq === content.seq && event.segment.flags === content.flags) break
  }
  const sent = events[found]
  if (sent?.type !== 'sent') return ''
  const words: string[] = []
  for (const [bit, name] of [
    [SYN, 'SYN'],
    [FIN, 'FIN'],
    [RST, 'RST'],
  ] as const) {
    if (content.flags & bit) words.push(name)
  }
  const timer = timerBefore(events, found)
  if (sent.retransmission) {
    const before = sentBefore(events, found)
    const after = before === null ? '' : ` after ${Math.round(sent.at - before)} ms`
    const by = timer === null ? '' : ` (${TIMERS[timer] ?? timer})`
    words.push(`retransmitted${after}${by}`)
  } else if (timer !== null) words.push(TIMERS[timer] ?? timer)
  return words.some((word) => /[a-z]/.test(word)) ? words.join(', ') : ''
}

/** The timer that fired at the moment of the event at `index`, for the same connection; null: none did. */
function timerBefore(events: readonly TraceEvent[], index: number): string | null {
  const sent = events[index]!
  for (let i = index - 1; i >= 0; i--) {
    const event = events[i]!
    if (event.at < sent.at) return null
    if (event.type === 'received' || event.type === 'call') return null
    if (event.type === 'timer-fired' && event.subject.id === sent.subject?.id) return event.timer
  }
  return null
}

/** When the octets of the retransmission at `index` were sent the time before. */
function sentBefore(events: readonly TraceEvent[], index: number): number | null {
  const again = events[index]!
  if (again.type !== 'sent') return null
  for (let i = index - 1; i >= 0; i--) {
    const event = events[i]!
    if (event.type !== 'sent' || event.subject?.id !== again.subject?.id) continue
    const into = (again.segment.seq - event.segment.seq) >>> 0
    if (into < Math.max(1, event.segment.textLength + (event.segment.flags & (SYN | FIN) ? 1 : 0))) return event.at
  }
  return null
}
