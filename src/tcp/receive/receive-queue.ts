import { copyOctets, type Slab } from '../../wire/index.js'

/** Text shorter than this is copied: a view would hold a frame's buffer for little. Octets. */
const COPY_BELOW = 512
/** Buffers of a stretch of copied text, smallest and largest, octets. */
const SMALLEST_COPY = 256
const LARGEST_COPY = 8192
/** Views may hold buffers of this many times the receive buffer, or this many times the text in them. */
const HELD_PER_BUFFER = 4
const HELD_PER_OCTET = 8

/** Most that is copied together for a reader that keeps it, octets. */
const LARGEST_READ = 65_536

/** Whoever reads text where it lies: [start, end) of `bytes`, for as long as the call lasts. */
export type TakeText = (bytes: Uint8Array, start: number, end: number) => void

/** A stretch of received text: [start, end) of a frame's buffer, or of one of our own. */
export class Chunk {
  bytes: Uint8Array = NOTHING
  start = 0
  end = 0
  /** Where `bytes` may be filled to; `end` when it is a frame's. */
  limit = 0
  /** Where our own part of `bytes` begins, if nobody else has seen it; -1 otherwise. */
  own = -1
  /** Who lends `bytes`, and is held as long as this is in a queue; null: they are nobody else's. */
  slab: Slab | null = null
  /** What it costs of the receive buffer (see receive-memory.ts). */
  charge = 0
  next: Chunk | null = null
}

const NOTHING = new Uint8Array(0)

let freeChunks: Chunk | null = null
let freeCount = 0
const MOST_FREE = 4096

/** A chunk object, new or used before; text that comes and is read at once costs no allocation. */
export function newChunk(bytes: Uint8Array, start: number, end: number, charge: number): Chunk {
  let chunk = freeChunks
  if (chunk === null) chunk = new Chunk()
  else {
    freeChunks = chunk.next
    freeCount--
    chunk.next = null
  }
  chunk.bytes = bytes
  chunk.start = start
  chunk.end = end
  chunk.limit = end
  chunk.own = -1
  chunk.charge = charge
  return chunk
}

/**
 * Short text is copied into parts of one larger buffer: that of many connections lies close together. The part used last
 * is used again when its text was copied out before anything else came.
 */
const SCRAPS = 16384
let scraps = NOTHING
let scrapsUsed = 0

function newScrap(size: number, charge: number): Chunk {
  if (scrapsUsed + size > scraps.length) {
    scraps = new Uint8Array(SCRAPS)
    scrapsUsed = 0
  }
  const chunk = newChunk(scraps, scrapsUsed, scrapsUsed, charge)
  chunk.own = scrapsUsed
  scrapsUsed += size
  chunk.limit = scrapsUsed
  return chunk
}

export function freeChunk(chunk: Chunk): void {
  if (chunk.slab !== null) {
    chunk.slab.release()
    chunk.slab = null
  }
  if (chunk.own >= 0 && chunk.limit === scrapsUsed && chunk.bytes === scraps) scrapsUsed = chunk.own
  chunk.bytes = NOTHING
  if (freeCount >= MOST_FREE) {
    chunk.next = null
    return
  }
  chunk.next = freeChunks
  freeChunks = chunk
  freeCount++
}

/**
 * Text in order that the program has not read (the user's receive queue of RFC 9293 3.10.7.4, seventh). Long text stays
 * where the link put it; short text is gathered, so that a slow reader does not hold large buffers for few octets.
 */
export class ReceiveQueue {
  /** Octets not read. */
  octets = 0
  /** What they cost of the receive buffer. */
  charged = 0
  /** Room behind the last segment in the buffer Linux would have put it in: text that fits there costs nothing more. */
  tailroom = 0
  /** Octets of the buffers that views hold. */
  #held = 0
  #head: Chunk | null = null
  #tail: Chunk | null = null

  /** Appends text; `buffer` is the receive buffer's size, for how much of others' memory may be held. */
  append(
    bytes: Uint8Array,
    start: number,
    length: number,
    charge: number,
    buffer: number,
    slab: Slab | null = null,
  ): void {
    this.octets += length
    this.charged += charge
    const tail = this.#tail
    if (tail !== null && length < COPY_BELOW && tail.limit - tail.end >= length) {
      copyOctets(bytes, start, length, tail.bytes, tail.end)
      tail.end += length
      tail.charge += charge
      return
    }
    if (this.#mayHold(bytes, slab, length, buffer)) {
      const chunk = newChunk(bytes, start, start + length, charge)
      if (slab !== null) {
        slab.hold()
        chunk.slab = slab
      }
      this.#link(chunk)
      return
    }
    const chunk = this.#room(copySize(length, this.octets), charge)
    copyOctets(bytes, start, length, chunk.bytes, chunk.start)
    chunk.end = chunk.start + length
    this.#link(chunk)
  }

