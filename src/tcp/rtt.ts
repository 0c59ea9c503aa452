import type { Settings } from './settings.js'
import type { Millis } from './time.js'

/** Round-trip time of a connection (RFC 6298). */
export declare class RttEstimator {
  /** SRTT, ms; 0: no sample yet. */
  smoothed: Millis
  /** RTTVAR, ms. */
  variance: Millis
  /** Current RTO, ms, with back-off. */
  rto: Millis
  /** Smallest RTT seen lately, ms; Infinity: none. */
  minimum: Millis
  constructor(settings: Settings)
}
