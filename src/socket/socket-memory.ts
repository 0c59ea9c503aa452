import { readable, seqDiff } from '../tcp/index.js'
import type { TcpSocket } from './socket.js'

/** SO_SNDBUF and SO_RCVBUF as getsockopt gives them, octets. */
export function bufferSizes(s: TcpSocket): { readonly send: number; readonly receive: number } {
  const { settings } = s.host
  const c = s.connection
  return {
    send: (c === null ? 0 : c.snd.buffer) || s.asked.sendBuffer || settings.sendBuffer[1],
    receive: (c === null ? 0 : c.rcv.buffer) || s.asked.receiveBuffer || settings.receiveBuffer[1],
  }
}

/** SO_MEMINFO: octets, in the order of the SK_MEMINFO_ names. */
export function memoryInfo(s: TcpSocket): number[] {
  const c = s.connection
  const { send, receive } = bufferSizes(s)
  const received = c?.rcv.queue?.charged ?? 0
  const queued = c?.snd.queue?.charged ?? 0
  // memory allocated, buffer, in flight, buffer, forward, queued, optional, backlog, drops
  return [received, receive, 0, send, 0, queued, 0, 0, 0]
}

/** Octets to be read (FIONREAD, SIOCINQ), up to the urgent octet. */
export function unread(s: TcpSocket): number {
  const c = s.connection
  return c === null || s.opening ? 0 : readable(c)
}

/** Octets written and not acknowledged, our FIN not counted (SIOCOUTQ); not yet sent (SIOCOUTQNSD). */
export function unacknowledged(s: TcpSocket): number {
  const c = s.connection
  if (c === null || s.gone || s.opening) return 0
  const octets = seqDiff(c.snd.queue.writeSeq, c.snd.una)
  return c.snd.finQueued && octets > 0 ? octets - 1 : octets
}

export function unsent(s: TcpSocket): number {
  const c = s.connection
  if (c === null || s.gone || s.opening) return 0
  return Math.max(0, seqDiff(c.snd.queue.writeSeq, c.snd.nxt) - Number(c.snd.finQueued && !c.snd.finSent))
}
