import { SLAB_SIZE, Slab } from './slab.js'

/** Text of a frame that lies elsewhere, in stretches one behind the other, and is not copied into it. */
export class TextElsewhere {
  /** Stretches of one frame, at most. */
  static readonly MOST = 64
  /** Of all stretches. */
  octets = 0
  count = 0
  /** Stretch i is [starts[i], starts[i] + lengths[i]) of bytes[i]. */
  readonly bytes: Uint8Array[] = []
  readonly starts: number[] = []
  readonly lengths: number[] = []

  add(bytes: Uint8Array, start: number, length: number): void {
    const i = this.count++
    this.bytes[i] = bytes
    this.starts[i] = start
    this.lengths[i] = length
    this.octets += length
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.bytes[i] = NOTHING
    this.count = 0
    this.octets = 0
  }
}

const NOTHING = new Uint8Array(0)

/**
 * What a link carries: the octets [start, end) of a buffer that is usually shared with other frames (a slab), so that
 * a frame costs one small object and no ArrayBuffer. A frame handed to a link belongs to the link, and a frame that a
 * link delivers belongs to the receiver: payloads are kept as views of it.
 *
 * A frame may be a super-segment: one TCP header before up to 64 KB of text that stands for several segments of
 * `gsoSize` octets, as with Linux's virtio_net_hdr.
 */
export class Frame {
  bytes: Uint8Array
  /** First octet, inclusive. */
  start: number
  /** Last octet, exclusive. */
  end: number
  /** Octets of text per segment when this is a super-segment; 0: one segment. */
  gsoSize = 0
  /** True: the transport checksum is known to be right, or is for the link to fill in. */
  checksumPartial = false
  /** The buffer of `bytes`, from its beginning, as words of 32 bits; null: nobody made that view. */
  words: Uint32Array | null = null
  /** What follows its octets, for links that gather (`Link.gathers`); null: nothing. */
  elsewhere: TextElsewhere | null = null
  /** Where its octets are lent from: whoever gets the frame releases it. null: they are nobody else's. */
  slab: Slab | null = null
  #next: Frame | null = null

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  /** A frame whose octets are lent by `slab`. */
  static lent(slab: Slab, start: number, end: number): Frame {
    let frame = spare
    if (frame === null) frame = new Frame(slab.bytes, start, end)
    else {
      spare = frame.#next
      spareCount--
      frame.#next = null
      frame.bytes = slab.bytes
      frame.start = start
      frame.end = end
      frame.gsoSize = 0
      frame.checksumPartial = false
      frame.elsewhere = null
    }
    frame.words = slab.words
    frame.slab = slab
    slab.hold()
    return frame
  }

  /**
   * Nothing of the frame is needed any more, unless its slab is held besides: neither the object nor the octets may be
   * looked at again. Of a frame that is not lent nothing changes.
   */
  release(): void {
    const { slab } = this
    if (slab === null) return
    this.slab = null
    slab.release()
    if (spareCount >= MOST_SPARE) return
    this.#next = spare
    spare = this
    spareCount++
  }

  get length(): number {
    return this.end - this.start
  }

  /** The octets as a view of their own; allocates, not for the hot path. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }
}

let spare: Frame | null = null
let spareCount = 0

/** Octets kept free before each frame, enough for a link to prepend its own header (Ethernet: 14). */
export const HEADROOM = 16

/** Frames that were released, to be used again. */
const MOST_SPARE = 8192

/** Octets of a buffer: the first of a host is small, since many send a few segments only; the next ones twice as large each. */
const FIRST_SIZE = 8 * 1024

/** Cuts frames from large buffers; one allocation of memory per 256 KB of frames. */
export class FrameAllocator {
  #bytes = new Uint8Array(0)
  #words = new Uint32Array(0)
  #nextSize: number
  #used = 0

  /** @param firstSize octets of the first buffer */
  constructor(firstSize = FIRST_SIZE) {
    this.#nextSize = firstSize
  }

  /** Octets of the current slab that frames have. */
  get used(): number {
    return this.#used
  }

  /** Every frame cut so far is done with: the current slab is cut anew. */
  rewind(): void {
    this.#used = 0
  }

  /** A frame of `length` octets, which the caller fills completely. */
  allocate(length: number): Frame {
    const need = HEADROOM + length
    if (this.#used + need > this.#bytes.length) {
      this.#bytes = new Uint8Array((Math.max(this.#nextSize, need) + 3) & ~3)
      this.#words = new Uint32Array(this.#bytes.buffer)
      this.#nextSize = Math.min(SLAB_SIZE, this.#nextSize * 2)
      this.#used = 0
    }
    const start = this.#used + HEADROOM
    // the next frame starts at a multiple of 8, so that sums over words are aligned
    this.#used = (start + length + 7) & ~7
    const frame = new Frame(this.#bytes, start, start + length)
    frame.words = this.#words
    return frame
  }

  /** The same in memory that is used again as soon as the frame is released. */
  lend(length: number): Frame {
    const need = HEADROOM + length
    if (need > SLAB_SIZE) return this.allocate(length)
    const slab = Slab.withRoom(need)
    const start = slab.used + HEADROOM
    slab.used = (start + length + 7) & ~7
    return Frame.lent(slab, start, start + length)
  }
}
