import {
  IPPROTO_TCP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  type Segment,
  TCP_HEADER_LENGTH,
  tcpHeaderLength,
  updateTcpChecksum,
  writeIPv4Header,
  writeIPv6Header,
  writeTcp,
} from '../wire/index.js'

/** The IP packet of a segment about to be sent, its text copied from its source. */
export function packetSent(segment: Segment): Uint8Array {
  const transportLength = tcpHeaderLength(segment) + segment.textLength
  const packet = withIpHeader(segment, transportLength)
  writeTcp(segment, packet, packet.length - transportLength, true)
  return packet
}

/**
 * The IP packet of a received segment: its octets behind a header made of what the segment took over from the real one.
 * Its checksum was right, or was left to a link that does not garble: it is worked out again for the second case.
 */
export function packetReceived(segment: Segment): Uint8Array {
  const start = segment.optionsStart - TCP_HEADER_LENGTH
  const octets = segment.bytes.subarray(start, segment.textStart + segment.textLength)
  const packet = withIpHeader(segment, octets.length)
  const at = packet.length - octets.length
  packet.set(octets, at)
  updateTcpChecksum(segment, packet, at, packet.length)
  return packet
}

function withIpHeader(segment: Segment, length: number): Uint8Array {
  const { source, destination, ttl, flowLabel } = segment
  const tos = segment.dscp | segment.ecn
  if (destination.isIPv4) {
    const packet = new Uint8Array(IPV4_HEADER_LENGTH + length)
    writeIPv4Header(packet, 0, length, IPPROTO_TCP, source, destination, ttl, tos, 0, IPV4_DONT_FRAGMENT)
    return packet
  }
  const packet = new Uint8Array(IPV6_HEADER_LENGTH + length)
  writeIPv6Header(packet, 0, length, IPPROTO_TCP, source, destination, ttl, tos, flowLabel)
  return packet
}
