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

const utf8 = new TextEncoder()

interface BlockOption {
  readonly code: number
  readonly value: Uint8Array
}

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

export function sectionHeaderBlock(application: string): Uint8Array {
  const body = new Uint8Array(16)
  const view = new DataView(body.buffer)
  view.setUint32(0, 0x1a2b3c4d, true)
  view.setUint16(4, 1, true) // version 1.0
  view.setBigInt64(8, -1n, true) // length of the section: not said
  return block(SECTION_HEADER, body, [{ code: SHB_USER_APPLICATION, value: utf8.encode(application) }])
}

/** @param snapLength octets kept of a packet; 0: all */
export function interfaceBlock(name: string, linkType: number, snapLength: number): Uint8Array {
  const body = new Uint8Array(8)
  const view = new DataView(body.buffer)
  view.setUint16(0, linkType, true)
  view.setUint32(4, snapLength, true)
  return block(INTERFACE_DESCRIPTION, body, [
    { code: IF_NAME, value: utf8.encode(name) },
    { code: IF_TIMESTAMP_RESOLUTION, value: Uint8Array.of(9) },
  ])
}

export function packetBlock(packet: CapturedPacket): Uint8Array {
  const { octets } = packet
  const body = new Uint8Array(20 + roundUp(octets.length))
  const view = new DataView(body.buffer)
  view.setUint32(0, packet.interfaceId, true)
  view.setUint32(4, Number(packet.nanoseconds >> 32n), true)
  view.setUint32(8, Number(packet.nanoseconds & 0xffffffffn), true)
  view.setUint32(12, octets.length, true)
  view.setUint32(16, packet.originalLength, true)
  body.set(octets, 20)
  const options: BlockOption[] = packet.comments.map((text) => ({ code: OPT_COMMENT, value: utf8.encode(text) }))
  options.push({ code: EPB_FLAGS, value: Uint8Array.of(packet.direction === 'inbound' ? 1 : 2, 0, 0, 0) })
  return block(ENHANCED_PACKET, body, options)
}

/** A block: type, length, body, options, length again; everything in words of 32 bits. */
function block(type: number, body: Uint8Array, options: readonly BlockOption[]): Uint8Array {
  const optionsLength = options.reduce((sum, { value }) => sum + 4 + roundUp(value.length), 4)
  const length = 12 + body.length + optionsLength
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  out.set(body, 8)
  let at = 8 + body.length
  for (const { code, value } of options) {
    view.setUint16(at, code, true)
    view.setUint16(at + 2, value.length, true)
    out.set(value, at + 4)
    at += 4 + roundUp(value.length)
  }
  view.setUint16(at, OPT_END, true)
  view.setUint32(length - 4, length, true)
  return out
}

function roundUp(length: number): number {
  return (length + 3) & ~3
}
