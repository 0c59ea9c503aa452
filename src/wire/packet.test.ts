import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DropReason,
  IPPROTO_TCP,
  IPPROTO_UDP,
  PacketHeader,
  parseIpAddress,
  parsePacket,
  updateIPv4Checksum,
  write16,
  writeIPv4Header,
  writeIPv6FragmentHeader,
  writeIPv6Header,
} from './index.js'

const A4 = parseIpAddress('192.0.2.1')
const B4 = parseIpAddress('198.51.100.7')
const A6 = parseIpAddress('2001:db8::1')
const B6 = parseIpAddress('2001:db8:0:1::2')

function ipv4(payload = 10, fragment = 0x4000): Uint8Array {
  const bytes = new Uint8Array(20 + payload)
  writeIPv4Header(bytes, 0, payload, IPPROTO_TCP, A4, B4, 64, 0xb9, 777, fragment)
  return bytes
}

/** An IPv6 packet whose payload is `rest`, beginning with the header `first`. */
function ipv6(first: number, rest: number[]): Uint8Array {
  const bytes = new Uint8Array(40 + rest.length)
  writeIPv6Header(bytes, 0, rest.length, first, A6, B6, 64, 0xb9, 0xabcde)
  bytes.set(rest, 40)
  return bytes
}

function parse(bytes: Uint8Array, start = 0, end = bytes.length) {
  const header = new PacketHeader()
  return { drop: parsePacket(bytes, start, end, header), header }
}

describe('IPv4', () => {
  test('what is written is read again', () => {
    const { drop, header } = parse(ipv4())
    expect(drop).toBeNull()
    expect(header).toMatchObject({ version: 4, protocol: 6, ttl: 64, dscp: 0xb8, ecn: 1, identification: 777 })
    expect(header).toMatchObject({ dontFragment: true, moreFragments: false, fragmentOffset: 0, payloadStart: 20 })
    expect(header.source.toString()).toBe('192.0.2.1')
    expect(header.destination.toString()).toBe('198.51.100.7')
  })

  test('options are skipped', () => {
    const bytes = new Uint8Array(34)
    bytes.set(ipv4(10))
    bytes[0] = 0x46
    write16(bytes, 2, 34)
    updateIPv4Checksum(bytes, 0)
    const { drop, header } = parse(bytes)
    expect(drop).toBeNull()
    expect(header.payloadStart).toBe(24)
    expect(header.payloadEnd).toBe(34)
  })

  test('padding behind the total length is not payload', () => {
    const bytes = new Uint8Array(60)
    bytes.set(ipv4(10))
    expect(parse(bytes).header.payloadEnd).toBe(30)
  })

  test('fragments', () => {
    const { header } = parse(ipv4(16, 0x2000 | 3))
    expect(header.isFragment).toBe(true)
    expect(header.fragmentOffset).toBe(24)
    expect(header.moreFragments).toBe(true)
  })

  test.each([
    [DropReason.FrameTooShort, (b: Uint8Array) => b.subarray(0, 19)],
    [DropReason.BadIpVersion, (b: Uint8Array) => b.fill(0x50, 0, 1)],
    [DropReason.BadIpHeaderLength, (b: Uint8Array) => b.fill(0x44, 0, 1)],
    [DropReason.BadIpHeaderLength, (b: Uint8Array) => b.fill(0x4f, 0, 1)],
    [DropReason.BadIpTotalLength, (b: Uint8Array) => b.fill(1, 2, 3)],
    [DropReason.BadIpTotalLength, (b: Uint8Array) => b.fill(0, 2, 4)],
    [DropReason.BadIpChecksum, (b: Uint8Array) => b.fill(63, 8, 9)],
  ])('%s', (reason, damage) => {
    expect(parse(damage(ipv4())).drop).toBe(reason)
  })
})

