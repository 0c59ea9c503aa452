import type { Binding, Host } from '../ip/index.js'
import {
  atMark,
  type Connection,
  type ConnectionUser,
  type ErrorName,
  type Instant,
  type Listener,
  type Md5Key,
  type Observed,
  type ProgramOptions,
  Ready,
  State,
  sharedOptions,
} from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import { type AddressAndPort, anyAddress, type SocketAddress } from './address.js'
import { ErrorQueue } from './error-queue.js'
import { ANYTHING, OpenFile, Poll } from './open-file.js'
import type { Personality } from './personality.js'
import { bsdPoll, linuxPoll } from './readiness.js'

/** What all sockets of a host share. */
export interface SocketSpace {
  readonly host: Host
  readonly personality: Personality
  /** Keys for TCP_MD5SIG that the system keeps, not the socket (FreeBSD setkey). */
  md5Keys: readonly Md5Key[]
}

/** How far a socket has come with its peer, as its holder was told (Linux sock->state). */
export type Phase = 'unconnected' | 'connecting' | 'connected' | 'disconnecting'

/** What a program asked of the socket itself; what it asks of TCP is in `ProgramOptions`. Accepted sockets get a copy. */
export interface OwnOptions {
  reuseAddress: boolean
  reusePort: boolean
  ipv6Only: boolean
  /** SO_RCVTIMEO, SO_SNDTIMEO, ms; 0: none. */
  receiveTimeout: number
  sendTimeout: number
  /** SO_RCVLOWAT, octets. */
  receiveLowat: number
  /** SOF_TIMESTAMPING_ bits. */
  timestamping: number
  zeroCopy: boolean
  /** IP_RECVERR, IPV6_RECVERR. */
  receiveErrors: boolean
  /** IP_FREEBIND: bind to an address the host does not have. */
  freeBind: boolean
  /** TCP_INQ: each recvmsg says how much is left. */
  inQueue: boolean
  /** TCP_FASTOPEN_CONNECT (Linux), TCP_FASTOPEN before connect (FreeBSD). */
  fastOpenConnect: boolean
  /** IP_MTU_DISCOVER. */
  mtuDiscover: number
  /** Options that change nothing but what getsockopt gives back, by name; null: none was ever set. */
  stored: ReadonlyMap<string, number> | null
}

const ownDefaults = (): OwnOptions => ({
  reuseAddress: false,
  reusePort: false,
  ipv6Only: false,
  receiveTimeout: 0,
  sendTimeout: 0,
  receiveLowat: 1,
  timestamping: 0,
  zeroCopy: false,
  receiveErrors: false,
  freeBind: false,
  inQueue: false,
  fastOpenConnect: false,
  mtuDiscover: 1,
  stored: null,
})

/** Bits of `Ready` after which anything may have changed. */
const STATE_CHANGE = Ready.Established | Ready.Closed | Ready.PeerClosed

/**
 * A TCP socket: what a program holds, whatever becomes of the connection. It stands on a listener or a connection of the
 * machine once there is one. The calls on it are in opening.ts, sending.ts, receiving.ts and closing.ts.
 */
export class TcpSocket extends OpenFile implements ConnectionUser {
  readonly kind = 'socket'
  readonly space: SocketSpace
  readonly host: Host
  readonly personality: Personality
  readonly ipv6: boolean
  /** Shared with others that asked for the same: `ask` replaces it. */
  asked: Readonly<ProgramOptions>
  own: OwnOptions
  /** Its hold on a local port; null: not bound, or the connection holds the port. */
  binding: Binding | null = null
  /** What bind was asked for: it outlasts a disconnect. */
  bound: AddressAndPort | null = null
  listener: Listener | null = null
  /** As listen(2) was given it, within the system's bounds. */
  backlog = 0
  connection: Connection | null = null
  /** The connection a disconnect dissolved: TCP_INFO still tells of it. */
  former: Connection | null = null
  phase: Phase = 'unconnected'
  /** shutdown was called. */
  readShutdown = false
  writeShutdown = false
  /** An error that is not the connection's own. */
  error: ErrorName | null = null
  /** MSG_ERRQUEUE; null: nothing was ever put there. */
  errors: ErrorQueue | null = null
  /** Octets written since the connection was made, for the error queue. */
  written = 0
  /** The program closed it; what is left of the connection goes on without it. */
  closed = false

