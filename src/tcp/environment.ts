import type { Batch, IpAddress, Segment } from '../wire/index.js'
import type { Connection } from './connection.js'
import type { Counters } from './counters.js'
import type { HostWide } from './host-wide.js'
import type { Observed, Observer } from './observer.js'
import type { Settings } from './settings/settings.js'
import type { Instant } from './time.js'
import type { Timed } from './timers.js'

/** What the connection table holds: a TCB, an entry of a SYN queue, or a TIME-WAIT record. */
export interface Endpoint extends Observed, Timed {
  /** A segment for this connection (RFC 9293 3.10.7). The segment object is reused by the caller. */
  segmentArrives(segment: Segment, now: Instant): void
  /** An ICMP error that quotes a segment of this connection (RFC 5461, 5927). */
  errorArrives(error: IcmpError, now: Instant): void
  /** Next in the host's hash chain; the machine never touches it. */
  tableNext: Endpoint | null
  /** How many octets of text, this segment's included, may be given to it as one segment (receive offload); absent: none. */
  joinableText?(segment: Segment): number
  /** A listener at `::` that does not take IPv4 (IPV6_V6ONLY). */
  readonly ipv6Only?: boolean
  /** TIME-WAIT: may a new connection of this host take the addresses and ports over (RFC 6191, Linux `tcp_tw_reuse`)? */
  mayBeReused?(now: Instant): boolean
}

/** What TCP needs of an ICMP or ICMPv6 error, already checked by the IP layer to quote a segment of this host. */
export interface IcmpError {
  readonly kind:
    | 'network-unreachable'
    | 'host-unreachable'
    | 'protocol-unreachable'
    | 'port-unreachable'
    | 'fragmentation-needed'
    | 'packet-too-big'
    | 'prohibited'
    | 'other-unreachable'
    | 'time-exceeded'
    | 'parameter-problem'
    | 'source-quench'
    | 'redirect'
  readonly version: 4 | 6
  readonly type: number
  readonly code: number
  /** Next-hop MTU, octets, of fragmentation-needed and packet-too-big; else 0. */
  readonly mtu: number
  /** Sequence number the quoted TCP header carries. */
  readonly quotedSeq: number
  /** Who reports it. */
  readonly from: IpAddress
}

/** What the machine knows of a path; the host keeps one per destination (RFC 8201 5.2, Linux tcp_metrics). */
export interface PathMetrics {
  /** Path MTU, octets of IP packet. */
  mtu: number
  /** Congestion state kept from an earlier connection; 0: none. Segments / ms. */
  ssthresh: number
  smoothedRtt: number
  rttVariance: number
  /** Fast-open cookie and MSS the peer gave (RFC 7413 4.1.3); null: none. */
  fastOpenCookie: Uint8Array | null
  fastOpenMss: number
  /** The cookie came in the experimental option. */
  fastOpenExperimental: boolean
  /** The next cookie request uses the experimental option: 1; did so and got no answer either: 2 (Linux `try_exp`). */
  fastOpenTryExperimental: 0 | 1 | 2
  /** SYN+data was lost this many times in a row, and when last. */
  fastOpenSynLosses: number
  fastOpenLastSynLoss: Instant
  /** ECN failed on this path (SYN with ECN went unanswered). */
  ecnFailed: boolean
}

/** The five secrets of a host, 16 octets each. */
export interface Secrets {
  readonly isn: Uint8Array
  readonly timestamps: Uint8Array
  readonly synCookie: Uint8Array
  readonly ports: Uint8Array
  /** Fast-open keys, primary first; the second is still accepted (net.ipv4.tcp_fastopen_key). */
  fastOpen: Uint8Array[]
}

/** What the machine stands on; implemented by ip/'s Host. */
export interface Environment {
  readonly settings: Settings
  readonly counters: Counters
  readonly observer: Observer | null
  readonly secrets: Secrets
  /** What all connections share. */
  readonly shared: HostWide
  /** The one segment object for everything sent; whoever sends calls `out.reset()`, fills it, calls `transmit`. */
  readonly out: Segment
  /** Makes the packet and hands it to the link. `endpoint` null: for no connection. Never re-enters the machine. */
  transmit(endpoint: Observed | null, segment: Segment, retransmission: boolean, now: Instant): void
  /** A random 32-bit integer (signed), from the host's seeded generator. */
  random(): number
  /** A number for the next connection record (Observed.id). */
  nextId(): number
  /** Puts an endpoint into the connection table under its addresses and ports. */
  register(endpoint: Endpoint): void
  /** What `register` put there: the endpoint with exactly these addresses and ports. */
  find(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null
  /** The listener for a segment to `local`. */
  findListener(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null
  unregister(endpoint: Endpoint): void
  /** Puts `next` where `previous` was (SYN-queue entry -> TCB -> TIME-WAIT record), in one step. */
  replace(previous: Endpoint, next: Endpoint): void
  /** `timed.deadline` is not after `at` any more. That it has become later, or NEVER, need not be told. */
  schedule(timed: Timed, at: Instant): void
  /** It is over with `timed`, whose deadline is NEVER now and stays so: the host lets go of it. */
  unschedule(timed: Timed): void
  /** The path to a destination; created with the MTU of the route. */
  path(destination: IpAddress): PathMetrics
  /** Negative advice (RFC 9293 3.8.3 b): what is sent there goes unanswered; another gateway is tried if there is one. */
  doubtPath(destination: IpAddress): void
  /** MTU of the interface towards a destination, octets of IP packet. */
  interfaceMtu(destination: IpAddress): number
  /** Largest super-segment the link takes, octets of text; 0: the link takes single segments only. */
  readonly maxSuperSegment: number
  /** More received frames wait to be processed: ACKs of text in order wait for the last of them (MUST-58, MUST-59). */
  readonly moreArriving: boolean
  /** Connections that owe such an ACK. When no more frames arrive, the host calls `acknowledgeOwing`. */
  readonly owing: Batch<Connection>
  /** A program keeps what it reads as it lies (`receiveChunk`): what arrives should not be lent. Set by the machine. */
  readersKeep: boolean
}
