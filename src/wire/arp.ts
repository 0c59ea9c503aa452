import { internAddress } from './address-table.js'
import { ETHERTYPE_IPV4, type MacAddress } from './ethernet.js'
import type { IpAddress } from './ip-address.js'
import { read16, read32, write16, write32 } from './octets.js'

/** Octets of an ARP packet for IPv4 over Ethernet. */
export const ARP_LENGTH = 28

export const ARP_REQUEST = 1
export const ARP_REPLY = 2

/** IPv4 over Ethernet only (RFC 826). */
export interface ArpPacket {
  readonly operation: number
  readonly senderMac: MacAddress
  readonly senderAddress: IpAddress
  readonly targetMac: MacAddress
  readonly targetAddress: IpAddress
}

/** The packet at [start, end), its addresses copied; null when it is not ARP for IPv4 over Ethernet. */
export function parseArp(bytes: Uint8Array, start: number, end: number): ArpPacket | null {
  if (end - start < ARP_LENGTH) return null
  if (read16(bytes, start) !== 1 || read16(bytes, start + 2) !== ETHERTYPE_IPV4) return null
  if (bytes[start + 4] !== 6 || bytes[start + 5] !== 4) return null
  return {
    operation: read16(bytes, start + 6),
    senderMac: bytes.slice(start + 8, start + 14),
    senderAddress: internAddress(0, 0, 0xffff, read32(bytes, start + 14)),
    targetMac: bytes.slice(start + 18, start + 24),
    targetAddress: internAddress(0, 0, 0xffff, read32(bytes, start + 24)),
  }
}

/** Writes 28 octets at `at`. */
export function writeArp(bytes: Uint8Array, at: number, packet: ArpPacket): void {
  write16(bytes, at, 1)
  write16(bytes, at + 2, ETHERTYPE_IPV4)
  bytes[at + 4] = 6
  bytes[at + 5] = 4
  write16(bytes, at + 6, packet.operation)
  bytes.set(packet.senderMac, at + 8)
  write32(bytes, at + 14, packet.senderAddress.w3)
  bytes.set(packet.targetMac, at + 18)
  write32(bytes, at + 24, packet.targetAddress.w3)
}
