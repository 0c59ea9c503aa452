import type { Instant, Observed } from '../tcp/index.js'
import {
  CWR,
  FIN,
  type Frame,
  firstHop,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  ipv4OptionsLength,
  PSH,
  putIPv4Options,
  RST,
  type Segment,
  tcpHeaderLength,
  UDP_HEADER_LENGTH,
  updateIPv4Checksum,
  write16,
  write32,
  writeIPv4Header,
  writeIPv6Header,
  writeTcp,
  writeUdpHeader,
} from '../wire/index.js'
import { fragmentPacket } from './fragmentation.js'
import type { Host } from './host.js'
import type { NetworkInterface } from './network-interface.js'
import type { Path } from './path-table.js'

/** Makes the packet, or the packets, of a segment and puts them into the outbox of the interface they leave by. */
export function sendSegment(
  host: Host,
  endpoint: Observed | null,
  segment: Segment,
  retransmission: boolean,
  now: Instant,
): void {
  const { ipOptions } = segment
  const path = host.paths.to((ipOptions === null ? null : firstHop(ipOptions)) ?? segment.destination)
  path.resolve()
  const { via } = path
  if (via === null) {
    host.counters.count('IpOutNoRoutes')
    return
  }
  const { source } = segment
  if (source.w3 === 0 && source.w1 === 0 && source.w0 === 0 && path.source !== null) segment.source = path.source
  const { gsoSize, textLength } = segment
  const pieces = gsoSize > 0 && textLength > gsoSize ? Math.ceil(textLength / gsoSize) : 1
  host.counters.segmentsOut += pieces
  if (retransmission) host.counters.segmentsRetransmitted += pieces
  if (segment.flags & RST) host.counters.count('TcpOutRsts')
  if (host.observer !== null) host.observer.segmentSent(endpoint, segment, retransmission, now)
  const whole = textLength <= via.link.maxSuperSegment && ipOptions === null
  if (pieces === 1 || whole) writePacket(host, path, via, segment, pieces)
  else writePieces(host, path, via, segment)
  if (!host.entered || via.full) via.flush(now)
}

/**
 * A super-segment for a link that takes single segments: each piece has the header of the whole with its own sequence
 * number; PSH and FIN stand in the last only, CWR in the first only (as Linux's tcp_gso_segment; RFC 3168 6.1.2).
 */
export function writePieces(host: Host, path: Path, via: NetworkInterface, segment: Segment): void {
  const { seq, textLength, textStart, flags, gsoSize } = segment
  segment.gsoSize = 0
  for (let offset = 0; offset < textLength; offset += gsoSize) {
    const length = Math.min(gsoSize, textLength - offset)
    let pieceFlags = flags
    if (offset + length < textLength) pieceFlags &= ~(PSH | FIN)
    if (offset > 0) pieceFlags &= ~CWR
    segment.seq = (seq + offset) | 0
    segment.textStart = textStart + offset
    segment.textLength = length
    segment.flags = pieceFlags
    writePacket(host, path, via, segment, 1)
  }
  segment.seq = seq
  segment.textLength = textLength
  segment.textStart = textStart
  segment.flags = flags
  segment.gsoSize = gsoSize
}

/** @param pieces how many segments this frame stands for */
function writePacket(host: Host, path: Path, via: NetworkInterface, segment: Segment, pieces: number): void {
  const isIPv4 = segment.destination.isIPv4
  const { ipOptions } = segment
  const ipLength = (isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH) + ipv4OptionsLength(ipOptions)
  if (segment.udpSourcePort !== 0) return writeInUdp(host, path, via, segment)
  const tcpLength = tcpHeaderLength(segment) + segment.textLength
  const tooBig = pieces === 1 && ipLength + tcpLength > path.mtu
  // the link would take the first hop of a source route for the destination
  const partial = via.link.checksumOffload && !tooBig && ipOptions === null
  const frame = via.frames.allocate(ipLength + tcpLength)
  const { bytes, start } = frame
  writeTcp(segment, bytes, start + ipLength, !partial)
  frame.checksumPartial = partial
  if (pieces > 1) frame.gsoSize = segment.gsoSize
  const tos = segment.dscp | segment.ecn
  if (isIPv4) {
    const identification = path.nextIdentification & 0xffff
    path.nextIdentification = (identification + pieces) | 0
    const uncut = segment.dontFragment && host.settings.pathMtuDiscovery && !tooBig ? IPV4_DONT_FRAGMENT : 0
    const { source, destination, ttl } = segment
    writeIPv4Header(bytes, start, tcpLength, IPPROTO_TCP, source, destination, ttl, tos, identification, uncut)
    if (ipOptions !== null) addOptions(bytes, start, ipLength, tcpLength, ipOptions, segment)
  } else {
    const { source, destination, ttl, flowLabel } = segment
    writeIPv6Header(bytes, start, tcpLength, IPPROTO_TCP, source, destination, ttl, tos, flowLabel)
  }
  // larger than the path: what was cut for a larger one gets through in fragments, since the machine will not cut it again
  if (tooBig) fragmentPacket(host, frame, path.mtu, path.nextIdentification++, via)
  else queueFrame(via, frame)
}

/** A segment in a UDP datagram, whose checksum stands for both (FreeBSD). Only answers are sent so: they are small. */
function writeInUdp(host: Host, path: Path, via: NetworkInterface, segment: Segment): void {
  const { source, destination, ttl, flowLabel, udpSourcePort, udpDestinationPort } = segment
  const isIPv4 = destination.isIPv4
  const ipLength = isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
  const tcpLength = tcpHeaderLength(segment) + segment.textLength
  const length = UDP_HEADER_LENGTH + tcpLength
  const frame = host.frames.allocate(ipLength + length)
  const { bytes, start } = frame
  writeTcp(segment, bytes, start + ipLength + UDP_HEADER_LENGTH, true)
  writeUdpHeader(bytes, start + ipLength, source, destination, udpSourcePort, udpDestinationPort, tcpLength)
  const tos = segment.dscp | segment.ecn
  if (isIPv4) {
    const identification = path.nextIdentification++ & 0xffff
    writeIPv4Header(bytes, start, length, IPPROTO_UDP, source, destination, ttl, tos, identification, 0)
  } else writeIPv6Header(bytes, start, length, IPPROTO_UDP, source, destination, ttl, tos, flowLabel)
  queueFrame(via, frame)
}

/** Options behind an IPv4 header that was written without; the packet goes to the first hop of their source route. */
function addOptions(
  bytes: Uint8Array,
  start: number,
  headerLength: number,
  payloadLength: number,
  options: Uint8Array,
  { destination }: Segment,
): void {
  bytes[start] = 0x40 | (headerLength / 4)
  write16(bytes, start + 2, headerLength + payloadLength)
  putIPv4Options(bytes, start + IPV4_HEADER_LENGTH, options, destination)
  write32(bytes, start + 16, (firstHop(options) ?? destination).w3)
  updateIPv4Checksum(bytes, start)
}

/** A frame that is ready waits for the end of the current entry. */
export function queueFrame(via: NetworkInterface, frame: Frame): void {
  via.outbox[via.outboxCount++] = frame
}
