import { DropReason } from './drop-reason.js'
import { parseIPv4 } from './ipv4.js'
import { parseIPv6 } from './ipv6.js'
import type { PacketHeader } from './packet-header.js'
import type { Segment } from './segment.js'

/** Reads the IP header at [start, end) into `header`; null when it makes sense. */
export function parsePacket(bytes: Uint8Array, start: number, end: number, header: PacketHeader): DropReason | null {
  if (end <= start) return DropReason.FrameTooShort
  const version = bytes[start]! >>> 4
  if (version === 4) return parseIPv4(bytes, start, end, header)
  if (version === 6) return parseIPv6(bytes, start, end, header)
  return DropReason.BadIpVersion
}

/** What a segment takes over from the packet that carries it. */
export function takePacketHeader(segment: Segment, header: PacketHeader): void {
  segment.source = header.source
  segment.destination = header.destination
  segment.ecn = header.ecn
  segment.dscp = header.dscp
  segment.ttl = header.ttl
  segment.flowLabel = header.flowLabel
  segment.ipOptions = null
}
