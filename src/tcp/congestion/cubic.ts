import type { Connection } from '../connection.js'
import { CaState } from '../recovery/recovery.js'
import { after, seqAdd } from '../sequence.js'
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

/** What CUBIC remembers of a connection that sends. */
class Curve {
  /** ACKed segments per segment of growth. */
  per = 0
  /** cwnd at the last reduction; 0: there was none. */
  lastMax = 0
  lastCwnd = 0
  lastTime: Instant = -0.5
  origin = 0
  /** K, 1/1024 s. */
  k = 0
  /** Smallest RTT, ms; 0: unknown. */
  delayMin: Millis = 0.5
  /** When this epoch of growth began; NaN: it begins with the next ACK. */
  epoch: Instant = Number.NaN
  acked = 0
  /** Window a Reno flow would have. */
  renoCwnd = 0

  // --- HyStart ---
  found = false
  roundStart: Instant = -0.5
  roundEnd = 0
  lastAck: Instant = -0.5
  roundRtt: Millis = Number.POSITIVE_INFINITY
  samples = 0

  constructor(roundEnd: number, now: Instant) {
    this.lastTime = 0
    this.delayMin = 0
    this.startRound(roundEnd, now)
  }

  startRound(end: number, now: Instant): void {
    this.roundStart = this.lastAck = now
    this.roundEnd = end
    this.roundRtt = Number.POSITIVE_INFINITY
    this.samples = 0
  }
}

/** CUBIC (RFC 9438) with HyStart (Ha and Rhee 2011), in the arithmetic of Linux, whole segments and 1/1024 s. */
export class Cubic extends CongestionControl {
  readonly name = 'cubic'
  /** null: nothing was sent yet. */
  #curve: Curve | null = null

  override begin(): void {
    this.#curve = null
  }

  ssthreshAfterLoss(c: Connection, now: Instant): number {
    const { cwnd } = this
    const curve = this.#of(c, now)
    curve.epoch = Number.NaN
    // fast convergence (RFC 9438 4.7): a flow that did not get back to its window leaves room for others
    curve.lastMax = cwnd < curve.lastMax ? Math.floor((cwnd * (1024 + BETA)) / 2048) : cwnd
    return Math.max(Math.floor((cwnd * BETA) / 1024), 2)
  }

  grow(c: Connection, acked: number, now: Instant): void {
    let left = acked
    // RFC 3465 2.2: L is a limit of slow start
    if (this.slowStart) {
      left = this.growSlowStart(Math.min(acked, c.env.settings.abcLimit))
      if (left === 0) return
    }
    const curve = this.#of(c, now)
    this.#update(curve, left, now)
    this.growLinear(curve.per, left)
  }

  override stateChanges(c: Connection, to: CaState, now: Instant): void {
    if (to === CaState.Loss) this.#curve = new Curve(c.snd.nxt, now)
  }

  /** Time without anything in flight is no time to grow in: the epoch moves with it (RFC 9438 4.2 on application limits). */
  override sendingStarts(c: Connection, now: Instant): void {
    const curve = this.#curve
    const idle = now - c.snd.lastSent
    if (curve !== null && !Number.isNaN(curve.epoch) && idle > 0) curve.epoch = Math.min(curve.epoch + idle, now)
  }

  override ackArrived(c: Connection, sample: AckSample, now: Instant): void {
    if (sample.rtt < 0) return
    const curve = this.#of(c, now)
    // the first second after a reduction is not typical of the path
    if (now - curve.epoch < 1000) return
    const delay = sample.rtt > 0 ? sample.rtt : 0.001
    if (curve.delayMin === 0 || curve.delayMin > delay) curve.delayMin = delay
    if (!curve.found && this.slowStart && c.env.settings.hystart) this.#hystart(c, curve, delay, now)
  }

