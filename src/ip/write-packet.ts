import {
  type Frame,
  firstHop,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  ipv4OptionsLength,
  isPlainToWrite,
  putIPv4Options,
  type Segment,
  TCP_HEADER_LENGTH,
  type TextElsewhere,
  tcpHeaderLength,
  UDP_HEADER_LENGTH,
  updateIPv4Checksum,
  write16,
  write32,
  writeIPv4Header,
  writeIPv6Header,
  writePlainPacket,
  writeTcp,
  writeUdpHeader,
} from '../wire/index.js'
import { fragmentPacket } from './fragmentation.js'
import type { Host } from './host.js'
import type { NetworkInterface } from './network-interface.js'
import type { Path } from './path-table.js'

/** @param pieces how many segments this frame stands for */
export function writePacket(host: Host, path: Path, via: NetworkInterface, segment: Segment, pieces: number): Frame {
  if (isPlainToWrite(segment)) {
    const length = IPV4_HEADER_LENGTH + TCP_HEADER_LENGTH + segment.optionBytesLength + segment.textLength
    if (pieces > 1 || length <= path.mtu) return writePlain(host, path, via, segment, pieces, length)
  }
  return writeAny(host, path, via, segment, pieces)
}

/** A packet as nearly all of a connection are; `length` as the path takes it, octets. */
function writePlain(
  host: Host,
  path: Path,
  via: NetworkInterface,
  segment: Segment,
  pieces: number,
  length: number,
): Frame {
  const { link, frames } = via
  const elsewhere = pieces > 1 ? leaveText(via, segment) : null
  const octets = elsewhere === null ? length : length - segment.textLength
  const frame = link.releasesFrames === true ? frames.lend(octets) : frames.allocate(octets)
  frame.elsewhere = elsewhere
  const identification = path.nextIdentification & 0xffff
  path.nextIdentification = (identification + pieces) | 0
  const fragment = segment.dontFragment && host.settings.pathMtuDiscovery ? IPV4_DONT_FRAGMENT : 0
  const partial = link.checksumOffload
  frame.checksumPartial = partial
  if (pieces > 1) frame.gsoSize = segment.gsoSize
  writePlainPacket(segment, frame, identification, fragment, !partial)
  queueFrame(via, frame)
  // before anything happens to the text
  if (elsewhere !== null) {
    via.flush(host.now)
    elsewhere.clear()
  }
  return frame
}

/** The text of a super-segment where it lies, for a link that gathers; null: it must be copied. */
function leaveText({ elsewhere }: NetworkInterface, { text, seq, textLength }: Segment): TextElsewhere | null {
  if (elsewhere === null || text?.findText === undefined) return null
  if (text.findText(seq, textLength, elsewhere)) return elsewhere
  elsewhere.clear()
  return null
}

function writeAny(host: Host, path: Path, via: NetworkInterface, segment: Segment, pieces: number): Frame {
  const isIPv4 = segment.destination.isIPv4
  const { ipOptions } = segment
  const ipLength = (isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH) + ipv4OptionsLength(ipOptions)
  const tcpLength = tcpHeaderLength(segment) + segment.textLength
  const tooBig = pieces === 1 && ipLength + tcpLength > path.mtu
  // the link would take the first hop of a source route for the destination
  const partial = via.link.checksumOffload && !tooBig && ipOptions === null
  if (segment.udpSourcePort !== 0) return writeInUdp(host, path, via, segment)
  const length = ipLength + tcpLength
  const lent = via.link.releasesFrames === true && !tooBig
  const frame = lent ? via.frames.lend(length) : via.frames.allocate(length)
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
  return frame
}

/** A segment in a UDP datagram, whose checksum stands for both (FreeBSD). Only answers are sent so: they are small. */
function writeInUdp(host: Host, path: Path, via: NetworkInterface, segment: Segment): Frame {
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
  return frame
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
