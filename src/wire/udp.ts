import { checksumAdd, checksumFold, pseudoHeaderSum } from './checksum.js'
import { DropReason } from './drop-reason.js'
import type { IpAddress } from './ip-address.js'
import { read16, write16 } from './octets.js'
import { IPPROTO_UDP, type PacketHeader } from './packet-header.js'

/** Octets of a UDP header. */
export const UDP_HEADER_LENGTH = 8

/** A received datagram (RFC 768); one object is reused. */
export class UdpHeader {
  sourcePort = 0
  destinationPort = 0
  dataStart = 0
  dataEnd = 0
}

/** Reads the UDP datagram that is the payload of the packet `header` describes. */
export function parseUdp(
  bytes: Uint8Array,
  header: PacketHeader,
  udp: UdpHeader,
  verifyChecksum: boolean,
): DropReason | null {
  const start = header.payloadStart
  if (header.payloadEnd - start < UDP_HEADER_LENGTH) return DropReason.UdpTooShort
  const length = read16(bytes, start + 4)
  if (length < UDP_HEADER_LENGTH || start + length > header.payloadEnd) return DropReason.UdpTooShort
  const end = start + length
  // zero: not computed, allowed by IPv4 only (RFC 8200 8.1)
  const given = read16(bytes, start + 6)
  if (verifyChecksum && (given !== 0 || header.version === 6)) {
    const pseudo = pseudoHeaderSum(header.source, header.destination, IPPROTO_UDP, length)
    if (given === 0 || checksumFold(checksumAdd(pseudo, bytes, start, end)) !== 0) return DropReason.BadUdpChecksum
  }
  udp.sourcePort = read16(bytes, start)
  udp.destinationPort = read16(bytes, start + 2)
  udp.dataStart = start + UDP_HEADER_LENGTH
  udp.dataEnd = end
  return null
}

/** Writes the header at `at` of a datagram whose `dataLength` octets stand behind it already; checksum included. */
export function writeUdpHeader(
  bytes: Uint8Array,
  at: number,
  source: IpAddress,
  destination: IpAddress,
  sourcePort: number,
  destinationPort: number,
  dataLength: number,
): void {
  const length = UDP_HEADER_LENGTH + dataLength
  write16(bytes, at, sourcePort)
  write16(bytes, at + 2, destinationPort)
  write16(bytes, at + 4, length)
  write16(bytes, at + 6, 0)
  const pseudo = pseudoHeaderSum(source, destination, IPPROTO_UDP, length)
  const sum = checksumFold(checksumAdd(pseudo, bytes, at, at + length))
  write16(bytes, at + 6, sum === 0 ? 0xffff : sum)
}
