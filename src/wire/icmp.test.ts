import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DropReason,
  ICMP4_ECHO,
  ICMP4_FRAGMENTATION_NEEDED,
  ICMP4_PARAMETER_PROBLEM,
  ICMP4_UNREACHABLE,
  ICMP6_ECHO_REPLY,
  ICMP6_PACKET_TOO_BIG,
  IcmpKind,
  IcmpMessage,
  type IpAddress,
  icmpQuoteLength,
  PacketHeader,
  parseIcmp,
  parseIpAddress,
  parseUdp,
  Segment,
  UdpHeader,
  writeIcmp,
  writeIPv4Header,
  writeIPv6Header,
  writeTcp,
  writeUdpHeader,
} from './index.js'

const A = parseIpAddress('192.0.2.1')
const B = parseIpAddress('192.0.2.2')
const A6 = parseIpAddress('2001:db8::1')
const B6 = parseIpAddress('2001:db8::2')

function tcpPacket(source: IpAddress, destination: IpAddress): Uint8Array {
  const bytes = new Uint8Array(60)
  const segment = Object.assign(new Segment(), {
    source,
    destination,
    sourcePort: 1000,
    destinationPort: 80,
    seq: 4711,
  })
  if (source.isIPv4) {
    writeIPv4Header(bytes, 0, 20, 6, source, destination, 64, 0, 1, 0x4000)
    return bytes.subarray(0, 20 + writeTcp(segment, bytes, 20, true))
  }
  writeIPv6Header(bytes, 0, 20, 6, source, destination, 64, 0, 0)
  return bytes.subarray(0, 40 + writeTcp(segment, bytes, 40, true))
}

function message(
  six: boolean,
  type: number,
  code: number,
  word: number,
  body: Uint8Array,
): { drop: DropReason | null; icmp: IcmpMessage; bytes: Uint8Array; header: PacketHeader } {
  const bytes = new Uint8Array(8 + body.length)
  const [source, destination] = six ? [A6, B6] : [A, B]
  writeIcmp(bytes, 0, source, destination, type, code, word, body, 0, body.length)
  const header = new PacketHeader()
  Object.assign(header, { version: six ? 6 : 4, source, destination, payloadStart: 0, payloadEnd: bytes.length })
  const icmp = new IcmpMessage()
  return { drop: parseIcmp(bytes, header, icmp, true), icmp, bytes, header }
}

describe('ICMP', () => {
  test('echo', () => {
    const { drop, icmp } = message(false, ICMP4_ECHO, 0, (77 << 16) | 5, Uint8Array.of(1, 2, 3))
    expect(drop).toBeNull()
    expect(icmp).toMatchObject({ kind: IcmpKind.EchoRequest, identifier: 77, sequence: 5, bodyStart: 8, bodyEnd: 11 })
    expect(message(true, ICMP6_ECHO_REPLY, 0, 1, new Uint8Array(0)).icmp.kind).toBe(IcmpKind.EchoReply)
  })

  test('an unreachable quotes addresses, ports and sequence number', () => {
    const { icmp } = message(false, ICMP4_UNREACHABLE, 3, 0, tcpPacket(B, A).subarray(0, 28))
    expect(icmp).toMatchObject({ kind: IcmpKind.Unreachable, code: 3, hasQuote: true, quotedProtocol: 6 })
    expect(icmp).toMatchObject({
      quotedSourcePort: 1000,
      quotedDestinationPort: 80,
      quotedSeq: 4711,
      hasQuotedSeq: true,
    })
    expect(icmp.quotedSource.equals(B)).toBe(true)
    expect(icmp.quotedDestination.equals(A)).toBe(true)
  })

  test('the MTU of the next hop, both versions', () => {
    const quote = tcpPacket(B, A)
    const v4 = message(false, ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, 1200, quote).icmp
    expect(v4).toMatchObject({ kind: IcmpKind.PacketTooBig, mtu: 1200, quotedSeq: 4711 })
    const v6 = message(true, ICMP6_PACKET_TOO_BIG, 0, 1280, tcpPacket(B6, A6)).icmp
    expect(v6).toMatchObject({ kind: IcmpKind.PacketTooBig, mtu: 1280, quotedSeq: 4711, hasQuote: true })
  })

  test('the pointer of a parameter problem', () => {
    expect(message(false, ICMP4_PARAMETER_PROBLEM, 0, 20 << 24, new Uint8Array(0)).icmp.pointer).toBe(20)
  })

  test('a quote cut short says so', () => {
    const quote = tcpPacket(B, A)
    expect(message(false, 3, 3, 0, quote.subarray(0, 24)).icmp).toMatchObject({ hasQuote: true, hasQuotedSeq: false })
    expect(message(false, 3, 3, 0, quote.subarray(0, 23)).icmp.hasQuote).toBe(false)
  })

  test('a wrong checksum', () => {
    const { bytes, header } = message(false, 3, 3, 0, new Uint8Array(8))
    bytes[9] = 1
    expect(parseIcmp(bytes, header, new IcmpMessage(), true)).toBe(DropReason.BadIcmpChecksum)
  })

  test('quotes fit into the smallest packets', () => {
    expect(icmpQuoteLength(4, 1500)).toBe(548)
    expect(icmpQuoteLength(6, 1500)).toBe(1232)
    expect(icmpQuoteLength(6, 60)).toBe(60)
  })

  test('any octets are survived', () => {
    const type = fc.constantFrom(1, 2, 3, 4, 5, 11, 12, 137)
    fc.assert(
      fc.property(
        fc.boolean(),
        type,
        fc.constantFrom(0x45, 0x60),
        fc.uint8Array({ maxLength: 90 }),
        (six, t, v, rest) => {
          const { drop, icmp } = message(six, t, 4, 0, Uint8Array.of(v, ...rest))
          expect(drop).toBeNull()
          if (icmp.hasQuote) expect(icmp.quotedTransportStart + 4).toBeLessThanOrEqual(icmp.bodyEnd)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('UDP', () => {
  const header = new PacketHeader()
  const bytes = new Uint8Array(20)
  Object.assign(header, { source: A, destination: B, payloadStart: 4, payloadEnd: 20, version: 4 })

  test('what is written is read again', () => {
    bytes.set([1, 2, 3], 12)
    writeUdpHeader(bytes, 4, A, B, 53, 4000, 3)
    const udp = new UdpHeader()
    expect(parseUdp(bytes, header, udp, true)).toBeNull()
    expect(udp).toMatchObject({ sourcePort: 53, destinationPort: 4000, dataStart: 12, dataEnd: 15 })
  })

  test('damaged', () => {
    bytes[12] = 99
    expect(parseUdp(bytes, header, new UdpHeader(), true)).toBe(DropReason.BadUdpChecksum)
    bytes[9] = 200
    expect(parseUdp(bytes, header, new UdpHeader(), true)).toBe(DropReason.UdpTooShort)
  })
})
