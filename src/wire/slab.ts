import { vectorMemory } from './vector-memory.js'

/** Octets of a slab. */
export const SLAB_SIZE = 256 * 1024

/** Slabs not in use that are kept, once the vectors' memory is used up. */
const MOST_KEPT = 32

/**
 * A stretch of memory that frames are cut from, one behind the other. It is used again when nobody holds any of it: the
 * frame until it is released, and text in a receive queue until it is read.
 */
export class Slab {
  readonly bytes: Uint8Array
  /** The same as words of 32 bits, as this machine has them. */
  readonly words: Uint32Array
  /** The stretch, in `bytes`. */
  readonly from: number
  readonly to: number
  /** What lies before this is in use, or was. */
  used: number
  /** How many hold it. */
  #holders = 0
  #next: Slab | null = null

  /** Where it goes when nobody holds it; null: to whoever opens one next. */
  readonly #back: ((slab: Slab) => void) | null
  #left = false

  private constructor(
    bytes: Uint8Array,
    words: Uint32Array,
    from: number,
    to: number,
    back: ((slab: Slab) => void) | null,
  ) {
    this.bytes = bytes
    this.words = words
    this.from = from
    this.to = to
    this.used = from
    this.#back = back
  }

  /**
   * One of memory that is nothing else's, and that may therefore be left to whoever keeps a view of it. When nobody holds
   * it and it was not left, `back` gets it.
   */
  static ofOwn(bytes: Uint8Array, back: (slab: Slab) => void): Slab {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    return new Slab(bytes, words, 0, bytes.length, back)
  }

  /** True: its memory is left to views of it, and never used again. False: it cannot be left, the view must be a copy. */
  leave(): boolean {
    this.#left = this.#back !== null
    return this.#left
  }

  /**
   * The one that frames are cut from now, with room for `octets` more: the same for all hosts of a program, so that none
   * has one of its own. Used before, or new; where vectors can sum it, as long as there is such memory.
   */
  static withRoom(octets: number): Slab {
    const slab = current
    return slab !== null && slab.used + octets <= slab.to ? slab : Slab.#another()
  }

  static #another(): Slab {
    const before = current
    let slab = free
    if (slab === null) slab = Slab.#make()
    else {
      free = slab.#next
      freeCount--
      slab.#next = null
    }
    current = slab
    if (before !== null && before.#holders === 0) before.#give()
    return slab
  }

  static #make(): Slab {
    const vectors = vectorMemory()
    const at = vectors === null ? -1 : vectors.take(SLAB_SIZE)
    if (at >= 0) return new Slab(vectors!.bytes, vectors!.words, at, at + SLAB_SIZE, null)
    const bytes = new Uint8Array(SLAB_SIZE)
    return new Slab(bytes, new Uint32Array(bytes.buffer), 0, SLAB_SIZE, null)
  }

  hold(): void {
    this.#holders++
  }

  release(): void {
    if (--this.#holders > 0) return
    if (this === current) this.used = this.from
    else this.#give()
  }

  #give(): void {
    this.used = this.from
    if (this.#back !== null) {
      if (!this.#left) this.#back(this)
      return
    }
    // the vectors' memory is there for good
    if (freeCount >= MOST_KEPT && this.from === 0) return
    this.#next = free
    free = this
    freeCount++
  }
}

let current: Slab | null = null
let free: Slab | null = null
let freeCount = 0