describe('IPv6', () => {
  test('what is written is read again', () => {
    const { drop, header } = parse(ipv6(IPPROTO_TCP, [1, 2, 3]))
    expect(drop).toBeNull()
    expect(header).toMatchObject({ version: 6, protocol: 6, ttl: 64, dscp: 0xb8, ecn: 1, flowLabel: 0xabcde })
    expect(header).toMatchObject({ payloadStart: 40, payloadEnd: 43 })
    expect(header.source.toString()).toBe('2001:db8::1')
    expect(header.destination.toString()).toBe('2001:db8:0:1::2')
  })

  test('extension headers are walked', () => {
    const hopByHop = [43, 0, 5, 2, 0, 0, 1, 0] // router alert, PadN
    const routing = [60, 0, 4, 0, 0, 0, 0, 0] // no segments left
    const destination = [51, 0, 0x1e, 4, 0, 0, 0, 0] // an unknown option that may be skipped
    const authentication = [IPPROTO_TCP, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    const { drop, header } = parse(ipv6(0, [...hopByHop, ...routing, ...destination, ...authentication, 9, 9]))
    expect(drop).toBeNull()
    expect(header.protocol).toBe(IPPROTO_TCP)
    expect(header.payloadStart).toBe(40 + 36)
  })

  test('a fragment ends the walk, an atomic fragment does not', () => {
    const fragment = new Uint8Array(8)
    writeIPv6FragmentHeader(fragment, 0, 60, 8, true, 0x12345678)
    const some = parse(ipv6(44, [...fragment, ...new Array<number>(16).fill(0)])).header
    expect(some).toMatchObject({ fragmentOffset: 8, moreFragments: true, identification: 0x12345678, protocol: 60 })
    writeIPv6FragmentHeader(fragment, 0, 60, 0, false, 1)
    const atomic = parse(ipv6(44, [...fragment, IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0])).header
    expect(atomic).toMatchObject({ isFragment: false, protocol: IPPROTO_UDP, payloadStart: 56 })
  })

  const pad = (next: number) => [next, 0, 1, 4, 0, 0, 0, 0]
  test.each([
    [DropReason.TooManyExtensionHeaders, 60, new Array(9).fill(pad(60)).flat()],
    [DropReason.BadExtensionHeader, 60, [6, 1, 1, 4, 0, 0, 0, 0]], // longer than the packet
    [DropReason.BadExtensionHeader, 60, [6, 0, 1]], // cut short
    [DropReason.BadExtensionHeader, 60, [6, 0, 0x5e, 0, 0, 0, 0, 0]], // an unknown option that must be known
    [DropReason.BadExtensionHeader, 60, [6, 0, 1, 9, 0, 0, 0, 0]], // an option longer than its header
    [DropReason.BadExtensionHeader, 60, [...pad(0), ...pad(6)]], // hop-by-hop options too late
    [DropReason.BadExtensionHeader, 43, [6, 0, 0, 1, 0, 0, 0, 0]], // segments left
  ])('%s', (reason, first, rest: number[]) => {
    expect(parse(ipv6(first, rest)).drop).toBe(reason)
  })

  test('mapped addresses do not come from the wire', () => {
    const bytes = ipv6(IPPROTO_TCP, [])
    bytes.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], 8)
    expect(parse(bytes).drop).toBe(DropReason.BadSourceAddress)
  })
})

test('any octets are survived, and what is accepted lies within them', () => {
  const first = fc.constantFrom(0x45, 0x46, 0x60, 0x00)
  fc.assert(
    fc.property(first, fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0, 6, 43, 44, 51, 60), (v, octets, next) => {
      const bytes = Uint8Array.from([v, ...octets])
      if (v === 0x60 && bytes.length > 40) {
        write16(bytes, 4, bytes.length - 40)
        bytes[6] = next
      }
      const { drop, header } = parse(bytes)
      if (drop !== null) return
      expect(header.payloadStart).toBeLessThanOrEqual(header.payloadEnd)
      expect(header.payloadEnd).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 3000 },
  )
})
