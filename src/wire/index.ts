export { internAddress } from './address-table.js'
export { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, type ArpPacket, parseArp, writeArp } from './arp.js'
export { Batch } from './batch.js'
export { checksum, checksumAdd, checksumFold, pseudoHeaderSum } from './checksum.js'
export { DropReason } from './drop-reason.js'
export {
  BROADCAST_MAC,
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  etherType,
  formatMac,
  frameIsFor,
  frameSource,
  type MacAddress,
  parseMac,
  writeEthernetHeader,
} from './ethernet.js'
export { Frame, FrameAllocator, HEADROOM, TextElsewhere } from './frame.js'
export * from './icmp.js'
export { ANY_IPV4, ANY_IPV6, formatIpAddress, IpAddress, parseIpAddress, writeAddress } from './ip-address.js'
export {
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LENGTH,
  IPV4_MORE_FRAGMENTS,
  parseIPv4,
  updateIPv4Checksum,
  writeIPv4Header,
} from './ipv4.js'
export {
  areIPv4Options,
  firstHop,
  ipv4OptionsLength,
  nextOfRoute,
  putIPv4Options,
  recordInRoute,
  returnRoute,
  routeIsComplete,
  sourceRouteAt,
} from './ipv4-options.js'
export {
  IPV6_FRAGMENT_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  parseIPv6,
  walkExtensionHeaders,
  writeIPv6FragmentHeader,
  writeIPv6Header,
} from './ipv6.js'
export { Md5, md5 } from './md5.js'
export { read16, read32, write16, write24, write32 } from './octets.js'
export { parsePacket, takePacketHeader } from './packet.js'
export * from './packet-header.js'
export { isPlainToWrite, parsePlainPacket, writePlainPacket } from './plain-packet.js'
export * from './segment.js'
export * from './segment-text.js'
export { siphash, type Word64 } from './siphash.js'
export { Slab } from './slab.js'
export {
  parseTcp,
  TCP_HEADER_LENGTH,
  tcpChecksumIsRight,
  tcpHeaderLength,
  tcpMd5Matches,
  updateTcpChecksum,
  writeTcp,
  writeTcpHeader,
} from './tcp.js'
export { tcpMd5Digest } from './tcp-md5.js'
export * from './tcp-options.js'
export { parseUdp, UDP_HEADER_LENGTH, UdpHeader, writeUdpHeader } from './udp.js'
export { copyOctets, vectorMemory } from './vector-memory.js'
