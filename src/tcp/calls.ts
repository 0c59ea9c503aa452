import type { IpAddress } from '../wire/index.js'
import { type Connection, type ErrorName, Ready } from './connection.js'
import { sendDeferredSyn } from './open/active-open.js'
import type { TakeText } from './receive/receive-queue.js'
import { programRead } from './receive/receive-window.js'
import { noteRead, readableInOneGo, readUrgent } from './receive/urgent.js'
import { finish, joinOrphans, sendReset } from './reset.js'
import { appendText, queueFin } from './send/output.js'
import { seqDiff } from './sequence.js'
import { State, type StateName, stateName } from './states/state-name.js'
import { setState } from './states/states.js'
import { type Instant, NEVER } from './time.js'
import { limitFinWait2 } from './time-wait.js'

export { type ActiveOpen, openActive, openActiveFrom } from './open/active-open.js'
export type { TakeText } from './receive/receive-queue.js'
export { setOptions } from './settings/set-options.js'

/** Flags of SEND. */
export const SendFlag = { EndOfRecord: 1, More: 2, Urgent: 4 } as const
/** Flags of RECEIVE. */
export const ReceiveFlag = { Peek: 1, Urgent: 2 } as const

/** The error a connection failed with; reading it forgets it (SO_ERROR). */
export function takeError(c: Connection): ErrorName | null {
  const { error } = c
  c.error = null
  return error
}

/**
 * SEND (RFC 9293 3.10.2): octets taken, fewer than given when the buffer is full, or why none: EAGAIN (full, or not
 * connected yet), EPIPE (closing), ENOTCONN, or the error the connection failed with.
 */
export function send(c: Connection, chunk: Uint8Array, flags: number, now: Instant): number | ErrorName {
  if (c.error !== null) return takeError(c)!
  switch (c.state) {
    case State.Closed:
      return c.established || (c.opening !== null && c.opening.begunAt !== NEVER) ? 'EPIPE' : 'ENOTCONN'
    case State.SynSent:
      if (c.synDeferred) return sendDeferredSyn(c, chunk, now)
      return queueBeforeEstablished(c, chunk, flags, now)
    case State.SynReceived:
      if (c.fastOpen?.passive !== true) return queueBeforeEstablished(c, chunk, flags, now)
      break
    case State.Established:
    case State.CloseWait:
      break
    default:
      // "connection closing"
      return 'EPIPE'
  }
  if (c.snd.finQueued) return 'EPIPE'
  const taken = appendText(c, chunk, flags, now)
  return taken === 0 && chunk.length > 0 ? 'EAGAIN' : taken
}

/** "Queue the data for transmission after entering ESTABLISHED state" (RFC 9293 3.10.2), where systems do. */
function queueBeforeEstablished(c: Connection, chunk: Uint8Array, flags: number, now: Instant): number | ErrorName {
  const { sendInSynSent } = c.env.settings
  if (sendInSynSent !== 'queue') return sendInSynSent
  const taken = appendText(c, chunk, flags, now)
  return taken === 0 && chunk.length > 0 ? 'EAGAIN' : taken
}

/**
 * RECEIVE (RFC 9293 3.10.3): octets copied; 0: the peer's FIN was read, or reading was shut down; EAGAIN: nothing there
 * yet; ENOTCONN; or the error the connection failed with, once what arrived before is read.
 */
export function receive(c: Connection, target: Uint8Array, flags: number, now: Instant): number | ErrorName {
  if (flags & ReceiveFlag.Urgent) return receiveUrgent(c, target, flags)
  const { queue } = c.rcv
  if (queue !== undefined && queue.octets > 0 && target.length > 0) {
    const length = Math.min(readableInOneGo(c), target.length)
    if (length > 0) {
      if (flags & ReceiveFlag.Peek) return queue.peek(target, length)
      const taken = queue.read(target, length)
      wasRead(c, taken, now)
      return taken
    }
  }
  return whyNothing(c)
}

/** RECEIVE without a copy: a view of what arrived, at most `max` octets; null: the peer's FIN was read. */
export function receiveChunk(c: Connection, max: number, now: Instant): Uint8Array | null | ErrorName {
  const { queue } = c.rcv
  if (queue !== undefined && queue.octets > 0) {
    if (queue.isLent) c.env.readersKeep = true
    const chunk = queue.readChunk(Math.min(readableInOneGo(c), max))
    if (chunk !== null) {
      wasRead(c, chunk.length, now)
      return chunk
    }
  }
  const reason = whyNothing(c)
  return reason === 0 ? null : reason
}

/**
 * RECEIVE in place: `take` is called for each stretch of what arrived, [start, end) of `bytes`, at most `max` octets in
 * all. They are not copied, and when it returns they are nobody's: it looks at them or copies them. As `receive` else.
 */
export function receiveInPlace(c: Connection, max: number, take: TakeText, now: Instant): number | ErrorName {
  const { queue } = c.rcv
  if (queue !== undefined && queue.octets > 0 && max > 0) {
    const length = Math.min(readableInOneGo(c), max)
    if (length > 0) {
      const taken = queue.readInPlace(length, take)
      wasRead(c, taken, now)
      return taken
    }
  }
  return whyNothing(c)
}

function wasRead(c: Connection, octets: number, now: Instant): void {
  if (c.rcv.urgent) noteRead(c)
  // a connection that has failed offers no window
  if (c.state !== State.Closed && c.state !== State.TimeWait) programRead(c, octets, now)
}

function whyNothing(c: Connection): 0 | ErrorName {
  if (c.rcv.finReceived) return 0
  if (c.error !== null) return takeError(c)!
  if (c.rcv.shutdown) return 0
  if (c.state === State.Closed) return c.established ? 0 : 'ENOTCONN'
  return 'EAGAIN'
}

