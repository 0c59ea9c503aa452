import { internAddress } from './address-table.js'
import { checksumAdd, checksumFold, pseudoHeaderSum } from './checksum.js'
import { DropReason } from './drop-reason.js'
import { ANY_IPV4, type IpAddress } from './ip-address.js'
import { read16, read32, write16, write32 } from './octets.js'
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ICMPV6,
  IPPROTO_ROUTING,
  type PacketHeader,
} from './packet-header.js'

/** Types of ICMPv4 (RFC 792). */
export const ICMP4_ECHO_REPLY = 0
export const ICMP4_UNREACHABLE = 3
export const ICMP4_SOURCE_QUENCH = 4
export const ICMP4_REDIRECT = 5
export const ICMP4_ECHO = 8
export const ICMP4_TIME_EXCEEDED = 11
export const ICMP4_PARAMETER_PROBLEM = 12

/** Codes of ICMPv4 unreachable (RFC 792, 1122 3.2.2.1, 1812 5.2.7.1). */
export const ICMP4_NET = 0
export const ICMP4_HOST = 1
export const ICMP4_PROTOCOL = 2
export const ICMP4_PORT = 3
export const ICMP4_FRAGMENTATION_NEEDED = 4
export const ICMP4_SOURCE_ROUTE_FAILED = 5
export const ICMP4_NET_UNKNOWN = 6
export const ICMP4_HOST_UNKNOWN = 7
export const ICMP4_SOURCE_ISOLATED = 8
export const ICMP4_NET_PROHIBITED = 9
export const ICMP4_HOST_PROHIBITED = 10
export const ICMP4_NET_TOS = 11
export const ICMP4_HOST_TOS = 12
export const ICMP4_ADMIN_PROHIBITED = 13
export const ICMP4_PRECEDENCE_VIOLATION = 14
export const ICMP4_PRECEDENCE_CUTOFF = 15

/** Types of ICMPv6 (RFC 4443; neighbour discovery RFC 4861). */
export const ICMP6_UNREACHABLE = 1
export const ICMP6_PACKET_TOO_BIG = 2
export const ICMP6_TIME_EXCEEDED = 3
export const ICMP6_PARAMETER_PROBLEM = 4
export const ICMP6_ECHO = 128
export const ICMP6_ECHO_REPLY = 129
export const ICMP6_ROUTER_SOLICITATION = 133
export const ICMP6_ROUTER_ADVERTISEMENT = 134
export const ICMP6_NEIGHBOR_SOLICITATION = 135
export const ICMP6_NEIGHBOR_ADVERTISEMENT = 136
export const ICMP6_REDIRECT = 137

/** Codes of ICMPv6 unreachable (RFC 4443 3.1). */
export const ICMP6_NO_ROUTE = 0
export const ICMP6_ADMIN_PROHIBITED = 1
export const ICMP6_BEYOND_SCOPE = 2
export const ICMP6_ADDRESS = 3
export const ICMP6_PORT = 4
export const ICMP6_POLICY_FAILED = 5
export const ICMP6_REJECT_ROUTE = 6

/** What a message is about, for both versions. */
export const IcmpKind = {
  EchoRequest: 'echo request',
  EchoReply: 'echo reply',
  Unreachable: 'unreachable',
  /** ICMPv4 unreachable with code 4, and ICMPv6 packet too big: `mtu` is set. */
  PacketTooBig: 'packet too big',
  TimeExceeded: 'time exceeded',
  ParameterProblem: 'parameter problem',
  SourceQuench: 'source quench',
  Redirect: 'redirect',
  Other: 'other',
} as const

export type IcmpKind = (typeof IcmpKind)[keyof typeof IcmpKind]

/** Octets of an ICMP header. */
export const ICMP_HEADER_LENGTH = 8

/** A received message. One object is reused for all: copy what is needed later. */
export class IcmpMessage {
  version: 4 | 6 = 4
  type = 0
  code = 0
  kind: IcmpKind = IcmpKind.Other
  /** The second word of the header as it stands, signed form. */
  word = 0
  /** Packet too big: MTU of the next hop, octets; 0 where an old router leaves it out (RFC 1191 5). */
  mtu = 0
  /** Parameter problem: offset of the octet complained about. */
  pointer = 0
  /** What follows the 8 octets of header: echo data, or the quoted packet. */
  bodyStart = 0
  bodyEnd = 0

