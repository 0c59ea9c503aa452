import { after } from '../sequence.js'
import type { Settings } from '../settings/settings.js'
import type { Instant, Millis } from '../time.js'

/** Window of the minimum RTT, ms (Linux `tcp_min_rtt_wlen`). */
const MINIMUM_WINDOW: Millis = 300_000

/**
 * Round-trip time and retransmission time-out of a connection (RFC 6298). Kept in whole µs, SRTT times 8, so that a
 * sample costs integer arithmetic and rounds as systems round.
 */
export class RttEstimator {
  /** SRTT times 8, µs; 0: no sample yet. */
  #smoothed8 = 0
  /** Mean deviation times 4, µs; its largest in this round trip. */
  #deviation4 = 0
  #deviationMax = 0
  /** RTTVAR times 4, µs: what the RTO adds to SRTT. */
  #variance4 = 0
  /** SND.NXT when this round trip began. */
  #roundEnd = 0
  readonly #settings: Settings
  /** RTO with back-off, ms. */
  rto: Millis
  /** Smallest RTT of the last five minutes, ms; NEVER: none yet. */
  minimum: Millis = Number.POSITIVE_INFINITY
  #minimumAt: Instant = -0.5

  constructor(settings: Settings) {
    this.#settings = settings
    this.rto = settings.initialRto
  }

  get measured(): boolean {
    return this.#smoothed8 !== 0
  }

  /** SRTT, ms; 0: no sample yet. */
  get smoothed(): Millis {
    return this.#smoothed8 / 8000
  }

  /** SRTT, µs times 8, as Linux keeps it. */
  get smoothed8(): number {
    return this.#smoothed8
  }

  /** RTTVAR, ms. */
  get variance(): Millis {
    return this.#variance4 / 4000
  }

  /** Mean deviation, µs (tcpi_rttvar). */
  get deviationMicros(): number {
    return this.#deviation4 >> 2
  }

  /** A sample (RFC 6298 2); `una` and `nxt` of now tell when a round trip is over. Sets the RTO, without back-off. */
  sample(rtt: Millis, una: number, nxt: number): void {
    const micros = Math.min(Math.round(rtt * 1000), 0x7ffffff)
    if (this.#settings.linuxRttVariance) this.#sampleLinux(micros, una, nxt)
    else this.#sampleStandard(micros)
    this.rto = this.withoutBackoff()
  }

  /** RTO that the samples give, ms. */
  withoutBackoff(): Millis {
    const { rtoMin, rtoMax, rtoSlop, initialRto, linuxRttVariance } = this.#settings
    if (this.#smoothed8 === 0) return Math.min(initialRto, rtoMax)
    const micros = (this.#smoothed8 >> 3) + this.#variance4
    const rto = Math.ceil(micros / 1000)
    return Math.min(linuxRttVariance ? rto : Math.max(rto, rtoMin) + rtoSlop, rtoMax)
  }

  /** RFC 6298 5.7: the handshake was retransmitted and gave no sample. */
  withoutSample(): void {
    const { rtoWithoutSample, rtoMax } = this.#settings
    this.#deviation4 = this.#deviationMax = this.#variance4 = rtoWithoutSample * 1000
    this.rto = Math.min(rtoWithoutSample, rtoMax)
  }

  /** For the minimum (RFC 8985 6.2 step 1): a windowed one, so that a longer path shows in the end. */
  sampleMinimum(rtt: Millis, now: Instant): void {
    const value = rtt > 0 ? rtt : 1
    if (value <= this.minimum || now - this.#minimumAt > MINIMUM_WINDOW) {
      this.minimum = value
      this.#minimumAt = now
    }
  }

  /** min RTT, ms; 2^32-1 µs when there is none, as Linux reports it. */
  get minimumMicros(): number {
    return this.minimum === Number.POSITIVE_INFINITY ? 0xffffffff : Math.round(this.minimum * 1000)
  }

  /**
   * Linux's: the deviation that counts is the largest of a round trip, at least rtoMin, and RTTVAR falls by a quarter of
   * the difference once per round trip, so that one quiet flight does not take away the margin.
   */
  #sampleLinux(micros: number, una: number, nxt: number): void {
    const floor = this.#settings.rtoMin * 1000
    if (this.#smoothed8 === 0) {
      this.#smoothed8 = Math.max(1, micros * 8)
      this.#deviation4 = micros * 2
      this.#variance4 = this.#deviationMax = Math.max(this.#deviation4, floor)
      this.#roundEnd = nxt
      return
    }
    let error = micros - (this.#smoothed8 >> 3)
    this.#smoothed8 = Math.max(1, this.#smoothed8 + error)
    if (error < 0) {
      // a shorter RTT moves the deviation an eighth as much: it must not raise the RTO
      error = -error - (this.#deviation4 >> 2)
      if (error > 0) error >>= 3
    } else {
      error -= this.#deviation4 >> 2
    }
    this.#deviation4 += error
    if (this.#deviation4 > this.#deviationMax) {
      this.#deviationMax = this.#deviation4
      if (this.#deviationMax > this.#variance4) this.#variance4 = this.#deviationMax
    }
    if (after(una, this.#roundEnd)) {
      if (this.#deviationMax < this.#variance4) this.#variance4 -= (this.#variance4 - this.#deviationMax) >> 2
      this.#roundEnd = nxt
      this.#deviationMax = floor
    }
  }

  /** RFC 6298 2.2 and 2.3 with alpha 1/8, beta 1/4, K 4. */
  #sampleStandard(micros: number): void {
    if (this.#smoothed8 === 0) {
      this.#smoothed8 = Math.max(1, micros * 8)
      this.#deviation4 = this.#variance4 = micros * 2
      return
    }
    const error = Math.abs((this.#smoothed8 >> 3) - micros)
    this.#variance4 += error - (this.#variance4 >> 2)
    this.#deviation4 = this.#variance4
    this.#smoothed8 = Math.max(1, this.#smoothed8 + micros - (this.#smoothed8 >> 3))
  }
}
