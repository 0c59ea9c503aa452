import { type Instant, NEVER } from '../time.js'

/**
 * How much of the congestion window is in use (RFC 7661, Linux tcp_cwnd_validate). Made with the first text; until then
 * connections share one that nobody changes.
 */
export class CwndUsage {
  /** cwnd was what limited us in the window that ends at `endSeq`; most segments in flight in it. */
  limited = false
  maxPacketsOut = 0
  endSeq: number
  /** Most of cwnd used since `since`. */
  used = 0
  since: Instant = -NEVER

  constructor(endSeq: number, since: Instant) {
    this.endSeq = endSeq
    this.since = since
  }
}

export const IDLE_USAGE = new CwndUsage(0, -NEVER)