  // --- the packet an error quotes, as far as it goes ---
  /** True when addresses, protocol and ports of the quoted packet could be read. */
  hasQuote = false
  quotedProtocol = 0
  quotedSource: IpAddress = ANY_IPV4
  quotedDestination: IpAddress = ANY_IPV4
  quotedSourcePort = 0
  quotedDestinationPort = 0
  /** Sequence number of the quoted TCP segment (signed form), if 8 octets of it are there. */
  hasQuotedSeq = false
  quotedSeq = 0
  /** Where the quoted transport header starts. */
  quotedTransportStart = 0

  /** Echo: identifier and sequence number. */
  get identifier(): number {
    return this.word >>> 16
  }

  get sequence(): number {
    return this.word & 0xffff
  }
}

/**
 * Reads the ICMP message that is the payload of the packet `header` describes, ICMPv6 when the packet is IPv6.
 * @param verifyChecksum false when the link vouches for it
 */
export function parseIcmp(
  bytes: Uint8Array,
  header: PacketHeader,
  message: IcmpMessage,
  verifyChecksum: boolean,
): DropReason | null {
  const start = header.payloadStart
  const end = header.payloadEnd
  const length = end - start
  if (length < ICMP_HEADER_LENGTH) return DropReason.BadIcmp
  if (verifyChecksum) {
    const pseudo = header.version === 6 ? pseudoHeaderSum(header.source, header.destination, IPPROTO_ICMPV6, length) : 0
    if (checksumFold(checksumAdd(pseudo, bytes, start, end)) !== 0) return DropReason.BadIcmpChecksum
  }
  message.version = header.version
  message.type = bytes[start]!
  message.code = bytes[start + 1]!
  message.word = read32(bytes, start + 4)
  message.kind = header.version === 4 ? kindOf4(message.type, message.code) : kindOf6(message.type)
  message.mtu = 0
  message.pointer = 0
  message.bodyStart = start + ICMP_HEADER_LENGTH
  message.bodyEnd = end
  message.hasQuote = false
  message.hasQuotedSeq = false
  switch (message.kind) {
    case IcmpKind.PacketTooBig:
      message.mtu = header.version === 4 ? message.word & 0xffff : message.word >>> 0
      break
    case IcmpKind.ParameterProblem:
      message.pointer = header.version === 4 ? message.word >>> 24 : message.word >>> 0
      break
    case IcmpKind.EchoRequest:
    case IcmpKind.EchoReply:
    case IcmpKind.Other:
      return null
  }
  if (header.version === 4) quote4(bytes, message)
  else if (message.type !== ICMP6_REDIRECT) quote6(bytes, message)
  return null
}

function kindOf4(type: number, code: number): IcmpKind {
  switch (type) {
    case ICMP4_ECHO:
      return IcmpKind.EchoRequest
    case ICMP4_ECHO_REPLY:
      return IcmpKind.EchoReply
    case ICMP4_UNREACHABLE:
      return code === ICMP4_FRAGMENTATION_NEEDED ? IcmpKind.PacketTooBig : IcmpKind.Unreachable
    case ICMP4_SOURCE_QUENCH:
      return IcmpKind.SourceQuench
    case ICMP4_REDIRECT:
      return IcmpKind.Redirect
    case ICMP4_TIME_EXCEEDED:
      return IcmpKind.TimeExceeded
    case ICMP4_PARAMETER_PROBLEM:
      return IcmpKind.ParameterProblem
    default:
      return IcmpKind.Other
  }
}

function kindOf6(type: number): IcmpKind {
  switch (type) {
    case ICMP6_ECHO:
      return IcmpKind.EchoRequest
    case ICMP6_ECHO_REPLY:
      return IcmpKind.EchoReply
    case ICMP6_UNREACHABLE:
      return IcmpKind.Unreachable
    case ICMP6_PACKET_TOO_BIG:
      return IcmpKind.PacketTooBig
    case ICMP6_TIME_EXCEEDED:
      return IcmpKind.TimeExceeded
    case ICMP6_PARAMETER_PROBLEM:
      return IcmpKind.ParameterProblem
    case ICMP6_REDIRECT:
      return IcmpKind.Redirect
    default:
      return IcmpKind.Other
  }
}

