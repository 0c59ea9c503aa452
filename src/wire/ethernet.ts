import { read16, write16 } from './octets.js'

/** Octets of an Ethernet header, no VLAN tag. */
export const ETHERNET_HEADER_LENGTH = 14

export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV6 = 0x86dd

/** Six octets. */
export type MacAddress = Uint8Array

export const BROADCAST_MAC: MacAddress = new Uint8Array(6).fill(0xff)

/** EtherType of the frame at `start`; -1 when it is too short to have one. */
export function etherType(bytes: Uint8Array, start: number, end: number): number {
  return end - start < ETHERNET_HEADER_LENGTH ? -1 : read16(bytes, start + 12)
}

/** True when the frame at `start` is for `mac`, for all, or for a group. */
export function frameIsFor(bytes: Uint8Array, start: number, mac: MacAddress): boolean {
  if (bytes[start]! & 1) return true
  for (let i = 0; i < 6; i++) if (bytes[start + i] !== mac[i]) return false
  return true
}

/** The sender of the frame at `start`, as a copy. */
export function frameSource(bytes: Uint8Array, start: number): MacAddress {
  return bytes.slice(start + 6, start + 12)
}

export function writeEthernetHeader(
  bytes: Uint8Array,
  at: number,
  destination: MacAddress,
  source: MacAddress,
  type: number,
): void {
  for (let i = 0; i < 6; i++) {
    bytes[at + i] = destination[i]!
    bytes[at + 6 + i] = source[i]!
  }
  write16(bytes, at + 12, type)
}

export function formatMac(mac: MacAddress): string {
  return Array.from(mac, (octet) => octet.toString(16).padStart(2, '0')).join(':')
}

/** @throws RangeError naming the text, when it is not six octets in hexadecimal with colons. */
export function parseMac(text: string): MacAddress {
  if (!/^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$/.test(text)) {
    throw new RangeError(`not a MAC address: '${text}' (expected 02:00:00:00:00:01)`)
  }
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16))
}
