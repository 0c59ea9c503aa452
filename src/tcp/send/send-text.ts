import { copyOctets, TextElsewhere, vectorMemory } from '../../wire/index.js'

/** Octets of text in a row: a block we copy into, or a chunk the program gave away. */
class Chunk {
  readonly bytes: Uint8Array
  /** Where they begin in `bytes`, and how many there may be. */
  readonly start: number
  readonly size: number
  /** Sequence number of the first. */
  seq: number
  /** Octets of text in it. */
  length: number
  /** Ours: may be filled further, and used again afterwards. */
  readonly own: boolean
  next: Chunk | null = null

  constructor(bytes: Uint8Array, start: number, size: number, seq: number, length: number, own: boolean) {
    this.bytes = bytes
    this.start = start
    this.size = size
    this.seq = seq
    this.length = length
    this.own = own
  }
}

/** Sizes of blocks are powers of two. */
const SMALLEST_BITS = 10
const LARGEST_BITS = 16

/** Blocks not in use, shared by all connections, by the bits of their size; of each size at most 4 MB, of the largest 16. */
const free: (Chunk | null)[] = new Array<Chunk | null>(LARGEST_BITS + 1).fill(null)
const freeCount: number[] = new Array<number>(LARGEST_BITS + 1).fill(0)
const freeMost = (bits: number): number => (bits === LARGEST_BITS ? 1 << 24 : 1 << 22) >> bits

/** A block for `wanted` octets of text that begin at `seq`, or for as many of them as the largest takes. */
function takeBlock(wanted: number, seq: number): Chunk {
  const bits = Math.min(LARGEST_BITS, Math.max(SMALLEST_BITS, 32 - Math.clz32(wanted - 1)))
  const block = free[bits]!
  if (block === null) return newBlock(bits, seq)
  free[bits] = block.next
  freeCount[bits]!--
  block.next = null
  block.seq = seq
  return block
}

/** Blocks of the largest size are made where frames are cut, the first of them: text moves fastest within that memory. */
function newBlock(bits: number, seq: number): Chunk {
  const size = 1 << bits
  if (bits === LARGEST_BITS && blocksTaken < MOST_TAKEN) {
    blocksTaken++
    const vectors = vectorMemory()
    const at = vectors === null ? -1 : vectors.take(size)
    if (at >= 0) return new Chunk(vectors!.bytes, at, size, seq, 0, true)
  }
  return new Chunk(new Uint8Array(size), 0, size, seq, 0, true)
}

const MOST_TAKEN = 64
let blocksTaken = 0

function giveBlock(block: Chunk): void {
  const bits = 31 - Math.clz32(block.size)
  block.length = 0
  block.next = null
  if (freeCount[bits]! >= freeMost(bits)) return
  block.next = free[bits]!
  free[bits] = block
  freeCount[bits]!++
}

/** The text of a connection that is not acknowledged yet, by sequence number. Nothing is held when there is none. */
export class SendText {
  #first: Chunk | null = null
  #last: Chunk | null = null
  /** The chunk read last: sending goes forward. */
  #cursor: Chunk | null = null

  /** Copies a chunk behind the text that ends before `seq`. */
  append(chunk: Uint8Array, from: number, length: number, seq: number): void {
    let at = from
    const end = from + length
    let last = this.#last
    if (last?.own === true && ((last.seq + last.length) | 0) === seq) {
      const n = Math.min(length, last.size - last.length)
      if (n > 0) {
        copyOctets(chunk, at, n, last.bytes, last.start + last.length)
        last.length += n
        at += n
      }
    }
    while (at < end) {
      last = takeBlock(end - at, (seq + (at - from)) | 0)
      const n = Math.min(last.size, end - at)
      copyOctets(chunk, at, n, last.bytes, last.start)
      last.length = n
      this.#link(last)
      at += n
    }
  }

  /** Takes a chunk that the program will not touch again. */
  keep(chunk: Uint8Array, from: number, length: number, seq: number): void {
    this.#link(new Chunk(chunk, from, length, seq, length, false))
  }

  copyText(seq: number, length: number, target: Uint8Array, at: number): void {
    for (let done = 0; done < length; ) {
      const chunk = this.#chunkAt((seq + done) | 0)
      const offset = (seq + done - chunk.seq) | 0
      const n = Math.min(length - done, chunk.length - offset)
      copyOctets(chunk.bytes, chunk.start + offset, n, target, at + done)
      done += n
    }
  }

  /** Where the octets lie that `copyText` would copy. False: in more stretches than it takes. */
  findText(seq: number, length: number, into: TextElsewhere): boolean {
    for (let done = 0; done < length; ) {
      if (into.count === TextElsewhere.MOST) return false
      const chunk = this.#chunkAt((seq + done) | 0)
      const offset = (seq + done - chunk.seq) | 0
      const n = Math.min(length - done, chunk.length - offset)
      into.add(chunk.bytes, chunk.start + offset, n)
      done += n
    }
    return true
  }

  /** The chunk that has the octet at `seq`: the one read last, or one behind it, most often. */
  #chunkAt(seq: number): Chunk {
    let chunk = this.#cursor
    if (chunk === null || ((seq - chunk.seq) | 0) < 0) chunk = this.#first
    while (chunk !== null && ((seq - chunk.seq) | 0) >= chunk.length) chunk = chunk.next
    if (chunk === null) throw new RangeError(`no text at sequence number ${seq >>> 0}`)
    this.#cursor = chunk
    return chunk
  }

  /** Text before `seq` is acknowledged. */
  release(seq: number): void {
    let chunk = this.#first
    while (chunk !== null && ((chunk.seq + chunk.length - seq) | 0) <= 0) {
      const { next }: Chunk = chunk
      if (this.#cursor === chunk) this.#cursor = null
      if (chunk.own) giveBlock(chunk)
      chunk = next
    }
    this.#first = chunk
    if (chunk === null) this.#last = null
  }

  #link(chunk: Chunk): void {
    if (this.#last === null) this.#first = chunk
    else this.#last.next = chunk
    this.#last = chunk
  }
}