/** The quoted header is read leniently: it is cut short, and routers may have changed lengths and checksums in it. */
function quote4(bytes: Uint8Array, message: IcmpMessage): void {
  const at = message.bodyStart
  if (message.bodyEnd - at < 20 || bytes[at]! >>> 4 !== 4) return
  const headerLength = (bytes[at]! & 15) * 4
  if (headerLength < 20 || (read16(bytes, at + 6) & 0x1fff) !== 0) return
  message.quotedSource = internAddress(0, 0, 0xffff, read32(bytes, at + 12))
  message.quotedDestination = internAddress(0, 0, 0xffff, read32(bytes, at + 16))
  quoteTransport(bytes, at + headerLength, bytes[at + 9]!, message)
}

function quote6(bytes: Uint8Array, message: IcmpMessage): void {
  const start = message.bodyStart
  const end = message.bodyEnd
  if (end - start < 40 || bytes[start]! >>> 4 !== 6) return
  let next = bytes[start + 6]!
  let at = start + 40
  for (let walked = 0; walked < 8 && end - at >= 8; walked++) {
    if (next === IPPROTO_FRAGMENT) {
      if ((read16(bytes, at + 2) & 0xfff8) !== 0) return
      next = bytes[at]!
      at += 8
    } else if (next === IPPROTO_AH) {
      next = bytes[at]!
      at += (bytes[at + 1]! + 2) * 4
    } else if (next === IPPROTO_HOPOPTS || next === IPPROTO_ROUTING || next === IPPROTO_DSTOPTS) {
      next = bytes[at]!
      at += (bytes[at + 1]! + 1) * 8
    } else break
  }
  message.quotedSource = address6(bytes, start + 8)
  message.quotedDestination = address6(bytes, start + 24)
  quoteTransport(bytes, at, next, message)
}

function address6(bytes: Uint8Array, at: number): IpAddress {
  return internAddress(read32(bytes, at), read32(bytes, at + 4), read32(bytes, at + 8), read32(bytes, at + 12))
}

function quoteTransport(bytes: Uint8Array, at: number, protocol: number, message: IcmpMessage): void {
  if (message.bodyEnd - at < 4) return
  message.hasQuote = true
  message.quotedProtocol = protocol
  message.quotedTransportStart = at
  message.quotedSourcePort = read16(bytes, at)
  message.quotedDestinationPort = read16(bytes, at + 2)
  if (message.bodyEnd - at < 8) return
  message.hasQuotedSeq = true
  message.quotedSeq = read32(bytes, at + 4)
}

/**
 * Octets of an offending packet that an error may quote: no more than fit into 576 (RFC 1812 4.3.2.3) or 1280 octets
 * (RFC 4443 2.4 c) with the headers.
 */
export function icmpQuoteLength(version: 4 | 6, packetLength: number): number {
  return Math.min(packetLength, version === 4 ? 576 - 20 - ICMP_HEADER_LENGTH : 1280 - 40 - ICMP_HEADER_LENGTH)
}

/**
 * Writes a message of any type at `at`, checksum included, and returns its length in octets. ICMPv6 when the destination
 * is an IPv6 address.
 * @param word the second word of the header: for echo identifier << 16 | sequence, for packet too big the MTU, for
 *   parameter problem the pointer (ICMPv4: << 24)
 * @param body octets [bodyStart, bodyEnd) that follow: echo data, or the quoted packet
 */
export function writeIcmp(
  bytes: Uint8Array,
  at: number,
  source: IpAddress,
  destination: IpAddress,
  type: number,
  code: number,
  word: number,
  body: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
): number {
  const length = ICMP_HEADER_LENGTH + bodyEnd - bodyStart
  bytes[at] = type
  bytes[at + 1] = code
  write16(bytes, at + 2, 0)
  write32(bytes, at + 4, word)
  bytes.set(body.subarray(bodyStart, bodyEnd), at + ICMP_HEADER_LENGTH)
  const pseudo = destination.isIPv4 ? 0 : pseudoHeaderSum(source, destination, IPPROTO_ICMPV6, length)
  write16(bytes, at + 2, checksumFold(checksumAdd(pseudo, bytes, at, at + length)))
  return length
}
