import type { Connection } from '../connection.js'
import { CaState } from '../recovery/recovery.js'
import { after } from '../sequence.js'
import type { Instant, Millis } from '../time.js'
import { type AckSample, CongestionControl } from './controller.js'

/** Multiplicative decrease, in 1024ths: 0.7 (RFC 9438 4.6). */
const BETA = 717
/** C of the cubic function: 410/1024, RFC 9438 5.1 has 0.4. */
const SCALE = 410
/** Time inside the function is in 1024ths of a second. */
const TICKS = 1024
/** 3 (1 + beta) / (1 - beta) / 8: ACKs per segment of a Reno flow with this beta, as RFC 9438 4.3 estimates it. */
const RENO_SHARE = 15
/** HyStart: smallest window it looks at, segments; ACKs closer than this are one train, ms; RTT samples per round. */
const HYSTART_LOW_WINDOW = 16
const HYSTART_ACK_GAP: Millis = 2
const HYSTART_SAMPLES = 8
/** RTT growth that ends slow start: an eighth, within these bounds, ms. */
const HYSTART_RISE_MIN: Millis = 4
const HYSTART_RISE_MAX: Millis = 16

/** CUBIC (RFC 9438) with HyStart (Ha and Rhee 2011), in the arithmetic of Linux, whole segments and 1/1024 s. */
export class Cubic extends CongestionControl {
  readonly name = 'cubic'
  /** ACKed segments per segment of growth. */
  #per = 0
  #lastMax = 0
  #lastCwnd = 0
  #lastTime: Instant = -0.5
  #origin = 0
  /** K, 1/1024 s. */
  #k = 0
  /** Smallest RTT, ms; 0: unknown. */
  #delayMin: Millis = 0.5
  /** When this epoch of growth began; NaN: it begins with the next ACK. */
  #epoch: Instant = Number.NaN
  #acked = 0
  /** Window a Reno flow would have. */
  #renoCwnd = 0

  // --- HyStart ---
  #found = false
  #roundStart: Instant = -0.5
  #roundEnd = 0
  #lastAck: Instant = -0.5
  #roundRtt: Millis = Number.POSITIVE_INFINITY
  #samples = 0

  constructor(cwnd: number) {
    super(cwnd)
    this.#reset()
  }

  override begin(c: Connection, now: Instant): void {
    this.#reset()
    this.#startRound(c, now)
  }

  ssthreshAfterLoss(_c: Connection): number {
    this.#epoch = Number.NaN
    // fast convergence (RFC 9438 4.7): a flow that did not get back to its window leaves room for others
    this.#lastMax = this.cwnd < this.#lastMax ? Math.floor((this.cwnd * (1024 + BETA)) / 2048) : this.cwnd
    return Math.max(Math.floor((this.cwnd * BETA) / 1024), 2)
  }

