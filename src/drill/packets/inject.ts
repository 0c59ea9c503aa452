import {
  ACK,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  type IpAddress,
  icmpQuoteLength,
  OPT_MD5,
  Segment,
  SYN,
  TCP_HEADER_LENGTH,
  tcpMd5Digest,
  UDP_HEADER_LENGTH,
  URG,
  updateTcpChecksum,
  write16,
  write32,
  writeIcmp,
  writeIPv4Header,
  writeIPv6Header,
  writeUdpHeader,
} from '../../wire/index.js'
import { Mismatch } from '../failure.js'
import type { IcmpPacket, IpInfo, Packet, TcpPacket, UdpPacket } from '../language/ast.js'
import { type Conversation, pattern } from './conversation.js'
import { icmpNumbers } from './icmp.js'
import { optionBytes, optionOf } from './option-bytes.js'
import { flagBits } from './packets-match.js'

/** What packets of the script's side are made with. */
export interface InjectRules {
  /** The key of `md5 valid`. */
  readonly md5Key: Uint8Array | null
  /** An echoed timestamp that was never sent is taken as an offset from the first one that was. */
  readonly scaledEcho: boolean
}

const HOP_LIMIT = 255

/** The octets of a packet of the script, with live addresses, ports and numbers. */
export function livePacketOf(packet: Packet, conversation: Conversation, rules: InjectRules): Uint8Array {
  switch (packet.kind) {
    case 'tcp':
      return tcpPacket(packet, conversation, rules)
    case 'udp':
      return udpPacket(packet, conversation)
    case 'icmp':
      return icmpPacket(packet, conversation)
  }
}

function ends(conversation: Conversation): { source: IpAddress; destination: IpAddress } {
  const { remoteAddress, localAddress } = conversation
  if (remoteAddress === null || localAddress === null) {
    throw new Mismatch('the host has not sent or been sent anything yet: the addresses of this packet are not known')
  }
  return { source: remoteAddress, destination: localAddress }
}

function tcpPacket(packet: TcpPacket, conversation: Conversation, rules: InjectRules): Uint8Array {
  const { source, destination } = ends(conversation)
  const flags = flagBits(packet.flags)
  const syn = (flags & SYN) !== 0
  const localOffset = conversation.localOffset(syn)
  const options = packet.options === 'any' ? [] : packet.options
  const echo = (ecr: number) => (flags & ACK ? liveEcho(ecr, conversation, rules) : ecr)
  const optionArea = optionBytes(options.map((option) => optionOf(option, { sackOffset: localOffset, echo })))
  const headerLength = TCP_HEADER_LENGTH + optionArea.length
  if (optionArea.length > 40) throw new Mismatch(`options of ${optionArea.length} octets do not fit a TCP header (40)`)
  const seq = ((packet.seq.start ?? 0) + (packet.seq.absolute ? 0 : conversation.remoteOffset(syn))) | 0
  const ack = packet.ack
  const ackOffset = ack === null || ack.absolute || !(flags & ACK) ? 0 : localOffset
  const segmentLength = headerLength + packet.seq.length
  const udpLength = packet.udp === null ? 0 : UDP_HEADER_LENGTH
  const { bytes, at } = ipPacket(
    packet.ip,
    source,
    destination,
    packet.udp === null ? IPPROTO_TCP : IPPROTO_UDP,
    udpLength + segmentLength,
  )
  const start = at + udpLength
  write16(bytes, start, conversation.remotePort)
  write16(bytes, start + 2, conversation.localPort)
  write32(bytes, start + 4, seq)
  write32(bytes, start + 8, ((ack?.value ?? 0) + ackOffset) | 0)
  write16(bytes, start + 12, (headerLength << 10) | flags)
  write16(bytes, start + 14, typeof packet.window === 'number' ? packet.window : 0)
  write16(bytes, start + 18, packet.urgent ?? 0)
  bytes.set(optionArea, start + TCP_HEADER_LENGTH)
  if (flags & URG) conversation.patternBroken = true
  const position = syn ? 0 : (seq - conversation.remoteIsn - 1) >>> 0
  bytes.set(pattern(position, packet.seq.length), start + headerLength)
  const end = start + segmentLength
  sign(packet, source, destination, bytes, start, end, rules)
  if (packet.udp === null) {
    const segment = new Segment()
    segment.source = source
    segment.destination = destination
    updateTcpChecksum(segment, bytes, start, end)
  } else {
    writeUdpHeader(bytes, at, source, destination, packet.udp.source, packet.udp.destination, segmentLength)
  }
  return bytes
}

