import { ANY_IPV4, type IpAddress, type Segment } from '../wire/index.js'
import type { CongestionControl } from './congestion/controller.js'
import type { Endpoint, Environment, IcmpError, PathMetrics } from './environment.js'
import { errorArrives } from './error-arrives.js'
import type { ChallengeCount } from './host-wide.js'
import type { FastOpen } from './open/fast-open.js'
import type { Listener } from './open/listener.js'
import type { Opening } from './open/opening.js'
import type { Ecn } from './options/ecn.js'
import { ReceiveState } from './receive/receive-state.js'
import { joinableText } from './receive/text-arrives.js'
import type { Recovery } from './recovery/recovery.js'
import { segmentArrives } from './segment-arrives.js'
import type { RttEstimator } from './send/rtt.js'
import { SendState } from './send/send-state.js'
import { md5KeyFor, type ProgramOptions, sharedOptions } from './settings/program-options.js'
import { State } from './states/state-name.js'
import { type Instant, NEVER } from './time.js'
import type { TimeWait } from './time-wait.js'
import { deadlineReached, earliestTimer } from './timeouts.js'
import { NO_TIMERS, type Timers } from './timers.js'

/** Why a connection ended or a call failed, by its POSIX name. */
export type ErrorName =
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'ECONNABORTED'
  | 'ETIMEDOUT'
  | 'EHOSTUNREACH'
  | 'ENETUNREACH'
  | 'ENOPROTOOPT'
  | 'EPROTO'
  | 'EPIPE'
  | 'EMSGSIZE'
  | 'ENOTCONN'
  | 'EISCONN'
  | 'EALREADY'
  | 'EINPROGRESS'
  | 'EINVAL'
  | 'EAGAIN'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ENOBUFS'
  | 'EOPNOTSUPP'
  | 'EACCES'
  | 'EHOSTDOWN'
  | 'ENONET'
  | 'ECANCELED'

/** What a connection tells the program that holds it, as bits of one call. */
export const Ready = {
  /** Text, the peer's FIN or an error can be read. */
  Readable: 1,
  /** There is room to send, after there was none. */
  Writable: 2,
  /** The handshake is complete. */
  Established: 4,
  /** The connection failed: `error` says why. */
  Error: 8,
  /** The connection is CLOSED; nothing more will come. */
  Closed: 16,
  /** Urgent data arrived (SIGURG, POLLPRI). */
  Urgent: 32,
  /** A listener has a connection to accept. */
  Acceptable: 64,
  /** Peer's FIN arrived (POLLRDHUP). */
  PeerClosed: 128,
  /** Something for the error queue (zerocopy or timestamping acknowledged). */
  Acknowledged: 256,
  /** ERROR_REPORT: a soft error, or R1 was reached (RFC 9293 3.9.1.8); `status` says which. */
  Report: 512,
} as const

/** Whoever holds a connection: the socket room. Must not call back into the machine from inside. */
export interface ConnectionUser {
  notify(connection: Connection | Listener, ready: number, now: Instant): void
}

/**
 * The TCB (RFC 9293 3.3.1): everything one connection remembers. The user calls on it are in calls.ts, what segments do
 * to it in segment-arrives.ts, time in timeouts.ts. Only `setState` changes its state.
 */
