import type { Segment } from '../wire/index.js'
import type { Connection, ErrorName } from './connection.js'
import type { Environment } from './environment.js'
import type { Instant } from './time.js'

/** What a socket bound to the port but not connected adds to the RST for a segment to it (FreeBSD). */
export interface BoundSocket {
  readonly ttl: number
  readonly dscp: number
  readonly md5Key: Uint8Array | null
}

/**
 * A segment for which there is neither connection nor listener (RFC 9293 3.10.7.1, CLOSED): answered with RST, unless it
 * is one or the settings ask for silence.
 */
export declare function segmentForNobody(
  env: Environment,
  seg: Segment,
  now: Instant,
  listening?: boolean,
  bound?: BoundSocket,
): void
/** RST in answer to a segment (RFC 9293 3.10.7.1); `c` null: of no connection. */
export declare function sendResetFor(env: Environment, seg: Segment, now: Instant): void
/** RST for a connection: <SEQ=SND.NXT><CTL=RST> with ACK in synchronized states as systems do. */
export declare function sendReset(c: Connection, now: Instant): void
/** To CLOSED with an error: timers off, out of the table, the program told. Sends nothing. */
export declare function fail(c: Connection, error: ErrorName, cause: string, now: Instant): void
/** A rate-limited challenge ACK (RFC 5961). */
export declare function challengeAck(c: Connection, seg: Segment, now: Instant): void
