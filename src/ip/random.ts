/**
 * A seeded generator (xoshiro128** by Blackman and Vigna, seeded by SplitMix32): fast, no state but four words, and the
 * same numbers for the same seed on every engine. Not for secrets of hosts that face a real network.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed any number; its low 32 bits and the 32 above them count */
  constructor(seed: number) {
    let state = (seed ^ Math.floor(seed / 0x1_0000_0000)) | 0
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return z ^ (z >>> 15)
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next()
  }

  /** 32 random bits as a signed integer. */
  int32(): number {
    const r = Math.imul(this.#b, 5)
    const result = Math.imul((r << 7) | (r >>> 25), 9)
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** Evenly in [0, 1), 32 bits of it. */
  unit(): number {
    return (this.int32() >>> 0) / 0x1_0000_0000
  }

  /** An integer evenly in [0, bound), bound up to 2^32. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound)
  }

  /** True with this probability; 0 and 1 draw nothing. */
  chance(probability: number): boolean {
    return probability > 0 && (probability >= 1 || this.unit() < probability)
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.int32() >>> 24
    return out
  }

  /** A generator of its own for a part of the whole, so that what one part draws does not shift the others. */
  fork(): Random {
    return new Random(this.int32())
  }
}
