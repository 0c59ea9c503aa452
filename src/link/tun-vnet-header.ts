import {
  checksumAdd,
  checksumFold,
  type Frame,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  read16,
  TCP_HEADER_LENGTH,
  UDP_HEADER_LENGTH,
  write16,
} from '../wire/index.js'

/**
 * The header before each packet of a TUN device (struct virtio_net_hdr_v1 of the VIRTIO standard, 5.1.6), numbers in
 * little-endian order: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers. Unit: octets.
 */
export const VNET_HEADER_LENGTH = 12

/** flags: the checksum at csum_start + csum_offset holds the pseudo-header's sum and is for the receiver to finish. */
const NEEDS_CHECKSUM = 1

/** gso_type: several segments of gso_size; ECN: CWR stands in the first of them only. */
const GSO_NONE = 0
const GSO_TCP4 = 1
const GSO_TCP6 = 4
const GSO_ECN = 0x80

/** CWR in the octet of the TCP header that holds the flags. */
const CWR_BIT = 0x80

const FRAGMENT_BITS = 0x3fff

/**
 * Takes over into `frame` what the header at `at` says of it; false: something this link did not ask the kernel for.
 *
 * VIRTIO's "checksum verified by somebody else" (DATA_VALID) is not taken over: such a frame holds its checksum, and a
 * frame marked `checksumPartial` would have it computed anew when it is passed on.
 */
export function readVnetHeader(bytes: Uint8Array, at: number, frame: Frame): boolean {
  frame.checksumPartial = (bytes[at]! & NEEDS_CHECKSUM) !== 0
  const type = bytes[at + 1]! & ~GSO_ECN
  if (type === GSO_NONE) return true
  frame.gsoSize = bytes[at + 4]! | (bytes[at + 5]! << 8)
  return type === GSO_TCP4 || type === GSO_TCP6
}

/**
 * Writes at `at` the header of a frame to send; false: the frame cannot be what it says it is and must not be sent.
 * @param linkLength octets of link header (Ethernet: 14) that the frame starts with
 */
export function writeVnetHeader(bytes: Uint8Array, at: number, frame: Frame, linkLength: number): boolean {
  for (let i = 0; i < VNET_HEADER_LENGTH; i++) bytes[at + i] = 0
  const { gsoSize } = frame
  if (gsoSize === 0 && !frame.checksumPartial) return true
  const packet = frame.bytes
  const ip = frame.start + linkLength
  const end = frame.end + (frame.elsewhere === null ? 0 : frame.elsewhere.octets)
  const transport = transportStart(packet, ip, end)
  if (transport < 0) return false
  const protocol = packet[ip]! >>> 4 === 4 ? packet[ip + 9]! : packet[ip + 6]!
  if (gsoSize > 0 && protocol === IPPROTO_TCP) {
    const headerLength = (packet[transport + 12]! >>> 4) * 4
    const textStart = transport + headerLength
    if (headerLength < TCP_HEADER_LENGTH || textStart > end) return false
    if (end - textStart > gsoSize) {
      // a device that cuts segments computes their checksums: what was garbled must not get a right one
      if (!frame.checksumPartial && !finishedChecksumToPartial(packet, ip, transport, end)) return false
      frame.checksumPartial = true
      const type = packet[ip]! >>> 4 === 4 ? GSO_TCP4 : GSO_TCP6
      bytes[at + 1] = packet[transport + 13]! & CWR_BIT ? type | GSO_ECN : type
      writeLittle16(bytes, at + 2, textStart - frame.start)
      writeLittle16(bytes, at + 4, gsoSize)
    }
  }
  if (!frame.checksumPartial) return true
  bytes[at] = NEEDS_CHECKSUM
  writeLittle16(bytes, at + 6, transport - frame.start)
  writeLittle16(bytes, at + 8, protocol === IPPROTO_TCP ? 16 : 6)
  return true
}

/**
 * Where the TCP or UDP header of a whole packet starts; -1 when there is none, or the packet is not whole. Hosts leave
 * checksums and cutting to a link only for packets whose transport header follows the IP header directly.
 */
function transportStart(bytes: Uint8Array, ip: number, end: number): number {
  if (end - ip < IPV4_HEADER_LENGTH) return -1
  let start: number
  let protocol: number
  if (bytes[ip]! >>> 4 === 4) {
    start = ip + (bytes[ip]! & 15) * 4
    protocol = bytes[ip + 9]!
    if (start < ip + IPV4_HEADER_LENGTH || (read16(bytes, ip + 6) & FRAGMENT_BITS) !== 0) return -1
    if (read16(bytes, ip + 2) !== end - ip) return -1
  } else if (bytes[ip]! >>> 4 === 6) {
    start = ip + IPV6_HEADER_LENGTH
    protocol = bytes[ip + 6]!
    if (read16(bytes, ip + 4) !== end - start) return -1
  } else return -1
  if (protocol === IPPROTO_TCP) return end - start < TCP_HEADER_LENGTH ? -1 : start
  if (protocol === IPPROTO_UDP) return end - start < UDP_HEADER_LENGTH ? -1 : start
  return -1
}

/** Verifies the checksum of a TCP segment and puts the pseudo-header's sum in its place; false: it is wrong. */
function finishedChecksumToPartial(bytes: Uint8Array, ip: number, transport: number, end: number): boolean {
  const isIPv4 = bytes[ip]! >>> 4 === 4
  const addresses = isIPv4 ? checksumAdd(0, bytes, ip + 12, ip + 20) : checksumAdd(0, bytes, ip + 8, ip + 40)
  const pseudo = addresses + IPPROTO_TCP + (end - transport)
  if (checksumFold(checksumAdd(pseudo, bytes, transport, end)) !== 0) return false
  write16(bytes, transport + 16, ~checksumFold(pseudo))
  return true
}

function writeLittle16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
}
