import type { IpAddress } from '../wire/index.js'
import type { Connection, ConnectionUser, ErrorName } from './connection.js'
import type { Environment } from './environment.js'
import type { Listener } from './listener.js'
import type { ProgramOptions } from './program-options.js'
import type { StateName } from './state-name.js'
import type { Instant } from './time.js'

/** OPEN, active: whom to connect to. Addresses and the local port are already chosen; the tuple is free. */
export interface ActiveOpen {
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
  readonly user: ConnectionUser | null
  readonly options?: Partial<ProgramOptions>
  /** Fast open (RFC 7413): text to go with the SYN when there is a cookie; without, it follows the handshake. */
  readonly fastOpenText?: Uint8Array
  /**
   * TCP_FASTOPEN_CONNECT, MSG_FASTOPEN: if there is a cookie, the SYN waits for the first SEND (of no octets, too) and
   * carries what fits of it, which is all that this SEND takes; until then SND.NXT = ISS. Without a cookie the SYN goes
   * at once and asks for one.
   */
  readonly fastOpenDeferred?: boolean
}

/** Flags of SEND. */
export const SendFlag = { EndOfRecord: 1, More: 2, Urgent: 4 } as const
/** Flags of RECEIVE. */
export const ReceiveFlag = { Peek: 1, Urgent: 2 } as const

/** OPEN, active (RFC 9293 3.10.1): sends the SYN; the connection is in SYN-SENT. `notify(Established|Error)` follows. */
export declare function openActive(env: Environment, request: ActiveOpen, now: Instant): Connection
/** OPEN, active, on a listener: it stops listening and connects (RFC 9293 3.10.1, LISTEN state). */
export declare function openActiveFrom(listener: Listener, request: ActiveOpen, now: Instant): Connection
/** SEND: octets taken (fewer than given, or 0, when the buffer is full), or why not: EPIPE, ENOTCONN, ECONNRESET … */
export declare function send(c: Connection, chunk: Uint8Array, flags: number, now: Instant): number | ErrorName
/** RECEIVE: octets copied; 0: the peer's FIN was read; EAGAIN: nothing there yet. */
export declare function receive(c: Connection, target: Uint8Array, flags: number, now: Instant): number | ErrorName
/** RECEIVE without a copy: a view of what arrived, at most `max` octets; null: the peer's FIN was read. */
export declare function receiveChunk(c: Connection, max: number, now: Instant): Uint8Array | null | ErrorName
/** Half-close: FIN after everything sent so far; receiving goes on. */
export declare function shutdownWrite(c: Connection, now: Instant): ErrorName | null
/** No more text is read; what arrives is acknowledged and thrown away (Linux, FreeBSD). */
export declare function shutdownRead(c: Connection, now: Instant): ErrorName | null
/** CLOSE: nobody holds the connection any more. Linger 0 or unread text: RST; else FIN behind the text. */
export declare function close(c: Connection, now: Instant): void
/** ABORT (RFC 9293 3.10.5): RST, CLOSED. */
export declare function abort(c: Connection, now: Instant): void
/** STATUS (RFC 9293 3.10.6). */
export declare function status(c: Connection): ConnectionStatus
/** Changes what the program asks for, and does what follows: NODELAY and uncorking send, KEEPALIVE arms its timer … */
export declare function setOptions(c: Connection, options: Partial<ProgramOptions>, now: Instant): void

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
}