function receiveUrgent(c: Connection, target: Uint8Array, flags: number): number | ErrorName {
  const octet = readUrgent(c, (flags & ReceiveFlag.Peek) !== 0)
  if (typeof octet === 'string') return octet === 'EAGAIN' && c.rcv.finReceived ? 0 : octet
  if (target.length > 0) target[0] = octet
  return Math.min(1, target.length)
}

/** Half-close: FIN after everything sent so far; receiving goes on (RFC 9293 3.6, case 1). ENOTCONN: there is nothing to close. */
export function shutdownWrite(c: Connection, now: Instant): ErrorName | null {
  switch (c.state) {
    case State.Closed:
      return 'ENOTCONN'
    case State.SynSent:
      finish(c, 'CLOSE', now)
      return null
    case State.SynReceived:
    case State.Established:
      toClosing(c, State.FinWait1, now)
      return null
    case State.CloseWait:
      toClosing(c, State.LastAck, now)
      return null
    default:
      return null
  }
}

/** Our side is through: FIN behind what is queued. */
function toClosing(c: Connection, to: State, now: Instant): void {
  setState(c, to, 'CLOSE', c.env.observer, now)
  queueFin(c, now)
}

/** No more text is read; what arrives is acknowledged and thrown away by whoever reads. */
export function shutdownRead(c: Connection, now: Instant): ErrorName | null {
  if (c.state === State.Closed) return 'ENOTCONN'
  c.rcv.shutdown = true
  if (c.user !== null) c.user.notify(c, Ready.Readable, now)
  return null
}

/**
 * CLOSE by the program that held it (RFC 9293 3.10.4): nobody reads or writes any more. Linger 0: ABORT. Unread text: RST,
 * so that the peer learns it was lost (SHLD-3). Else FIN behind what is queued, and the machine goes on by itself.
 */
export function close(c: Connection, now: Instant): void {
  c.user = null
  c.rcv.shutdown = true
  if (c.ended !== null) {
    c.ended.holder = null
    c.ended = null
    return
  }
  switch (c.state) {
    case State.Closed:
      // what nobody will read may be lent
      return c.rcv.queue?.clear()
    case State.TimeWait:
      return
    case State.SynSent:
      return finish(c, 'CLOSE', now)
    case State.SynReceived:
      if (c.env.settings.closeEndsHandshake && c.fastOpen === null) return finish(c, 'CLOSE', now)
  }
  if (unreadText(c)) return closeUnread(c, now)
  if (c.options.linger === 0) return abort(c, now)
  if (c.state === State.SynReceived || c.state === State.Established) toClosing(c, State.FinWait1, now)
  else if (c.state === State.CloseWait) toClosing(c, State.LastAck, now)
  becomeOrphan(c, now)
}

const unreadText = (c: Connection): boolean => c.env.settings.resetOnUnreadData && c.rcv.queue.octets > 0

function closeUnread(c: Connection, now: Instant): void {
  c.env.counters.count('TcpExtTCPAbortOnClose')
  if (c.state !== State.Closing && c.state !== State.LastAck) sendReset(c, now)
  finish(c, 'CLOSE with unread text', now)
  c.rcv.queue.clear()
}

/** No program holds it any more. */
function becomeOrphan(c: Connection, now: Instant): void {
  const { env } = c
  joinOrphans(c)
  if (c.state === State.FinWait2 && c.options.finWait2 !== 0) return limitFinWait2(c, now)
  if (c.state === State.FinWait2) {
    sendReset(c, now)
    return finish(c, 'timeout: fin-wait-2', now)
  }
  if (env.shared.orphans <= env.settings.maxOrphans) return
  env.counters.count('TcpExtTCPAbortOnMemory')
  sendReset(c, now)
  finish(c, 'too many orphans', now)
}

/** ABORT (RFC 9293 3.10.5): what is queued is thrown away, the peer gets a RST, CLOSED. */
export function abort(c: Connection, now: Instant): void {
  if (c.ended !== null) return c.ended.end('ABORT', now)
  switch (c.state) {
    case State.Closed:
    case State.TimeWait:
      return
    case State.SynSent:
    case State.Closing:
    case State.LastAck:
      break
    default:
      sendReset(c, now)
      c.env.counters.count('TcpExtTCPAbortOnData')
  }
  finish(c, 'ABORT', now)
}

/** What STATUS tells. */
export interface ConnectionStatus {
  readonly state: StateName
  readonly local: string
  readonly remote: string
  /** Octets. */
  readonly sendWindow: number
  readonly receiveWindow: number
  readonly unacknowledged: number
  readonly unread: number
  readonly urgent: boolean
  readonly userTimeout: number
  /** The last error reported by ICMP since something was acknowledged; null: none. */
  readonly softError: ErrorName | null
  /** How often the oldest segment, or SYN, was sent again. */
  readonly retransmissions: number
}

/** STATUS (RFC 9293 3.10.6). */
export function status(c: Connection): ConnectionStatus {
  const { snd, rcv } = c
  return {
    state: stateName(c.state),
    local: socketText(c.local, c.localPort),
    remote: socketText(c.remote, c.remotePort),
    sendWindow: snd.wnd,
    receiveWindow: rcv.wnd,
    unacknowledged: seqDiff(snd.nxt, snd.una),
    unread: rcv.queue === undefined ? 0 : rcv.queue.octets,
    urgent: rcv.urgent,
    userTimeout: c.options.userTimeout,
    softError: c.softError,
    retransmissions: c.established ? snd.retransmits : c.synsResent,
  }
}

const socketText = (address: IpAddress, port: number): string =>
  address.isIPv4 ? `${address}:${port}` : `[${address}]:${port}`
