import type { IpAddress } from '../wire/index.js'
import type { Sequence } from './sequence.js'
import { type Instant, NEVER } from './time.js'

/** Challenge ACKs sent since some time (RFC 5961 7). */
export class ChallengeCount {
  count = 0
  since: Instant = -NEVER
}

/** What all connections of one host share beside its settings: limits and how much of them is used. */
export class HostWide {
  readonly challenges = new ChallengeCount()
  /** RSTs for no connection sent since `resetsSince`. */
  resets = 0
  resetsSince: Instant = -NEVER
  /** Connections that no program holds. */
  orphans = 0
  /** TIME-WAIT and FIN-WAIT-2 records. */
  timeWaits = 0
  /** ISS for the connection that the SYN being processed opens: a TIME-WAIT record that lets it through sets it; null: a new one. */
  nextIsn: Sequence | null = null
  /** Active fast open is off until then, and how often it was turned off in a row (RFC 7413 4.1.3.1, Linux). */
  fastOpenOffUntil: Instant = -NEVER
  fastOpenOffCount = 0
  /** Addresses whose timestamp offset was computed last, and that. */
  offsetLocal: IpAddress | null = null
  offsetRemote: IpAddress | null = null
  offset = 0
}