/** Puts the digest into each MD5 option that is to be right, and a wrong one into those that are not. */
function sign(
  packet: TcpPacket,
  source: IpAddress,
  destination: IpAddress,
  bytes: Uint8Array,
  start: number,
  end: number,
  rules: InjectRules,
): void {
  const option = packet.options === 'any' ? undefined : packet.options.find(({ kind }) => kind === 'md5')
  if (option?.kind !== 'md5' || typeof option.digest !== 'string') return
  if (rules.md5Key === null) throw new Mismatch(`'md5 ${option.digest}' needs a key: --tcp_md5_secret=KEY`)
  const digest = tcpMd5Digest(source, destination, bytes, start, end, rules.md5Key)
  if (option.digest === 'invalid') digest[0]! ^= 0xff
  for (let at = start + TCP_HEADER_LENGTH; at < end; ) {
    const kind = bytes[at]!
    if (kind === OPT_MD5) {
      bytes.set(digest, at + 2)
      return
    }
    at += kind <= 1 ? 1 : bytes[at + 1]!
  }
}

/** The echo on the wire of a timestamp that the script says the host sent. */
function liveEcho(ecr: number, conversation: Conversation, rules: InjectRules): number {
  const sent = conversation.timestamps.get(ecr >>> 0)
  if (sent !== undefined) return sent | 0
  const clocks = conversation.firstTimestamp
  if (rules.scaledEcho && clocks !== null) return (ecr - clocks.script + clocks.live) | 0
  throw new Mismatch(`no segment expected before this one has TS val ${ecr >>> 0}, which this one echoes`)
}

function udpPacket(packet: UdpPacket, conversation: Conversation): Uint8Array {
  const { source, destination } = ends(conversation)
  const { bytes, at } = ipPacket(packet.ip, source, destination, IPPROTO_UDP, UDP_HEADER_LENGTH + packet.length)
  const ports = packet.ports ?? { source: conversation.remotePort, destination: conversation.localPort }
  writeUdpHeader(bytes, at, source, destination, ports.source, ports.destination, packet.length)
  return bytes
}

function icmpPacket(packet: IcmpPacket, conversation: Conversation): Uint8Array {
  const { source, destination } = ends(conversation)
  const version = destination.isIPv4 ? 4 : 6
  const { type, code } = icmpNumbers(packet, version)
  const quoted = quotedPacket(packet, conversation, destination, source)
  const quoteLength = icmpQuoteLength(version, quoted.length)
  const { bytes, at } = ipPacket(
    packet.ip,
    source,
    destination,
    version === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
    8 + quoteLength,
  )
  const word = packet.mtu ?? (packet.id === null ? 0 : packet.id << 16)
  writeIcmp(bytes, at, source, destination, type, code, word, quoted, 0, quoteLength)
  return bytes
}

/** The IP header and the first octets of the packet that an error complains of, as the host sent it. */
function quotedPacket(
  { quoted }: IcmpPacket,
  conversation: Conversation,
  source: IpAddress,
  destination: IpAddress,
): Uint8Array {
  const noInfo: IpInfo = { ecn: null, trafficClass: null, dscp: null, hopLimit: null, flowLabel: null }
  const { localPort, remotePort } = conversation
  if (quoted !== null && quoted.kind !== 'tcp') {
    const { bytes, at } = ipPacket(noInfo, source, destination, IPPROTO_UDP, UDP_HEADER_LENGTH + quoted.length)
    writeUdpHeader(bytes, at, source, destination, localPort, remotePort, quoted.length)
    return bytes.subarray(0, at + UDP_HEADER_LENGTH)
  }
  const length = TCP_HEADER_LENGTH + (quoted?.seq.length ?? 0)
  const { bytes, at } = ipPacket(noInfo, source, destination, IPPROTO_TCP, length)
  const offset = quoted?.seq.absolute ? 0 : conversation.localOffset(false)
  write16(bytes, at, localPort)
  write16(bytes, at + 2, remotePort)
  write32(bytes, at + 4, ((quoted?.seq.start ?? 0) + offset) | 0)
  bytes[at + 12] = (TCP_HEADER_LENGTH / 4) << 4
  bytes[at + 13] = ACK
  // routers quote 8 octets at least (RFC 792); packetdrill does just that
  return bytes.subarray(0, at + 8)
}

function ipPacket(
  info: IpInfo,
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): { bytes: Uint8Array; at: number } {
  const headerLength = destination.isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
  const bytes = new Uint8Array(headerLength + length)
  const ecn = typeof info.ecn === 'number' ? info.ecn : info.ecn === 'ect01' ? 1 : 0
  const trafficClass = info.trafficClass ?? ((info.dscp ?? 0) << 2) | ecn
  const hops = info.hopLimit ?? HOP_LIMIT
  if (destination.isIPv4) {
    writeIPv4Header(bytes, 0, length, protocol, source, destination, hops, trafficClass, 0, IPV4_DONT_FRAGMENT)
  } else {
    writeIPv6Header(bytes, 0, length, protocol, source, destination, hops, trafficClass, info.flowLabel ?? 0)
  }
  return { bytes, at: headerLength }
}
