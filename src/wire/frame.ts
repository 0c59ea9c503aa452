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

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  get length(): number {
    return this.end - this.start
  }

  /** The octets as a view of their own; allocates, not for the hot path. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }
}

/** Octets kept free before each frame, enough for a link to prepend its own header (Ethernet: 14). */
export const HEADROOM = 16

/** Octets of a slab: the first of a host is small, since many send a few segments only; the next ones twice as large each. */
const FIRST_SLAB_SIZE = 8 * 1024
const SLAB_SIZE = 256 * 1024

/** Cuts frames from large buffers; one allocation of memory per 256 KB of frames. */
export class FrameAllocator {
  #slab = new Uint8Array(0)
  #nextSize = FIRST_SLAB_SIZE
  #used = 0

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
    if (this.#used + need > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(this.#nextSize, need))
      this.#nextSize = Math.min(SLAB_SIZE, this.#nextSize * 2)
      this.#used = 0
    }
    const start = this.#used + HEADROOM
    // the next frame starts at a multiple of 8, so that sums over words are aligned
    this.#used = (start + length + 7) & ~7
    return new Frame(this.#slab, start, start + length)
  }
}
