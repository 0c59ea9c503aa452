import type { Instant } from '../tcp/index.js'
import {
  DropReason,
  type Frame,
  ICMP4_FRAGMENTATION_NEEDED,
  ICMP4_NET,
  ICMP4_TIME_EXCEEDED,
  ICMP4_UNREACHABLE,
  ICMP6_NO_ROUTE,
  ICMP6_PACKET_TOO_BIG,
  ICMP6_TIME_EXCEEDED,
  ICMP6_UNREACHABLE,
  IPPROTO_TCP,
  type PacketHeader,
  parseTcp,
  type Segment,
  takePacketHeader,
  updateIPv4Checksum,
  updateTcpChecksum,
} from '../wire/index.js'
import { writePieces } from './cut-segment.js'
import { fragmentPacket } from './fragmentation.js'
import type { Host } from './host.js'
import { type Icmp, isGroupOrNobody } from './icmp.js'
import type { NetworkInterface } from './network-interface.js'
import type { Path } from './path-table.js'
import { queueFrame } from './write-packet.js'

/** A router passes a packet on (RFC 1812 5.2, RFC 8200 3): one hop less to live, and no larger than the next link takes. */
export function forwardPacket(
  host: Host,
  icmp: Icmp,
  from: NetworkInterface,
  frame: Frame,
  header: PacketHeader,
  segment: Segment,
  now: Instant,
): void {
  if (from === host.loopback || isGroupOrNobody(header.destination)) return host.drop(null, DropReason.NotForUs, now)
  const isIPv4 = header.version === 4
  const { bytes, start } = frame
  if (header.ttl <= 1) {
    icmp.sendError(frame, header, isIPv4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0, 0, now)
    return
  }
  const path = host.paths.to(header.destination)
  path.resolve()
  const { via } = path
  if (via === null) {
    if (isIPv4) icmp.sendError(frame, header, ICMP4_UNREACHABLE, ICMP4_NET, 0, now)
    else icmp.sendError(frame, header, ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, 0, now)
    return
  }
  // the link may have padded the packet
  frame.end = header.end
  const tooBig = frame.gsoSize === 0 && frame.length > via.mtu
  if (tooBig && (!isIPv4 || header.dontFragment)) {
    if (isIPv4) icmp.sendError(frame, header, ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, via.mtu, now)
    else icmp.sendError(frame, header, ICMP6_PACKET_TOO_BIG, 0, via.mtu, now)
    return
  }
  host.counters.count('IpForwDatagrams')
  if (isIPv4) {
    bytes[start + 8] = header.ttl - 1
    updateIPv4Checksum(bytes, start)
  } else bytes[start + 7] = header.ttl - 1
  const whole = frame.gsoSize === 0 || frame.length <= via.link.maxSuperSegment
  if (whole && (!frame.checksumPartial || (via.link.checksumOffload && !tooBig))) {
    if (tooBig) fragmentPacket(host, frame, via.mtu, 0, via)
    else queueFrame(via, frame)
    return
  }
  finishSegment(host, path, via, frame, header, segment, whole)
}

/** The next link does not do what the one before left to it: checksums, or cutting super-segments. */
function finishSegment(
  host: Host,
  path: Path,
  via: NetworkInterface,
  frame: Frame,
  header: PacketHeader,
  segment: Segment,
  whole: boolean,
): void {
  if (header.protocol !== IPPROTO_TCP) return queueFrame(via, frame)
  takePacketHeader(segment, header)
  segment.ttl = header.ttl - 1
  if (parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, segment, false) !== null) return
  if (whole) {
    updateTcpChecksum(segment, frame.bytes, header.payloadStart, header.payloadEnd)
    frame.checksumPartial = false
    if (frame.length > via.mtu) fragmentPacket(host, frame, via.mtu, 0, via)
    else queueFrame(via, frame)
    return
  }
  const { optionsStart, optionsLength } = segment
  segment.optionBytes.set(frame.bytes.subarray(optionsStart, optionsStart + optionsLength))
  segment.optionBytesLength = optionsLength
  segment.gsoSize = frame.gsoSize
  writePieces(host, path, via, segment)
}
