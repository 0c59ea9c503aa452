import type { Connection } from '../connection.js'
import type { CaState } from '../recovery/recovery.js'
import type { Instant, Millis } from '../time.js'

/** ssthresh before the first loss: no limit. Linux prints it as this. */
export const INFINITE_SSTHRESH = 0x7fffffff

/** What one ACK told congestion control. One object, reused. */
export interface AckSample {
  /** Segments delivered by it, by ACK or SACK; segments found lost by it. */
  delivered: number
  lost: number
  /** Segments delivered with CE marks. */
  deliveredCe: number
  /** Cumulatively acknowledged segments. */
  acked: number
  /** RTT of the last segment it acknowledges, ms; -1: none. */
  rtt: Millis
  /** Segments in flight before it. */
  priorInFlight: number
  /** Delivery rate sample: segments over ms; interval -1: none. */
  rateDelivered: number
  rateInterval: Millis
  appLimited: boolean
  /** `delivered` of the connection when the acknowledged segment was sent. */
  priorDelivered: number
  ecnEcho: boolean
}

/**
 * Congestion control of one connection. Windows in segments. Loss recovery (recovery/) decides when to reduce and when
 * a reduction was a mistake; the controller says by how much, and how the window grows.
 */
export abstract class CongestionControl {
  abstract readonly name: string
  /** cwnd. */
  cwnd: number
  /** ssthresh. */
  ssthresh = INFINITE_SSTHRESH
  /** ACKed segments that have not yet grown cwnd (congestion avoidance). */
  credit = 0

  constructor(cwnd: number) {
    this.cwnd = cwnd
  }

  get slowStart(): boolean {
    return this.cwnd < this.ssthresh
  }

  /** The connection is established; windows are initial. */
  begin(_c: Connection, _now: Instant): void {}
  /** ssthresh after a loss or congestion mark now, at least 2. */
  abstract ssthreshAfterLoss(c: Connection, now: Instant): number
  /** `acked` segments were delivered, the window is in use and may grow. */
  abstract grow(c: Connection, acked: number, now: Instant): void
  /** cwnd when the last reduction is undone. */
  undoneCwnd(c: Connection): number {
    return Math.max(this.cwnd, c.recovery.priorCwnd)
  }
  /** Loss recovery goes to another state. */
  stateChanges(_c: Connection, _to: CaState, _now: Instant): void {}
  /** Text is sent with nothing in flight. */
  sendingStarts(_c: Connection, _now: Instant): void {}
  /** Each ACK, after the queue was cleaned and before the window changes. */
  ackArrived(_c: Connection, _sample: AckSample, _now: Instant): void {}
  /** Instead of reduction and growth: sets cwnd and pacing itself and returns true (BBR). */
  control(_c: Connection, _sample: AckSample, _now: Instant): boolean {
    return false
  }

  /** RFC 5681 3.1: as many segments as were ACKed, up to ssthresh; returns what is left of them. */
  growSlowStart(acked: number): number {
    const cwnd = Math.min(this.cwnd + acked, this.ssthresh)
    const left = acked - (cwnd - this.cwnd)
    this.cwnd = cwnd
    return left
  }

  /** One segment for every `per` ACKed. */
  growLinear(per: number, acked: number): void {
    if (this.credit >= per) {
      this.credit = 0
      this.cwnd++
    }
    this.credit += acked
    if (this.credit >= per) {
      const more = Math.floor(this.credit / per)
      this.credit -= more * per
      this.cwnd += more
    }
  }
}
