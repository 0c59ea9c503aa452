import { type Connection, type Instant, SendFlag, State, send } from '../tcp/index.js'
import type { SocketAddress } from './address.js'
import type { Errno } from './errno.js'
import { Message } from './message-flags.js'
import { awaitConnected, startConnect } from './opening.js'
import type { TcpSocket } from './socket.js'

/** One call of write, send, sendto or sendmsg, over all its tries. */
export interface Sending {
  readonly text: Uint8Array
  /** `Message` flags. */
  readonly flags: number
  readonly to: SocketAddress | null
  /** Octets taken so far. */
  taken: number
  /** The half that connects: not begun, waiting for the handshake, done. */
  connect: 'unasked' | 'waiting' | 'done'
  /** Where the text begins in the octets written to the connection. */
  begin: number
}

export const newSending = (text: Uint8Array, flags: number, to: SocketAddress | null): Sending => ({
  text,
  flags,
  to,
  taken: 0,
  connect: 'unasked',
  begin: -1,
})

/** Bit of `Settings.fastOpen`: clients may. */
const FAST_OPEN_CLIENT = 1

/** One try at sending: octets taken in all, why none, or null: it has to wait. */
export function sendStep(s: TcpSocket, m: Sending, now: Instant, last: boolean): number | Errno | null {
  if (m.connect !== 'done') {
    const opened = openStep(s, m, now, last)
    if (opened !== 0) return opened
    m.connect = 'done'
  }
  const c = s.connection
  const refusal = refusalToSend(s, c)
  if (refusal !== null) return m.taken > 0 ? m.taken : refusal
  if (s.opening && !(c!.state === State.SynReceived && !c!.active)) {
    if (last) return m.taken > 0 ? m.taken : 'EAGAIN'
    return null
  }
  return sendText(s, c!, m, now, last)
}

/** Text to a connection that takes some. */
function sendText(s: TcpSocket, c: Connection, m: Sending, now: Instant, last: boolean): number | Errno | null {
  const { text, flags } = m
  let bits = 0
  if (flags & Message.EndOfRecord) bits |= SendFlag.EndOfRecord
  if (flags & Message.More) bits |= SendFlag.More
  if (flags & Message.OutOfBand) bits |= SendFlag.Urgent
  if (m.begin < 0) m.begin = s.written - m.taken
  while (m.taken < text.length) {
    const rest = m.taken === 0 ? text : text.subarray(m.taken)
    const n = send(c, rest, bits, now)
    if (n === 'EAGAIN' && !last) return null
    if (typeof n === 'string') return m.taken > 0 ? m.taken : n
    m.taken += n
    s.written += n
  }
  return m.taken
}

/** Why nothing can be sent; null: something can, or it is too early to say. */
function refusalToSend(s: TcpSocket, c: Connection | null): Errno | null {
  const { personality } = s
  if (c === null || s.writeShutdown || s.gone) {
    if (personality.sendTellsError) {
      const error = s.takeError()
      if (error !== null) return error
    }
    if (c === null && !s.writeShutdown) return personality.sendUnconnected
    return 'EPIPE'
  }
  return s.takeError()
}

/** The connecting half of a send: fast open (Linux), an address for a socket that has none (FreeBSD). 0: go on. */
function openStep(s: TcpSocket, m: Sending, now: Instant, last: boolean): 0 | number | Errno | null {
  if (m.connect === 'waiting') return awaitStep(s, m, now, last)
  if (m.flags & Message.FastOpen || s.connectDeferred) return fastOpenStep(s, m, now, last)
  if (m.to !== null && s.personality.sendConnects && s.connection === null && s.listener === null) {
    return impliedConnect(s, m, now, last)
  }
  return 0
}

/** MSG_FASTOPEN: connect and write in one (Linux tcp_sendmsg_fastopen). */
function fastOpenStep(s: TcpSocket, m: Sending, now: Instant, last: boolean): 0 | number | Errno | null {
  if ((s.host.settings.fastOpen & FAST_OPEN_CLIENT) === 0 || m.to?.family === 0) return 'EOPNOTSUPP'
  if (!s.connectDeferred) {
    if (s.phase === 'connected') return 'EISCONN'
    if (s.phase === 'connecting') return settle(s, m, awaitConnected(s, 'EALREADY', now, last))
    if (m.to === null) return 'EINVAL'
    const error = startConnect(s, m.to, { deferred: true }, now)
    if (error !== null) return error
  }
  if (s.connectDeferred) {
    const n = send(s.connection!, m.text, 0, now)
    if (typeof n === 'string') return n
    m.taken = n
    s.written += n
  }
  s.connection!.writePending = m.taken < m.text.length
  return settle(s, m, awaitConnected(s, 'EINPROGRESS', now, last))
}

function awaitStep(s: TcpSocket, m: Sending, now: Instant, last: boolean): 0 | number | Errno | null {
  return settle(s, m, awaitConnected(s, 'EINPROGRESS', now, last))
}

/** What became of the handshake that a send waits for. */
function settle(s: TcpSocket, m: Sending, outcome: 0 | Errno | null): 0 | number | Errno | null {
  if (outcome === null) {
    m.connect = 'waiting'
    return null
  }
  if (s.connection !== null) s.connection.writePending = false
  if (outcome === 'EINPROGRESS' && m.taken > 0) return m.taken
  return outcome
}

/**
 * sendto with an address connects (FreeBSD). With fast open asked for, the text goes with the SYN or waits for the
 * handshake in the send buffer; else the call waits.
 */
function impliedConnect(s: TcpSocket, m: Sending, now: Instant, last: boolean): 0 | number | Errno | null {
  const withSyn = s.own.fastOpenConnect
  const error = startConnect(s, m.to!, withSyn ? { text: m.text } : {}, now)
  if (error !== null) return error
  if (!withSyn) return settle(s, m, awaitConnected(s, 'EINPROGRESS', now, last))
  m.taken = s.connection!.openTaken
  s.written += m.taken
  return m.taken
}
