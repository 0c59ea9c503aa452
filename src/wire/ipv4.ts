import { addressOf } from './address-table.js'
import { DropReason } from './drop-reason.js'
import type { IpAddress } from './ip-address.js'
import { read16, read32, write16, write32 } from './octets.js'
import type { PacketHeader } from './packet-header.js'

/** Octets of an IPv4 header without options. */
export const IPV4_HEADER_LENGTH = 20

/** Flags in the fragment field of an IPv4 header. */
export const IPV4_DONT_FRAGMENT = 0x4000
export const IPV4_MORE_FRAGMENTS = 0x2000

/** Reads an IPv4 header (RFC 791 3.1) in place; options are skipped, octets behind the total length are ignored. */
export function parseIPv4(bytes: Uint8Array, start: number, end: number, header: PacketHeader): DropReason | null {
  if (end - start < IPV4_HEADER_LENGTH) return DropReason.FrameTooShort
  const first = bytes[start]!
  if (first >>> 4 !== 4) return DropReason.BadIpVersion
  const headerLength = (first & 15) * 4
  if (headerLength < IPV4_HEADER_LENGTH || headerLength > end - start) return DropReason.BadIpHeaderLength
  const totalLength = read16(bytes, start + 2)
  if (totalLength < headerLength || totalLength > end - start) return DropReason.BadIpTotalLength
  if (headerSum(bytes, start, headerLength) !== 0xffff) return DropReason.BadIpChecksum
  const tos = bytes[start + 1]!
  const fragment = read16(bytes, start + 6)
  header.version = 4
  header.protocol = bytes[start + 9]!
  header.source = addressOf(read32(bytes, start + 12), header.source)
  header.destination = addressOf(read32(bytes, start + 16), header.destination)
  header.start = start
  header.end = start + totalLength
  header.payloadStart = start + headerLength
  header.payloadEnd = start + totalLength
  header.ttl = bytes[start + 8]!
  header.dscp = tos & 0xfc
  header.ecn = tos & 3
  header.flowLabel = 0
  header.identification = read16(bytes, start + 4)
  header.dontFragment = (fragment & IPV4_DONT_FRAGMENT) !== 0
  header.moreFragments = (fragment & IPV4_MORE_FRAGMENTS) !== 0
  header.fragmentOffset = (fragment & 0x1fff) * 8
  return null
}

/** Sum of the header's words with the carries added back; 0xffff: its checksum is right. */
function headerSum(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0
  for (let i = at; i < at + length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  sum = (sum >>> 16) + (sum & 0xffff)
  return (sum >>> 16) + (sum & 0xffff)
}

/**
 * Writes a header of 20 octets at `at`, its checksum included.
 * @param payloadLength octets behind the header
 * @param tos DSCP and ECN in one octet
 * @param fragment flags and offset as in the header: 0x4000 don't fragment, 0x2000 more, and the offset in units of 8
 */
export function writeIPv4Header(
  bytes: Uint8Array,
  at: number,
  payloadLength: number,
  protocol: number,
  source: IpAddress,
  destination: IpAddress,
  ttl: number,
  tos: number,
  identification: number,
  fragment: number,
): void {
  bytes[at] = 0x45
  bytes[at + 1] = tos
  write16(bytes, at + 2, IPV4_HEADER_LENGTH + payloadLength)
  write16(bytes, at + 4, identification)
  write16(bytes, at + 6, fragment)
  bytes[at + 8] = ttl
  bytes[at + 9] = protocol
  write16(bytes, at + 10, 0)
  write32(bytes, at + 12, source.w3)
  write32(bytes, at + 16, destination.w3)
  updateIPv4Checksum(bytes, at)
}

/** Recomputes the header checksum of the IPv4 packet at `at`, after something in its header was changed. */
export function updateIPv4Checksum(bytes: Uint8Array, at: number): void {
  write16(bytes, at + 10, 0)
  write16(bytes, at + 10, ~headerSum(bytes, at, (bytes[at]! & 15) * 4))
}
