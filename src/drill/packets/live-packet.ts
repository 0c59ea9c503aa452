import {
  IcmpMessage,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type IpAddress,
  type Option,
  PacketHeader,
  parseIcmp,
  parsePacket,
  parseTcp,
  parseUdp,
  Segment,
  takePacketHeader,
  tcpMd5Digest,
  tcpOptions,
  UdpHeader,
} from '../../wire/index.js'
import type { Micros } from '../language/ast.js'

/** A packet that the drilled host sent, read and copied. */
export interface LivePacket {
  /** When, from the start of the script. */
  readonly at: Micros
  readonly bytes: Uint8Array
  readonly version: 4 | 6
  readonly source: IpAddress
  readonly destination: IpAddress
  /** TOS octet or traffic class, ECN included. */
  readonly trafficClass: number
  readonly hopLimit: number
  readonly flowLabel: number
  readonly content: LiveSegment | LiveDatagram | LiveIcmp | LiveOther
}

/** Numbers as on the wire, unsigned. */
export interface LiveSegment {
  readonly kind: 'tcp'
  readonly sourcePort: number
  readonly destinationPort: number
  readonly seq: number
  readonly ack: number
  readonly flags: number
  readonly window: number
  readonly urgentPointer: number
  readonly options: readonly Option[]
  readonly optionBytes: Uint8Array
  readonly text: Uint8Array
  /** TCP header and text in the packet's bytes. */
  readonly start: number
  readonly end: number
  /** Around the segment, when it came in a UDP datagram. */
  readonly udp: { readonly source: number; readonly destination: number } | null
}

export interface LiveDatagram {
  readonly kind: 'udp'
  readonly sourcePort: number
  readonly destinationPort: number
  readonly length: number
}

export interface LiveIcmp {
  readonly kind: 'icmp'
  readonly type: number
  readonly code: number
}

export interface LiveOther {
  readonly kind: 'other'
  /** Why it could not be read, or the number of its protocol. */
  readonly reason: string
}

const header = new PacketHeader()
const segment = new Segment()
const udp = new UdpHeader()
const icmp = new IcmpMessage()

/**
 * Reads a packet as it left the host. A wrong checksum is a mistake of the host.
 * @param tcpInUdp what is in UDP is TCP
 * @param verify checksums are there to be verified
 */
export function readLivePacket(bytes: Uint8Array, at: Micros, tcpInUdp: boolean, verify = true): LivePacket | string {
  const problem = parsePacket(bytes, 0, bytes.length, header)
  if (problem !== null) return problem
  return {
    at,
    bytes,
    version: header.version,
    source: header.source,
    destination: header.destination,
    trafficClass: header.dscp | header.ecn,
    hopLimit: header.ttl,
    flowLabel: header.flowLabel,
    content: readContent(bytes, tcpInUdp, verify),
  }
}

function readContent(bytes: Uint8Array, tcpInUdp: boolean, verify: boolean): LivePacket['content'] {
  switch (header.protocol) {
    case IPPROTO_TCP:
      return readSegment(bytes, header.payloadStart, header.payloadEnd, null, verify)
    case IPPROTO_UDP: {
      const problem = parseUdp(bytes, header, udp, verify)
      if (problem !== null) return { kind: 'other', reason: problem }
      const ports = { source: udp.sourcePort, destination: udp.destinationPort }
      // in UDP the segment has no checksum of its own
      if (tcpInUdp) return readSegment(bytes, udp.dataStart, udp.dataEnd, ports, false)
      const length = udp.dataEnd - udp.dataStart
      return { kind: 'udp', sourcePort: ports.source, destinationPort: ports.destination, length }
    }
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: {
      const problem = parseIcmp(bytes, header, icmp, verify)
      if (problem !== null) return { kind: 'other', reason: problem }
      return { kind: 'icmp', type: icmp.type, code: icmp.code }
    }
    default:
      return { kind: 'other', reason: `protocol ${header.protocol}` }
  }
}

function readSegment(
  bytes: Uint8Array,
  start: number,
  end: number,
  ports: LiveSegment['udp'],
  verify: boolean,
): LivePacket['content'] {
  takePacketHeader(segment, header)
  const problem = parseTcp(bytes, start, end, segment, verify)
  if (problem !== null) return { kind: 'other', reason: problem }
  const { optionsStart, optionsLength, textStart, textLength } = segment
  return {
    kind: 'tcp',
    sourcePort: segment.sourcePort,
    destinationPort: segment.destinationPort,
    seq: segment.seq >>> 0,
    ack: segment.ack >>> 0,
    flags: segment.flags,
    window: segment.window,
    urgentPointer: segment.urgentPointer,
    options: tcpOptions(bytes, optionsStart, optionsLength),
    optionBytes: bytes.subarray(optionsStart, optionsStart + optionsLength),
    text: bytes.subarray(textStart, textStart + textLength),
    start,
    end,
    udp: ports,
  }
}

/** The digest of RFC 2385 that the segment should carry under `key`. */
export function md5Of(packet: LivePacket, content: LiveSegment, key: Uint8Array): Uint8Array {
  return tcpMd5Digest(packet.source, packet.destination, packet.bytes, content.start, content.end, key)
}