  #of(c: Connection, now: Instant): Curve {
    // a round ends with the next ACK
    this.#curve ??= new Curve(seqAdd(c.snd.una, -1), now)
    return this.#curve
  }

  #update(curve: Curve, acked: number, now: Instant): void {
    const { cwnd } = this
    const at = Math.floor(now)
    curve.acked += acked
    if (curve.lastCwnd === cwnd && at - curve.lastTime <= 31) return
    const started = !Number.isNaN(curve.epoch)
    // the function is worth computing once per ms
    if (!started || at !== curve.lastTime) {
      curve.lastCwnd = cwnd
      curve.lastTime = at
      if (!started) this.#startEpoch(curve, acked, at)
      curve.per = this.#perFromCurve(curve, at)
    }
    this.#followReno(curve)
    // at most half again per round trip
    curve.per = Math.max(curve.per, 2)
  }

  #startEpoch(curve: Curve, acked: number, at: Instant): void {
    const { cwnd } = this
    curve.epoch = at
    curve.acked = acked
    curve.renoCwnd = cwnd
    if (curve.lastMax <= cwnd) {
      curve.k = 0
      curve.origin = cwnd
    } else {
      // K = cbrt((Wmax - cwnd) / C), in ticks
      curve.k = Math.floor(Math.cbrt((2 ** 40 / SCALE) * (curve.lastMax - cwnd)))
      curve.origin = curve.lastMax
    }
  }

  /** W(t + RTT) = origin + C (t - K)^3 (RFC 9438 4.2), as ACKed segments per segment. */
  #perFromCurve(curve: Curve, at: Instant): number {
    const { cwnd } = this
    const t = Math.floor(((at - curve.epoch + Math.ceil(curve.delayMin)) * TICKS) / 1000)
    const offset = Math.abs(t - curve.k)
    const delta = Math.floor((SCALE * offset * offset * offset) / 2 ** 40)
    const target = t < curve.k ? curve.origin - delta : curve.origin + delta
    const per = target > cwnd ? Math.floor(cwnd / (target - cwnd)) : 100 * cwnd
    // nothing is known of the path yet: 5 % per round trip
    return curve.lastMax === 0 && per > 20 ? 20 : per
  }

  /** Never slower than Reno would be (RFC 9438 4.3). */
  #followReno(curve: Curve): void {
    const { cwnd } = this
    const step = (cwnd * RENO_SHARE) >> 3
    if (step > 0 && curve.acked > step) {
      const n = Math.ceil(curve.acked / step) - 1
      curve.acked -= n * step
      curve.renoCwnd += n
    }
    if (curve.renoCwnd > cwnd) curve.per = Math.min(curve.per, Math.floor(cwnd / (curve.renoCwnd - cwnd)))
  }

  #hystart(c: Connection, curve: Curve, delay: Millis, now: Instant): void {
    // rounds are counted from the low window on, as Linux did from 5.15 to 6.13; later ones see the first rounds too and
    // leave slow start a little earlier
    if (this.cwnd < HYSTART_LOW_WINDOW) return
    if (after(c.snd.una, curve.roundEnd)) curve.startRound(c.snd.nxt, now)
    // a train of ACKs as long as half the RTT: the path is full
    if (now - curve.lastAck <= HYSTART_ACK_GAP) {
      curve.lastAck = now
      const threshold = curve.delayMin + Math.min(1, 262_144_000 / c.snd.rate.pacingRate)
      if (now - curve.roundStart > (c.env.settings.pacing ? threshold : threshold / 2)) this.#leaveSlowStart(curve)
    }
    if (curve.roundRtt > delay) curve.roundRtt = delay
    if (curve.samples < HYSTART_SAMPLES) {
      curve.samples++
    } else {
      const rise = Math.min(Math.max(curve.delayMin / 8, HYSTART_RISE_MIN), HYSTART_RISE_MAX)
      if (curve.roundRtt > curve.delayMin + rise) this.#leaveSlowStart(curve)
    }
  }

  #leaveSlowStart(curve: Curve): void {
    curve.found = true
    this.ssthresh = this.cwnd
  }
}
