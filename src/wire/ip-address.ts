import { write32 } from './octets.js'

/**
 * An IP address of either family as four 32-bit words, so that tables compare and hash addresses without building
 * strings. An IPv4 address is held in its IPv4-mapped form, ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
 *
 * Words are signed 32-bit integers (`| 0`): V8 keeps those unboxed.
 */
export class IpAddress {
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
  /** Asked many times for each packet. */
  readonly isIPv4: boolean

  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0
    this.w1 = w1 | 0
    this.w2 = w2 | 0
    this.w3 = w3 | 0
    this.isIPv4 = this.w0 === 0 && this.w1 === 0 && this.w2 === 0xffff
  }

  equals(other: IpAddress): boolean {
    return this.w0 === other.w0 && this.w1 === other.w1 && this.w2 === other.w2 && this.w3 === other.w3
  }

  toString(): string {
    return formatIpAddress(this)
  }
}

/** 0.0.0.0 */
/** Writes an address as the 16 octets it is held as; IPv4 is mapped (RFC 4291 2.5.5.2). */
export function writeAddress(bytes: Uint8Array, at: number, address: IpAddress): void {
  write32(bytes, at, address.w0)
  write32(bytes, at + 4, address.w1)
  write32(bytes, at + 8, address.w2)
  write32(bytes, at + 12, address.w3)
}

export const ANY_IPV4 = new IpAddress(0, 0, 0xffff, 0)
/** :: */
export const ANY_IPV6 = new IpAddress(0, 0, 0, 0)

/** Dotted decimal for IPv4, the canonical text of RFC 5952 for IPv6. */
export function formatIpAddress(address: IpAddress): string {
  if (address.isIPv4) {
    const w = address.w3
    return `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.${w & 255}`
  }
  const groups: number[] = []
  for (const word of [address.w0, address.w1, address.w2, address.w3]) groups.push(word >>> 16, word & 0xffff)
  let bestStart = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && groups[i + n] === 0) n++
    if (n > bestLength) {
      bestStart = i
      bestLength = n
    }
    if (n > 0) i += n - 1
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':')
  if (bestStart < 0) return hex(0, 8)
  return `${hex(0, bestStart)}::${hex(bestStart + bestLength, 8)}`
}

/** @throws RangeError naming the text, when it is not an IPv4 or IPv6 address. */
export function parseIpAddress(text: string): IpAddress {
  const address = text.includes(':') ? parseIPv6(text) : parseIPv4(text)
  if (address === null) throw new RangeError(`not an IP address: '${text}' (expected 192.0.2.1 or 2001:db8::1)`)
  return address
}

function parseIPv4(text: string): IpAddress | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return null
  let word = 0
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i])
    if (octet > 255) return null
    word = (word << 8) | octet
  }
  return new IpAddress(0, 0, 0xffff, word)
}

function parseIPv6(text: string): IpAddress | null {
  let source = text
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  if (dotted !== null) {
    const v4 = parseIPv4(dotted[2]!)
    if (v4 === null) return null
    source = `${dotted[1]}${(v4.w3 >>> 16).toString(16)}:${(v4.w3 & 0xffff).toString(16)}`
  }
  const halves = source.split('::')
  if (halves.length > 2) return null
  const left = halves[0] === '' ? [] : halves[0]!.split(':')
  const right = halves.length < 2 || halves[1] === '' ? [] : halves[1]!.split(':')
  const missing = 8 - left.length - right.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  const groups = [...left, ...new Array<string>(missing).fill('0'), ...right]
  if (!groups.every((g) => /^[0-9a-fA-F]{1,4}$/.test(g))) return null
  const n = groups.map((g) => Number.parseInt(g, 16))
  const word = (i: number) => (n[i]! << 16) | n[i + 1]!
  return new IpAddress(word(0), word(2), word(4), word(6))
}