  #room(size: number, charge: number): Chunk {
    if (size <= SCRAPS / 4) return newScrap(size, charge)
    const chunk = newChunk(new Uint8Array(size), 0, 0, charge)
    chunk.limit = size
    return chunk
  }

  /** Takes over a stretch of chunks, of the reassembly. */
  appendChunks(head: Chunk, tail: Chunk, octets: number, charge: number): void {
    this.octets += octets
    this.charged += charge
    this.tailroom = 0
    if (this.#tail === null) this.#head = head
    else this.#tail.next = head
    this.#tail = tail
  }

  /** Copies up to `max` octets to `target`; returns how many. */
  read(target: Uint8Array, max: number): number {
    let taken = 0
    const wanted = Math.min(max, target.length, this.octets)
    while (taken < wanted) {
      const chunk = this.#head!
      const n = Math.min(wanted - taken, chunk.end - chunk.start)
      copyOctets(chunk.bytes, chunk.start, n, target, taken)
      taken += n
      this.#advance(chunk, n)
    }
    return taken
  }

  /** Shows `max` octets, fewer when there are fewer, to `take`, stretch by stretch; returns how many. */
  readInPlace(max: number, take: TakeText): number {
    let taken = 0
    const wanted = Math.min(max, this.octets)
    while (taken < wanted) {
      const chunk = this.#head!
      const { bytes, start } = chunk
      const n = Math.min(wanted - taken, chunk.end - start)
      take(bytes, start, start + n)
      taken += n
      this.#advance(chunk, n)
    }
    return taken
  }

  /** As `read`, but the text stays; `from` octets are passed over first. */
  peek(target: Uint8Array, max: number, from = 0): number {
    let taken = 0
    let skip = from
    for (let chunk = this.#head; chunk !== null && taken < max && taken < target.length; chunk = chunk.next) {
      const available = chunk.end - chunk.start
      if (skip >= available) {
        skip -= available
        continue
      }
      const n = Math.min(available - skip, max - taken, target.length - taken)
      copyOctets(chunk.bytes, chunk.start + skip, n, target, taken)
      taken += n
      skip = 0
    }
    return taken
  }

  /** The next text lies in memory that is lent. */
  get isLent(): boolean {
    return this.#head !== null && this.#head.slab !== null
  }

  /**
   * The next text, at most `max` octets, to be kept by whoever reads it; null: there is none. As it lies in memory, or, when
   * that is lent, copied together with what follows.
   */
  readChunk(max: number): Uint8Array | null {
    const chunk = this.#head
    if (chunk === null || max <= 0) return null
    if (chunk.slab?.leave() === false) {
      const copied = new Uint8Array(Math.min(max, this.octets, LARGEST_READ))
      this.read(copied, copied.length)
      return copied
    }
    const n = Math.min(max, chunk.end - chunk.start)
    const view = chunk.bytes.subarray(chunk.start, chunk.start + n)
    chunk.own = -1
    this.#advance(chunk, n)
    return view
  }

  /** The octet at `offset` from the next to be read; it must be there. */
  octetAt(offset: number): number {
    let left = offset
    let chunk = this.#head!
    while (left >= chunk.end - chunk.start) {
      left -= chunk.end - chunk.start
      chunk = chunk.next!
    }
    return chunk.bytes[chunk.start + left]!
  }

  /** Throws away the first `n` octets. */
  skip(n: number): void {
    let left = Math.min(n, this.octets)
    while (left > 0) {
      const chunk = this.#head!
      const step = Math.min(left, chunk.end - chunk.start)
      left -= step
      this.#advance(chunk, step)
    }
  }

  /** Throws away everything. */
  clear(): void {
    this.skip(this.octets)
  }

  /**
   * Copies what lies in half-empty buffers together (Linux tcp_collapse), when memory is short. `costOf` says what a
   * buffer of so many octets costs.
   */
  collapse(costOf: (octets: number) => number): void {
    if (this.#head === null) return
    const pieces: Uint8Array[] = []
    const size = 3776
    let left = this.octets
    while (left > 0) {
      const piece = new Uint8Array(Math.min(size, left))
      this.read(piece, piece.length)
      left -= piece.length
      pieces.push(piece)
    }
    for (const piece of pieces) {
      const charge = costOf(piece.length)
      this.octets += piece.length
      this.charged += charge
      this.#link(newChunk(piece, 0, piece.length, charge))
    }
    this.tailroom = 0
  }

  #mayHold(bytes: Uint8Array, slab: Slab | null, length: number, buffer: number): boolean {
    if (length < COPY_BELOW) return false
    const tail = this.#tail
    if (tail !== null && tail.bytes === bytes && tail.slab === slab) return true
    const held = this.#held + (slab === null ? bytes.length : slab.to - slab.from)
    if (held > HELD_PER_BUFFER * buffer && held > HELD_PER_OCTET * this.octets) return false
    this.#held = held
    return true
  }

  #link(chunk: Chunk): void {
    if (this.#tail === null) this.#head = chunk
    else this.#tail.next = chunk
    this.#tail = chunk
  }

  #advance(chunk: Chunk, n: number): void {
    this.octets -= n
    chunk.start += n
    if (chunk.start < chunk.end) return
    // charged as a whole until the last octet of it is read, as the memory is held
    this.charged -= chunk.charge
    this.#head = chunk.next
    if (this.#head === null) {
      this.#tail = null
      this.#held = 0
      this.tailroom = 0
    }
    freeChunk(chunk)
  }
}

function copySize(length: number, queued: number): number {
  if (length >= COPY_BELOW) return length
  let size = SMALLEST_COPY
  while (size < LARGEST_COPY && (size < length || size < queued)) size *= 2
  return size
}
