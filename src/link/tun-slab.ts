import { Frame, HEADROOM, Slab } from '../wire/index.js'
import type { System } from './tun-system.js'
import { VNET_HEADER_LENGTH } from './tun-vnet-header.js'

/** Longest packet a device gives, with its packet header and an Ethernet header with a VLAN tag. Unit: octets. */
const ROOM = VNET_HEADER_LENGTH + 18 + 65_535

/** Octets of a slab: what is left unused at its end is an eighth at most. */
const LENGTH = 512 * 1024
/** Slabs that came back and are kept. */
const MOST_BACK = 4

/**
 * Memory that packets are read into, one behind the other. How long a packet is shows only when it has been read, so
 * there is always room for the longest. Where frames are given back the same memory serves again, while it is in the
 * cache: for programs that read into a buffer of theirs. Programs that take text as it lies there keep its memory.
 */
export class ReceiveSlab {
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the next packet is to be read to, its packet header first. */
  at = 0
  /** Whoever gets the frames releases them. Counts from the next slab on. */
  lends = false
  readonly #system: System
  readonly #firstAt: number
  /** null: whoever gets the frames does not release them. */
  #slab: Slab | null = null
  #address = 0
  readonly #back: Slab[] = []
  readonly #comesBack = (slab: Slab) => {
    if (this.#back.length < MOST_BACK) this.#back.push(slab)
  }

  /** @param linkLength octets of link header before each IP packet, which is to lie at a multiple of 4 */
  constructor(system: System, linkLength: number) {
    this.#system = system
    // before each frame HEADROOM octets are its own, as with FrameAllocator: the packet header and these
    this.#firstAt = HEADROOM - VNET_HEADER_LENGTH + ((4 - (linkLength & 3)) & 3)
    this.#open()
  }

  /** Address of `at`. */
  get address(): number {
    return this.#address + this.at
  }

  get room(): number {
    return ROOM
  }

  /** As a view, for a reader that wants one. */
  view(): Uint8Array {
    return this.bytes.subarray(this.at, this.at + ROOM)
  }

  /** The octets [start, end), of which `end` ends what was read to `at`, as a frame. */
  cut(start: number, end: number): Frame {
    const slab = this.#slab
    const frame = slab === null ? new Frame(this.bytes, start, end) : Frame.lent(slab, start, end)
    this.at = ((end + 7) & ~7) + this.#firstAt
    if (this.at + ROOM > LENGTH) {
      this.close()
      this.#open()
    }
    return frame
  }

  /** Nothing more is read to where it is. */
  close(): void {
    const slab = this.#slab
    this.#slab = null
    slab?.release()
  }

  /** What is read to is held here: it does not come back while the frames cut from it do. */
  #open(): void {
    const slab = this.lends ? (this.#back.pop() ?? Slab.ofOwn(memory(), this.#comesBack)) : null
    slab?.hold()
    this.#slab = slab
    this.bytes = slab?.bytes ?? memory()
    this.#address = this.#system.addressOf(this.bytes.buffer)
    this.at = this.#firstAt
  }
}

const memory = (): Uint8Array => Buffer.allocUnsafeSlow(LENGTH)
