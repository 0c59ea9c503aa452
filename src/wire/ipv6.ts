import { internAddress } from './address-table.js'
import { DropReason } from './drop-reason.js'
import { type IpAddress, writeAddress } from './ip-address.js'
import { read16, read32, write16, write32 } from './octets.js'
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
  type PacketHeader,
} from './packet-header.js'

/** Octets of the fixed IPv6 header. */
export const IPV6_HEADER_LENGTH = 40

/** Octets of an IPv6 fragment header (RFC 8200 4.5). */
export const IPV6_FRAGMENT_HEADER_LENGTH = 8

/** Extension headers walked before a packet is given up (RFC 8504 5.3 lets a host have such a limit). */
const MAX_EXTENSION_HEADERS = 8

/** Options walked in one options header; as many as Linux's `net.ipv6.max_dst_opts_number`. */
const MAX_OPTIONS = 8

/** Reads an IPv6 header and the extension headers behind it (RFC 8200 3 and 4) in place. */
export function parseIPv6(bytes: Uint8Array, start: number, end: number, header: PacketHeader): DropReason | null {
  if (end - start < IPV6_HEADER_LENGTH) return DropReason.FrameTooShort
  if (bytes[start]! >>> 4 !== 6) return DropReason.BadIpVersion
  const payloadLength = read16(bytes, start + 4)
  const payloadStart = start + IPV6_HEADER_LENGTH
  if (payloadLength > end - payloadStart) return DropReason.BadIpTotalLength
  const first = read32(bytes, start)
  header.version = 6
  header.source = internAddress(
    read32(bytes, start + 8),
    read32(bytes, start + 12),
    read32(bytes, start + 16),
    read32(bytes, start + 20),
  )
  header.destination = internAddress(
    read32(bytes, start + 24),
    read32(bytes, start + 28),
    read32(bytes, start + 32),
    read32(bytes, start + 36),
  )
  // RFC 4291 2.5.5.2: mapped addresses stand for IPv4 inside a host and must not come from the wire
  if (header.source.isIPv4) return DropReason.BadSourceAddress
  if (header.destination.isIPv4) return DropReason.NotForUs
  header.start = start
  header.end = payloadStart + payloadLength
  header.ttl = bytes[start + 7]!
  header.dscp = (first >>> 20) & 0xfc
  header.ecn = (first >>> 20) & 3
  header.flowLabel = first & 0xfffff
  header.identification = 0
  header.dontFragment = true
  header.moreFragments = false
  header.fragmentOffset = 0
  header.protocol = bytes[start + 6]!
  header.payloadStart = payloadStart
  header.payloadEnd = header.end
  return walkExtensionHeaders(bytes, header)
}

/**
 * Walks extension headers from `header.payloadStart` on, whose kind is `header.protocol`, up to the first header that
 * is none, or to the fragment header of a packet that is a fragment. Called again on a reassembled payload.
 */
export function walkExtensionHeaders(bytes: Uint8Array, header: PacketHeader): DropReason | null {
  let next = header.protocol
  let at = header.payloadStart
  const end = header.payloadEnd
  for (let walked = 0; ; walked++) {
    if (!isExtension(next)) break
    if (walked === MAX_EXTENSION_HEADERS) return DropReason.TooManyExtensionHeaders
    if (end - at < 8) return DropReason.BadExtensionHeader
    const length =
      next === IPPROTO_FRAGMENT ? 8 : next === IPPROTO_AH ? (bytes[at + 1]! + 2) * 4 : (bytes[at + 1]! + 1) * 8
    if (length > end - at) return DropReason.BadExtensionHeader
    // RFC 8200 4.4: a routing header with segments left is for a router or of an unknown type; type 0 is no more (RFC 5095)
    if (next === IPPROTO_ROUTING && bytes[at + 3] !== 0) return DropReason.BadExtensionHeader
    // RFC 8200 4.3: hop-by-hop options stand directly behind the fixed header
    if (next === IPPROTO_HOPOPTS && at !== header.start + IPV6_HEADER_LENGTH) return DropReason.BadExtensionHeader
    if (next === IPPROTO_HOPOPTS || next === IPPROTO_DSTOPTS) {
      if (!optionsAreKnown(bytes, at + 2, at + length)) return DropReason.BadExtensionHeader
    }
    const kind = next
    next = bytes[at]!
    if (kind === IPPROTO_FRAGMENT) {
      const fragment = read16(bytes, at + 2)
      header.fragmentOffset = fragment & 0xfff8
      header.moreFragments = (fragment & 1) === 1
      header.identification = read32(bytes, at + 4)
      header.dontFragment = false
      // RFC 6946: an atomic fragment is a whole packet; of the others only the transport's owner knows what follows
      if (header.isFragment) {
        at += length
        break
      }
    }
    at += length
  }
  header.protocol = next
  header.payloadStart = at
  return null
}

function isExtension(protocol: number): boolean {
  return (
    protocol === IPPROTO_HOPOPTS ||
    protocol === IPPROTO_ROUTING ||
    protocol === IPPROTO_FRAGMENT ||
    protocol === IPPROTO_AH ||
    protocol === IPPROTO_DSTOPTS
  )
}

/** RFC 8200 4.2: an unknown option is skipped if the two highest bits of its type are zero, else the packet is dropped. */
function optionsAreKnown(bytes: Uint8Array, start: number, end: number): boolean {
  let options = 0
  for (let at = start; at < end; ) {
    const type = bytes[at]!
    if (type === 0) {
      at++ // Pad1
      continue
    }
    if (at + 2 > end) return false
    const length = bytes[at + 1]! + 2
    if (at + length > end) return false
    if (type !== 1 && (type & 0xc0) !== 0) return false
    if (type !== 1 && ++options > MAX_OPTIONS) return false
    at += length
  }
  return true
}

/**
 * Writes the fixed header of 40 octets at `at`.
 * @param payloadLength octets behind the header
 * @param trafficClass DSCP and ECN in one octet
 */
export function writeIPv6Header(
  bytes: Uint8Array,
  at: number,
  payloadLength: number,
  nextHeader: number,
  source: IpAddress,
  destination: IpAddress,
  hopLimit: number,
  trafficClass: number,
  flowLabel: number,
): void {
  write32(bytes, at, 0x60000000 | (trafficClass << 20) | (flowLabel & 0xfffff))
  write16(bytes, at + 4, payloadLength)
  bytes[at + 6] = nextHeader
  bytes[at + 7] = hopLimit
  writeAddress(bytes, at + 8, source)
  writeAddress(bytes, at + 24, destination)
}

/**
 * Writes a fragment header of 8 octets at `at` (RFC 8200 4.5).
 * @param offset octets before this fragment, a multiple of 8
 */
export function writeIPv6FragmentHeader(
  bytes: Uint8Array,
  at: number,
  nextHeader: number,
  offset: number,
  more: boolean,
  identification: number,
): void {
  bytes[at] = nextHeader
  bytes[at + 1] = 0
  write16(bytes, at + 2, offset | (more ? 1 : 0))
  write32(bytes, at + 4, identification)
}