export class Connection implements Endpoint {
  readonly env: Environment
  readonly id: number
  local: IpAddress = ANY_IPV4
  localPort = 0
  remote: IpAddress = ANY_IPV4
  remotePort = 0
  state: State = State.Closed
  readonly snd = new SendState()
  readonly rcv = new ReceiveState()
  rtt!: RttEstimator
  recovery!: Recovery
  congestion!: CongestionControl
  /** Agreed ECN, classic or accurate; null: none. */
  ecn: Ecn | null = null
  /** Fast open on this connection; null: not used. */
  fastOpen: FastOpen | null = null
  path: PathMetrics
  /** Who is told of readiness; null: an orphan, no program holds it any more. */
  user: ConnectionUser | null = null
  /** Listener it came from until it is accepted. */
  listener: Listener | null = null
  /** Opened actively (it sent a SYN before it received one). */
  active = false
  /** Why it failed; read once by SO_ERROR or the next call. */
  error: ErrorName | null = null
  /** The last soft error an ICMP message reported (MUST-56); becomes `error` if the connection times out. */
  softError: ErrorName | null = null
  /** Our FIN was acknowledged. */
  finAcknowledged = false
  /** The record it left behind while the program still holds the connection; null: none. */
  ended: TimeWait | null = null
  /** No program holds it, and it is counted as such. */
  orphan = false
  /** Its handshake is complete, or was: it was in a synchronized state other than SYN-RECEIVED. */
  established = false
  /** SYNs or SYN-ACKs sent again. */
  synsResent = 0
  /** What only the handshake needs; null before it, when it is complete, and when a SYN-queue entry did it. */
  opening: Opening | null = null
  /** Octets of the text given to the OPEN that were taken. */
  openTaken = 0
  /** What a passive open agreed to of ECN, until the handshake is complete (`ecnOfSyn`). */
  synEcn = 0
  /** A program waits in SYN-SENT to write: the ACK of the SYN-ACK goes with its text (Linux sk_write_pending). Set by the socket room. */
  writePending = false
  /** When something unacceptable was last answered; null: never. */
  lastInvalidAt: Instant | null = null
  /** Challenge ACKs sent, where their number is limited for each connection (RFC 5961 7); null: none. */
  challenges: ChallengeCount | null = null

  // --- what the program asked for ---
  /** Connections of which the same was asked share it: `ask` changes it. */
  options: Readonly<ProgramOptions>
  /** TCP_QUICKACK was set by hand. */
  quickAckForced = false
  /** TCP MD5 key for this peer (RFC 2385); null: none. */
  md5Key: Uint8Array | null
  /** IPv4 options of its packets: those the program asked for, or the way back along a source route; null: none. */
  ipOptions: Uint8Array | null
  /** They are the program's, and no packet received changes them (RFC 9293 MUST-52). */
  ipOptionsAsked: boolean

  // --- time ---
  timers: Timers = NO_TIMERS
  /** Those that are set, a bit each. */
  timersSet = 0
  wheelSlot = -1
  tableNext: Endpoint | null = null
  /** Last segment from the peer (keepalive). */
  lastReceived: Instant = -NEVER
  /** Added to the clock for our timestamps (RFC 7323 5.4), ms. */
  tsOffset = 0

  /** @param id of the SYN-queue entry it grew from; a new one when it did not */
  constructor(env: Environment, remote: IpAddress, options = sharedOptions(env.settings), id = env.nextId()) {
    this.env = env
    this.id = id
    this.remote = remote
    this.path = env.path(remote)
    this.options = options
    this.md5Key = md5KeyFor(options.md5Keys, remote)
    this.ipOptions = remote.isIPv4 ? options.ipOptions : null
    this.ipOptionsAsked = this.ipOptions !== null
  }

  get deadline(): Instant {
    return earliestTimer(this)
  }

  /** TCP_FASTOPEN_CONNECT: in SYN-SENT, but the SYN waits for the first SEND. */
  get synDeferred(): boolean {
    return this.opening?.synDeferred === true
  }

  get ttl(): number {
    return this.options.ttl
  }

  get dscp(): number {
    return this.options.dscp
  }

  /** The program asks for something else; what follows from that is the caller's (see `setOptions`). */
  ask(change: Partial<ProgramOptions>): void {
    this.options = { ...this.options, ...change }
  }

  segmentArrives(segment: Segment, now: Instant): void {
    segmentArrives(this, segment, now)
  }

  joinableText(segment: Segment): number {
    return joinableText(this, segment)
  }

  errorArrives(error: IcmpError, now: Instant): void {
    errorArrives(this, error, now)
  }

  deadlineReached(now: Instant): void {
    deadlineReached(this, now)
  }
}
