import type { Connection } from '../connection.js'
import { CaState } from '../recovery/recovery.js'
import { before } from '../sequence.js'
import type { Instant } from '../time.js'
import { type AckSample, CongestionControl } from './controller.js'

const ALPHA_MAX = 1024
/** Gain of the running average: 1/16 (RFC 8257 3.3). */
const GAIN = 4

/** DCTCP (RFC 8257): the window shrinks by the share of segments that were marked. */
export class Dctcp extends CongestionControl {
  readonly name = 'dctcp'
  #alpha = ALPHA_MAX
  #roundEnd = 0
  #delivered = 0
  #deliveredCe = 0
  #lossCwnd = 0

  override begin(c: Connection): void {
    this.#alpha = ALPHA_MAX
    this.#startRound(c)
  }

  ssthreshAfterLoss(_c: Connection): number {
    this.#lossCwnd = this.cwnd
    return Math.max(this.cwnd - ((this.cwnd * this.#alpha) >> 11), 2)
  }

  grow(_c: Connection, acked: number): void {
    let left = acked
    if (this.slowStart) {
      left = this.growSlowStart(left)
      if (left === 0) return
    }
    this.growLinear(this.cwnd, left)
  }

  override undoneCwnd(_c: Connection): number {
    return Math.max(this.cwnd, this.#lossCwnd)
  }

  override ackArrived(c: Connection, _sample: AckSample): void {
    if (before(c.snd.una, this.#roundEnd)) return
    const { delivered, deliveredCe } = c.snd
    const marked = deliveredCe - this.#deliveredCe
    const less = this.#alpha >> GAIN
    this.#alpha -= less === 0 ? this.#alpha : less
    if (marked > 0) {
      const share = Math.floor((marked << (10 - GAIN)) / Math.max(1, delivered - this.#delivered))
      this.#alpha = Math.min(this.#alpha + share, ALPHA_MAX)
    }
    this.#startRound(c)
  }

  override stateChanges(c: Connection, to: CaState, _now: Instant): void {
    if (to !== CaState.Recovery || c.recovery.state === CaState.Recovery) return
    this.#lossCwnd = this.cwnd
    this.ssthresh = Math.max(this.cwnd >> 1, 2)
  }

  #startRound(c: Connection): void {
    this.#roundEnd = c.snd.nxt
    this.#delivered = c.snd.delivered
    this.#deliveredCe = c.snd.deliveredCe
  }
}
