import type { Connection } from '../connection.js'
import { CongestionControl } from './controller.js'

/** RFC 5681: slow start, then one segment per round trip; half at each loss. */
export class NewReno extends CongestionControl {
  readonly name = 'reno'

  ssthreshAfterLoss(_c: Connection): number {
    return Math.max(this.cwnd >> 1, 2)
  }

  grow(c: Connection, acked: number): void {
    let left = acked
    // RFC 3465 2.2: L is a limit of slow start
    if (this.slowStart) {
      left = this.growSlowStart(Math.min(acked, c.env.settings.abcLimit))
      if (left === 0) return
    }
    this.growLinear(this.cwnd, left)
  }
}