  /** @param from the listening socket whose connection it is for: it inherits what was asked of that one */
  constructor(space: SocketSpace, ipv6: boolean, from: TcpSocket | null = null) {
    super()
    this.space = space
    this.host = space.host
    this.personality = space.personality
    this.ipv6 = ipv6
    this.asked = from === null ? sharedOptions(space.host.settings) : from.asked
    this.own = from === null ? ownDefaults() : { ...from.own }
  }

  /** A socket for a connection that a listener gives. */
  static accepted(from: TcpSocket): TcpSocket {
    const socket = new TcpSocket(from.space, from.ipv6, from)
    socket.phase = 'connected'
    return socket
  }

  /** Keeps an option that changes nothing but what getsockopt gives back. */
  store(name: string, value: number): void {
    // accepted sockets may share the map
    this.own.stored = new Map(this.own.stored).set(name, value)
  }

  stored(name: string): number | undefined {
    return this.own.stored?.get(name)
  }

  /** SYN-SENT or SYN-RECEIVED after an active open. */
  get opening(): boolean {
    const state = this.connection?.state
    return state === State.SynSent || state === State.SynReceived
  }

  /** There was a connection, and it is over (TIME-WAIT has nothing to do with the program any more). */
  get gone(): boolean {
    const state = this.connection?.state
    return state === State.Closed || state === State.TimeWait
  }

  /** Nothing more comes from the peer: its FIN was received, or the connection is over. */
  get ended(): boolean {
    return this.connection !== null && (this.connection.rcv.finReceived || this.gone)
  }

  /** Octets that recv would give now: an urgent octet that is next and out of band is none of them. */
  get readable(): number {
    const octets = this.connection?.rcv.queue?.octets ?? 0
    return octets > 0 && !this.asked.oobInline && this.atUrgentMark ? octets - 1 : octets
  }

  /** An urgent octet waits for MSG_OOB. */
  get urgentPending(): boolean {
    return (this.connection?.rcv.urgentOctet ?? -1) >= 0
  }

  /** The next octet to be read is the urgent one (SIOCATMARK). */
  get atUrgentMark(): boolean {
    return this.connection !== null && atMark(this.connection)
  }

  /** connect returned at once and the SYN waits for text (TCP_FASTOPEN_CONNECT). */
  get connectDeferred(): boolean {
    return this.connection?.synDeferred === true
  }

  /** The pending error, which is pending no more. */
  takeError(): ErrorName | null {
    const c = this.connection
    const error = this.error ?? c?.error ?? null
    if (this.error !== null) this.error = null
    else if (c !== null) c.error = null
    return error
  }

  get pendingError(): ErrorName | null {
    return this.error ?? this.connection?.error ?? null
  }

  poll(now: Instant): number {
    this.errors?.progress(this, now)
    return this.personality.poll === 'linux' ? linuxPoll(this, now) : bsdPoll(this, now)
  }

  notify(_about: Connection | Listener, ready: number, now: Instant): void {
    const reported = this.errors?.progress(this, now) === true
    if ((ready & STATE_CHANGE) !== 0) {
      this.wake(ANYTHING, now)
      return
    }
    let events = 0
    const soft = (ready & Ready.Report) !== 0 && this.own.receiveErrors ? this.connection!.softError : null
    if (soft !== null) {
      // IP_RECVERR: soft errors are told at once (Linux)
      this.error = soft
      events |= Poll.Error
    }
    if ((ready & (Ready.Readable | Ready.Urgent | Ready.Acceptable)) !== 0) {
      events |= Poll.In | Poll.Priority | Poll.ReadNormal | Poll.ReadBand
    }
    if ((ready & Ready.Writable) !== 0) events |= Poll.Out | Poll.WriteNormal | Poll.WriteBand
    if ((ready & Ready.Error) !== 0 || reported) events |= Poll.Error
    if (events !== 0) this.wake(events, now)
  }

  /** The queue of MSG_ERRQUEUE, made when first needed. */
  get errorQueue(): ErrorQueue {
    this.errors ??= new ErrorQueue()
    return this.errors
  }

  localAddress(): SocketAddress {
    const end = this.connection ?? this.listener
    if (end !== null) return this.addressOf(end.local, end.localPort)
    const held = this.binding ?? this.bound
    return this.addressOf(held?.address ?? anyAddress(this.ipv6), held?.port ?? 0)
  }

  addressOf(address: IpAddress, port: number): SocketAddress {
    const { AF_INET, AF_INET6 } = this.personality.numbers
    return { family: (this.ipv6 ? AF_INET6 : AF_INET)!, address, port }
  }

  /** Whom an observer is told the calls are about. */
  get observed(): Observed | null {
    return this.connection ?? this.listener
  }
}