  grow(c: Connection, acked: number, now: Instant): void {
    let left = acked
    // RFC 3465 2.2: L is a limit of slow start
    if (this.slowStart) {
      left = this.growSlowStart(Math.min(acked, c.env.settings.abcLimit))
      if (left === 0) return
    }
    this.#update(left, now)
    this.growLinear(this.#per, left)
  }

  override stateChanges(c: Connection, to: CaState, now: Instant): void {
    if (to !== CaState.Loss) return
    this.#reset()
    this.#startRound(c, now)
  }

  /** Time without anything in flight is no time to grow in: the epoch moves with it (RFC 9438 4.2 on application limits). */
  override sendingStarts(c: Connection, now: Instant): void {
    const idle = now - c.snd.lastSent
    if (!Number.isNaN(this.#epoch) && idle > 0) this.#epoch = Math.min(this.#epoch + idle, now)
  }

  override ackArrived(c: Connection, sample: AckSample, now: Instant): void {
    if (sample.rtt < 0) return
    // the first second after a reduction is not typical of the path
    if (now - this.#epoch < 1000) return
    const delay = sample.rtt > 0 ? sample.rtt : 0.001
    if (this.#delayMin === 0 || this.#delayMin > delay) this.#delayMin = delay
    if (!this.#found && this.slowStart && c.env.settings.hystart) this.#hystart(c, delay, now)
  }

  #reset(): void {
    this.#per = 0
    this.#lastMax = 0
    this.#lastCwnd = 0
    this.#lastTime = 0
    this.#origin = 0
    this.#k = 0
    this.#delayMin = 0
    this.#epoch = Number.NaN
    this.#acked = 0
    this.#renoCwnd = 0
    this.#found = false
  }

  #update(acked: number, now: Instant): void {
    const { cwnd } = this
    const at = Math.floor(now)
    this.#acked += acked
    if (this.#lastCwnd === cwnd && at - this.#lastTime <= 31) return
    const started = !Number.isNaN(this.#epoch)
    // the function is worth computing once per ms
    if (!started || at !== this.#lastTime) {
      this.#lastCwnd = cwnd
      this.#lastTime = at
      if (!started) this.#startEpoch(acked, at)
      this.#per = this.#perFromCurve(at)
    }
    this.#followReno()
    // at most half again per round trip
    this.#per = Math.max(this.#per, 2)
  }

  #startEpoch(acked: number, at: Instant): void {
    const { cwnd } = this
    this.#epoch = at
    this.#acked = acked
    this.#renoCwnd = cwnd
    if (this.#lastMax <= cwnd) {
      this.#k = 0
      this.#origin = cwnd
    } else {
      // K = cbrt((Wmax - cwnd) / C), in ticks
      this.#k = Math.floor(Math.cbrt((2 ** 40 / SCALE) * (this.#lastMax - cwnd)))
      this.#origin = this.#lastMax
    }
  }

  /** W(t + RTT) = origin + C (t - K)^3 (RFC 9438 4.2), as ACKed segments per segment. */
  #perFromCurve(at: Instant): number {
    const { cwnd } = this
    const t = Math.floor(((at - this.#epoch + Math.ceil(this.#delayMin)) * TICKS) / 1000)
    const offset = Math.abs(t - this.#k)
    const delta = Math.floor((SCALE * offset * offset * offset) / 2 ** 40)
    const target = t < this.#k ? this.#origin - delta : this.#origin + delta
    const per = target > cwnd ? Math.floor(cwnd / (target - cwnd)) : 100 * cwnd
    // nothing is known of the path yet: 5 % per round trip
    return this.#lastMax === 0 && per > 20 ? 20 : per
  }

  /** Never slower than Reno would be (RFC 9438 4.3). */
  #followReno(): void {
    const { cwnd } = this
    const step = (cwnd * RENO_SHARE) >> 3
    if (step > 0 && this.#acked > step) {
      const n = Math.ceil(this.#acked / step) - 1
      this.#acked -= n * step
      this.#renoCwnd += n
    }
    if (this.#renoCwnd > cwnd) this.#per = Math.min(this.#per, Math.floor(cwnd / (this.#renoCwnd - cwnd)))
  }

  #startRound(c: Connection, now: Instant): void {
    this.#roundStart = this.#lastAck = now
    this.#roundEnd = c.snd.nxt
    this.#roundRtt = Number.POSITIVE_INFINITY
    this.#samples = 0
  }

  #hystart(c: Connection, delay: Millis, now: Instant): void {
    // rounds are counted from the low window on, as Linux did from 5.15 to 6.13; later ones see the first rounds too and
    // leave slow start a little earlier
    if (this.cwnd < HYSTART_LOW_WINDOW) return
    if (after(c.snd.una, this.#roundEnd)) this.#startRound(c, now)
    // a train of ACKs as long as half the RTT: the path is full
    if (now - this.#lastAck <= HYSTART_ACK_GAP) {
      this.#lastAck = now
      const threshold = this.#delayMin + Math.min(1, 262_144_000 / c.snd.pacingRate)
      if (now - this.#roundStart > (c.env.settings.pacing ? threshold : threshold / 2)) this.#leaveSlowStart()
    }
    if (this.#roundRtt > delay) this.#roundRtt = delay
    if (this.#samples < HYSTART_SAMPLES) {
      this.#samples++
    } else {
      const rise = Math.min(Math.max(this.#delayMin / 8, HYSTART_RISE_MIN), HYSTART_RISE_MAX)
      if (this.#roundRtt > this.#delayMin + rise) this.#leaveSlowStart()
    }
  }

  #leaveSlowStart(): void {
    this.#found = true
    this.ssthresh = this.cwnd
  }
}
