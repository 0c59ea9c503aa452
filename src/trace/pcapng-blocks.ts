/** Blocks of the pcapng format (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds. */

/** LINKTYPE_RAW: packets begin with an IPv4 or IPv6 header. */
export const LINKTYPE_RAW = 101

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6

const OPT_END = 0
const OPT_COMMENT = 1
const SHB_USER_APPLICATION = 4
const IF_NAME = 2
const IF_TIMESTAMP_RESOLUTION = 9
const EPB_FLAGS = 2

const INBOUND = Uint8Array.of(1, 0, 0, 0)
const OUTBOUND = Uint8Array.of(2, 0, 0, 0)
/** Of a time: 10 to the power of minus nine seconds. */
const NANOSECONDS = Uint8Array.of(9)

/** What a packet's block has besides the packet when nothing is said of it; octets. */
export const ROOM_BESIDE_OCTETS = 64

const utf8 = new TextEncoder()

export interface CapturedPacket {
  /** Index of its interface, in the order of their descriptions. */
  readonly interfaceId: number
  /** Nanoseconds since 1970; a double has no room for as many. */
  readonly nanoseconds: bigint
  readonly octets: Uint8Array
  /** Octets it had before the capture cut it short. */
  readonly originalLength: number
  readonly direction: 'inbound' | 'outbound'
  readonly comments: readonly string[]
}

/** Blocks one behind the other in one buffer: what is captured is copied once. */
export class BlockWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** @param room octets expected, so that the buffer need not grow */
  constructor(room = 1024) {
    this.#bytes = new Uint8Array(room)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Everything written so far. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  sectionHeader(application: string): void {
    const at = this.#begin(SECTION_HEADER, 16)
    this.#view.setUint32(at, 0x1a2b3c4d, true)
    this.#view.setUint16(at + 4, 1, true) // version 1.0
    this.#view.setBigInt64(at + 8, -1n, true) // length of the section: not said
    this.#option(SHB_USER_APPLICATION, utf8.encode(application))
    this.#end(at)
  }

  /** @param snapLength octets kept of a packet; 0: all */
  interfaceDescription(name: string, linkType: number, snapLength: number): void {
    const at = this.#begin(INTERFACE_DESCRIPTION, 8)
    this.#view.setUint16(at, linkType, true)
    this.#view.setUint32(at + 4, snapLength, true)
    this.#option(IF_NAME, utf8.encode(name))
    this.#option(IF_TIMESTAMP_RESOLUTION, NANOSECONDS)
    this.#end(at)
  }

  packet(packet: CapturedPacket): void {
    const { octets } = packet
    const at = this.#begin(ENHANCED_PACKET, 20 + roundUp(octets.length))
    const view = this.#view
    view.setUint32(at, packet.interfaceId, true)
    view.setUint32(at + 4, Number(packet.nanoseconds >> 32n), true)
    view.setUint32(at + 8, Number(packet.nanoseconds & 0xffffffffn), true)
    view.setUint32(at + 12, octets.length, true)
    view.setUint32(at + 16, packet.originalLength, true)
    this.#bytes.set(octets, at + 20)
    for (const text of packet.comments) this.#option(OPT_COMMENT, utf8.encode(text))
    this.#option(EPB_FLAGS, packet.direction === 'inbound' ? INBOUND : OUTBOUND)
    this.#end(at)
  }

  /** A block: type, length, body, options, length again; everything in words of 32 bits. Gives where the body begins. */
  #begin(type: number, bodyLength: number): number {
    this.#reserve(8 + bodyLength)
    this.#view.setUint32(this.#length, type, true)
    const body = this.#length + 8
    this.#length = body + bodyLength
    return body
  }

  #option(code: number, value: Uint8Array): void {
    this.#reserve(4 + roundUp(value.length))
    this.#view.setUint16(this.#length, code, true)
    this.#view.setUint16(this.#length + 2, value.length, true)
    this.#bytes.set(value, this.#length + 4)
    this.#length += 4 + roundUp(value.length)
  }

  #end(body: number): void {
    this.#reserve(8)
    this.#view.setUint16(this.#length, OPT_END, true)
    this.#length += 8
    const length = this.#length - (body - 8)
    this.#view.setUint32(body - 4, length, true)
    this.#view.setUint32(this.#length - 4, length, true)
  }

  #reserve(octets: number): void {
    const need = this.#length + octets
    if (need <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** One block by itself, for captures that are written as they are made. */
export function sectionHeaderBlock(application: string): Uint8Array {
  return alone((writer) => writer.sectionHeader(application))
}

export function interfaceBlock(name: string, linkType: number, snapLength: number): Uint8Array {
  return alone((writer) => writer.interfaceDescription(name, linkType, snapLength))
}

export function packetBlock(packet: CapturedPacket): Uint8Array {
  return alone((writer) => writer.packet(packet), ROOM_BESIDE_OCTETS + packet.octets.length)
}

function alone(write: (writer: BlockWriter) => void, room?: number): Uint8Array {
  const writer = new BlockWriter(room)
  write(writer)
  return writer.written
}

function roundUp(length: number): number {
  return (length + 3) & ~3
}
