/** Octets of text in a row: a block we copy into, or a chunk the program gave away. */
class Chunk {
  bytes: Uint8Array
  /** Sequence number of bytes[0]. */
  seq: number
  /** Octets of text in it. */
  length: number
  /** Ours: may be filled further, and used again afterwards. */
  readonly own: boolean
  next: Chunk | null = null

  constructor(bytes: Uint8Array, seq: number, length: number, own: boolean) {
    this.bytes = bytes
    this.seq = seq
    this.length = length
    this.own = own
  }
}

const BLOCK = 65536
const SMALLEST_BLOCK = 1024
/** Whole blocks not in use, shared by all connections: at most 16 MB. */
const freeBlocks: Uint8Array[] = []
const FREE_BLOCKS_LIMIT = 256

function takeBlock(wanted: number): Uint8Array {
  if (wanted > BLOCK / 2) return freeBlocks.pop() ?? new Uint8Array(BLOCK)
  let size = SMALLEST_BLOCK
  while (size < wanted) size *= 2
  return new Uint8Array(size)
}

function giveBlock(bytes: Uint8Array): void {
  if (bytes.length === BLOCK && freeBlocks.length < FREE_BLOCKS_LIMIT) freeBlocks.push(bytes)
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
      const n = Math.min(length, last.bytes.length - last.length)
      if (n > 0) {
        copy(chunk, at, n, last.bytes, last.length)
        last.length += n
        at += n
      }
    }
    while (at < end) {
      const bytes = takeBlock(end - at)
      const n = Math.min(bytes.length, end - at)
      copy(chunk, at, n, bytes, 0)
      last = new Chunk(bytes, (seq + (at - from)) | 0, n, true)
      this.#link(last)
      at += n
    }
  }

  /** Takes a chunk that the program will not touch again. */
  keep(chunk: Uint8Array, from: number, length: number, seq: number): void {
    this.#link(new Chunk(chunk.subarray(from, from + length), seq, length, false))
  }

  copyText(seq: number, length: number, target: Uint8Array, at: number): void {
    let chunk = this.#cursor
    if (chunk === null || ((seq - chunk.seq) | 0) < 0) chunk = this.#first
    while (length > 0) {
      while (chunk !== null && ((seq - chunk.seq) | 0) >= chunk.length) chunk = chunk.next
      if (chunk === null) throw new RangeError(`no text at sequence number ${seq >>> 0}: ${length} octets missing`)
      const offset = (seq - chunk.seq) | 0
      const n = Math.min(length, chunk.length - offset)
      copy(chunk.bytes, offset, n, target, at)
      seq = (seq + n) | 0
      at += n
      length -= n
      this.#cursor = chunk
    }
  }

  /** Text before `seq` is acknowledged. */
  release(seq: number): void {
    let chunk = this.#first
    while (chunk !== null && ((chunk.seq + chunk.length - seq) | 0) <= 0) {
      if (chunk.own) giveBlock(chunk.bytes)
      if (this.#cursor === chunk) this.#cursor = null
      chunk = chunk.next
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

/** `set` costs a view; few octets are copied one by one. */
function copy(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
  if (length < 48) {
    for (let i = 0; i < length; i++) target[at + i] = source[from + i]!
  } else if (from === 0 && length === source.length) {
    target.set(source, at)
  } else {
    target.set(source.subarray(from, from + length), at)
  }
}
