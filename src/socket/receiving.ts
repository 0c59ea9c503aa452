import { type Connection, type Instant, ReceiveFlag, receive, receiveChunk, State } from '../tcp/index.js'
import type { Errno } from './errno.js'
import { Message } from './message-flags.js'
import type { TcpSocket } from './socket.js'

/** One call of read, recv, recvfrom or recvmsg, over all its tries. */
export interface Receiving {
  readonly target: Uint8Array
  /** `Message` flags. */
  readonly flags: number
  /** Octets in `target` so far; with MSG_TRUNC, thrown away. */
  taken: number
}

export const newReceiving = (target: Uint8Array, flags: number): Receiving => ({ target, flags, taken: 0 })

/** One try at receiving: octets in all (0: the end), why none, or null: it has to wait. Linux tcp_recvmsg's order. */
export function receiveStep(s: TcpSocket, m: Receiving, now: Instant, last: boolean): number | Errno | null {
  if (s.listener !== null) return 'ENOTCONN'
  if (m.flags & Message.OutOfBand) return receiveUrgent(s, m, now)
  const c = s.connection
  const { length } = m.target
  if (length === 0) return 0
  const before = m.taken
  if (c !== null && s.readable > 0) takeText(s, c, m, now)
  if (m.taken >= length) return m.taken

  // enough for whoever does not insist on all of it
  const target = m.flags & Message.WaitAll ? length : Math.min(s.own.receiveLowat, length)
  if (m.taken >= target && m.taken > 0) return m.taken
  if (m.taken > 0) {
    const atMark = m.taken > before && c !== null && c.rcv.urgent && s.readable > 0
    if (last || atMark || s.pendingError !== null || s.readShutdown || s.ended) return m.taken
    return null
  }
  return nothingThere(s, c, last)
}

/** No text: the end, an error, or patience. */
function nothingThere(s: TcpSocket, c: Connection | null, last: boolean): number | Errno | null {
  if (s.personality.endBeforeError && c?.rcv.finReceived === true) return 0
  const error = s.takeError()
  if (error !== null) return error
  if (s.readShutdown || s.ended) return 0
  if (c === null) return 'ENOTCONN'
  return last ? 'EAGAIN' : null
}

function takeText(s: TcpSocket, c: Connection, m: Receiving, now: Instant): void {
  const room = m.target.length
  if (m.flags & Message.Peek) {
    const n = receive(c, m.target, ReceiveFlag.Peek, now)
    if (typeof n === 'number') m.taken = n
  } else if (m.flags & Message.Truncate) {
    while (m.taken < room && s.readable > 0) {
      const chunk = receiveChunk(c, room - m.taken, now)
      if (chunk === null || typeof chunk === 'string') return
      m.taken += chunk.length
    }
  } else {
    const n = receive(c, m.taken === 0 ? m.target : m.target.subarray(m.taken), 0, now)
    if (typeof n === 'number') m.taken += n
  }
}

/** MSG_OOB: the one urgent octet (RFC 6093); it is never waited for. */
function receiveUrgent(s: TcpSocket, m: Receiving, now: Instant): number | Errno {
  const c = s.connection
  if (s.asked.oobInline || c === null || !c.rcv.urgent) return 'EINVAL'
  if (c.state === State.Closed && !c.rcv.finReceived) return 'ENOTCONN'
  const n = receive(c, m.target, ReceiveFlag.Urgent | (m.flags & Message.Peek ? ReceiveFlag.Peek : 0), now)
  return n === 'EAGAIN' && (s.gone || s.readShutdown) ? 0 : n
}
