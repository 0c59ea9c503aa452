import {
  ANY_IPV6,
  ARP_LENGTH,
  type ArpPacket,
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  type Frame,
  type FrameAllocator,
  ICMP_HEADER_LENGTH,
  ICMP6_NEIGHBOR_ADVERTISEMENT,
  ICMP6_NEIGHBOR_SOLICITATION,
  IcmpMessage,
  IPPROTO_ICMPV6,
  IPV6_HEADER_LENGTH,
  IpAddress,
  internAddress,
  type MacAddress,
  PacketHeader,
  parseIcmp,
  parseIPv6,
  read32,
  writeAddress,
  writeArp,
  writeEthernetHeader,
  writeIcmp,
  writeIPv6Header,
} from '../wire/index.js'

/** Nobody in particular: the target's hardware address in a question. */
export const NO_MAC: MacAddress = new Uint8Array(6)

/** Neighbour discovery is from a neighbour only if no router could have passed it on (RFC 4861 7.1). */
const HOP_LIMIT = 255

/** Options with a hardware address (RFC 4861 4.6.1). */
const SOURCE_LINK_ADDRESS = 1
const TARGET_LINK_ADDRESS = 2

/** Flags of an advertisement (RFC 4861 4.4). */
const SOLICITED = 0x4000_0000
const OVERRIDE = 0x2000_0000

/** ff02::1 */
export const ALL_NODES = new IpAddress(0xff020000, 0, 0, 1)

/** ff02::1:ffxx:xxxx, the group of those whose address ends alike (RFC 4291 2.7.1). */
export function solicitedNodeGroup(address: IpAddress): IpAddress {
  return new IpAddress(0xff020000, 0, 1, 0xff000000 | (address.w3 & 0xffffff))
}

/** Hardware address of an IP group (RFC 1112 6.4, RFC 2464 7). */
export function groupMac(group: IpAddress): MacAddress {
  const { w3 } = group
  if (group.isIPv4) return Uint8Array.of(0x01, 0x00, 0x5e, (w3 >>> 16) & 0x7f, w3 >>> 8, w3)
  return Uint8Array.of(0x33, 0x33, w3 >>> 24, w3 >>> 16, w3 >>> 8, w3)
}

/** An ARP packet as an Ethernet frame. */
export function arpFrame(frames: FrameAllocator, destination: MacAddress, packet: ArpPacket): Frame {
  const frame = frames.allocate(ETHERNET_HEADER_LENGTH + ARP_LENGTH)
  writeEthernetHeader(frame.bytes, frame.start, destination, packet.senderMac, ETHERTYPE_ARP)
  writeArp(frame.bytes, frame.start + ETHERNET_HEADER_LENGTH, packet)
  return frame
}

/** "Who has `target`?", with our hardware address for the answer. */
export function solicitationFrame(
  frames: FrameAllocator,
  mac: MacAddress,
  source: IpAddress,
  target: IpAddress,
  destination: IpAddress,
  destinationMac: MacAddress,
): Frame {
  const type = ICMP6_NEIGHBOR_SOLICITATION
  return discovery(frames, mac, source, destination, destinationMac, type, 0, target, SOURCE_LINK_ADDRESS)
}

/** "`target` is at our hardware address." To all when nobody in particular asked. */
export function advertisementFrame(
  frames: FrameAllocator,
  mac: MacAddress,
  target: IpAddress,
  destination: IpAddress,
  destinationMac: MacAddress,
): Frame {
  const type = ICMP6_NEIGHBOR_ADVERTISEMENT
  const flags = destination === ALL_NODES ? OVERRIDE : SOLICITED | OVERRIDE
  return discovery(frames, mac, target, destination, destinationMac, type, flags, target, TARGET_LINK_ADDRESS)
}

function discovery(
  frames: FrameAllocator,
  mac: MacAddress,
  source: IpAddress,
  destination: IpAddress,
  destinationMac: MacAddress,
  type: number,
  flags: number,
  target: IpAddress,
  option: number,
): Frame {
  const body = new Uint8Array(24)
  writeAddress(body, 0, target)
  body[16] = option
  body[17] = 1
  body.set(mac, 18)
  const length = ICMP_HEADER_LENGTH + body.length
  const frame = frames.allocate(ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + length)
  const { bytes, start } = frame
  const ip = start + ETHERNET_HEADER_LENGTH
  writeEthernetHeader(bytes, start, destinationMac, mac, ETHERTYPE_IPV6)
  writeIPv6Header(bytes, ip, length, IPPROTO_ICMPV6, source, destination, HOP_LIMIT, 0, 0)
  writeIcmp(bytes, ip + IPV6_HEADER_LENGTH, source, destination, type, 0, flags, body, 0, body.length)
  return frame
}

/** A received neighbour solicitation or advertisement. */
export interface NeighbourMessage {
  readonly isSolicitation: boolean
  readonly source: IpAddress
  readonly target: IpAddress
  /** Of the sender of a solicitation, or of the target of an advertisement. */
  readonly mac: MacAddress | null
  /** Of an advertisement: take this hardware address even if another one is known. */
  readonly override: boolean
}

/** True for an IPv6 packet that this link answers itself: a neighbour solicitation or advertisement. */
export function isNeighbourMessage(bytes: Uint8Array, ip: number, end: number): boolean {
  const at = ip + IPV6_HEADER_LENGTH
  if (at + ICMP_HEADER_LENGTH > end || bytes[ip + 6] !== IPPROTO_ICMPV6) return false
  return bytes[at] === ICMP6_NEIGHBOR_SOLICITATION || bytes[at] === ICMP6_NEIGHBOR_ADVERTISEMENT
}

const header = new PacketHeader()
const message = new IcmpMessage()

/** Reads and checks such a packet (RFC 4861 7.1.1 and 7.1.2); null: it must be ignored. */
export function parseNeighbourMessage(frame: Frame, ip: number): NeighbourMessage | null {
  const { bytes } = frame
  if (parseIPv6(bytes, ip, frame.end, header) !== null || header.ttl !== HOP_LIMIT) return null
  if (parseIcmp(bytes, header, message, !frame.checksumPartial) !== null || message.code !== 0) return null
  const at = message.bodyStart
  const end = message.bodyEnd
  if (end - at < 16) return null
  const target = internAddress(read32(bytes, at), read32(bytes, at + 4), read32(bytes, at + 8), read32(bytes, at + 12))
  if (target.w0 >>> 24 === 0xff || target.isIPv4) return null
  const isSolicitation = message.type === ICMP6_NEIGHBOR_SOLICITATION
  const wanted = isSolicitation ? SOURCE_LINK_ADDRESS : TARGET_LINK_ADDRESS
  let mac: MacAddress | null = null
  for (let option = at + 16; option < end; ) {
    const length = option + 1 < end ? bytes[option + 1]! * 8 : 0
    if (length === 0 || option + length > end) return null
    if (bytes[option] === wanted && length === 8) mac = bytes.slice(option + 2, option + 8)
    option += length
  }
  const { source } = header
  if (source.equals(ANY_IPV6) && (!isSolicitation || mac !== null)) return null
  return { isSolicitation, source, target, mac, override: (message.word & OVERRIDE) !== 0 }
}
