import { HEADROOM } from '../wire/index.js'
import type { System } from './tun-system.js'
import { VNET_HEADER_LENGTH } from './tun-vnet-header.js'

/** Longest packet a device gives, with its packet header and an Ethernet header with a VLAN tag. Unit: octets. */
const ROOM = VNET_HEADER_LENGTH + 18 + 65_535

/** Octets of a slab: what is left unused at its end is an eighth at most. */
const SLAB_LENGTH = 512 * 1024

/**
 * Memory that packets are read into, one behind the other. How long a packet is shows only when it has been read, so
 * there is always room for the longest; a full slab is left to the frames cut from it.
 */
export class ReceiveSlab {
  bytes: Buffer<ArrayBuffer>
  /** Where the next packet is to be read to, its packet header first. */
  at: number
  readonly #system: System
  readonly #firstAt: number
  #address: number

  /** @param linkLength octets of link header before each IP packet, which is to lie at a multiple of 4 */
  constructor(system: System, linkLength: number) {
    this.#system = system
    // before each frame HEADROOM octets are its own, as with FrameAllocator: the packet header and these
    this.#firstAt = HEADROOM - VNET_HEADER_LENGTH + ((4 - (linkLength & 3)) & 3)
    this.bytes = Buffer.allocUnsafeSlow(SLAB_LENGTH)
    this.#address = system.addressOf(this.bytes.buffer)
    this.at = this.#firstAt
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

  /** The octets up to `end` are a frame's from now on. */
  take(end: number): void {
    const start = (end + 7) & ~7
    this.at = start + this.#firstAt
    if (this.at + ROOM <= SLAB_LENGTH) return
    this.bytes = Buffer.allocUnsafeSlow(SLAB_LENGTH)
    this.#address = this.#system.addressOf(this.bytes.buffer)
    this.at = this.#firstAt
  }
}
