import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ACK,
  CWR,
  checksumAdd,
  checksumFold,
  Frame,
  IPPROTO_TCP,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  parseIpAddress,
  pseudoHeaderSum,
  Segment,
  writeIPv4Header,
  writeIPv6Header,
  writeTcp,
} from '../wire/index.js'
import { readVnetHeader, VNET_HEADER_LENGTH, writeVnetHeader } from './tun-vnet-header.js'

const LINK_LENGTH = 14

interface Sample {
  version: 4 | 6
  textLength: number
  gsoSize: number
  partial?: boolean
  flags?: number
}

/** A TCP packet behind 14 octets of link header. */
function sample({ version, textLength, gsoSize, partial = true, flags = ACK }: Sample): Frame {
  const segment = new Segment()
  segment.source = parseIpAddress(version === 4 ? '10.0.0.1' : 'fd00::1')
  segment.destination = parseIpAddress(version === 4 ? '10.0.0.2' : 'fd00::2')
  segment.sourcePort = 80
  segment.destinationPort = 40_000
  segment.flags = flags
  segment.bytes = new Uint8Array(textLength).map((_, i) => i * 7)
  segment.textLength = textLength
  const ipLength = version === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
  const { source, destination } = segment
  const bytes = new Uint8Array(LINK_LENGTH + ipLength + 20 + textLength)
  const length = writeTcp(segment, bytes, LINK_LENGTH + ipLength, !partial)
  if (version === 4) writeIPv4Header(bytes, LINK_LENGTH, length, IPPROTO_TCP, source, destination, 64, 0, 1, 0)
  else writeIPv6Header(bytes, LINK_LENGTH, length, IPPROTO_TCP, source, destination, 64, 0, 0)
  const frame = new Frame(bytes, LINK_LENGTH, bytes.length)
  frame.gsoSize = gsoSize
  frame.checksumPartial = partial
  return frame
}

function written(frame: Frame, linkLength = 0): number[] | null {
  const header = new Uint8Array(VNET_HEADER_LENGTH).fill(0xee)
  return writeVnetHeader(header, 0, frame, linkLength) ? [...header] : null
}

/** What is to be read as a little-endian number. */
const le = (n: number) => [n & 0xff, n >>> 8]

test.each([
  { version: 4, type: 1, ip: 20 },
  { version: 6, type: 4, ip: 40 },
] as const)('a super-segment of 64 KB over IPv$version says how it is to be cut', ({ version, type, ip }) => {
  const frame = sample({ version, textLength: 65_000, gsoSize: 1448 })
  const said = [1, type, ...le(ip + 20), ...le(1448), ...le(ip), ...le(16), 0, 0]
  expect(written(frame)).toEqual(said)

  const back = new Frame(frame.bytes, frame.start, frame.end)
  expect(readVnetHeader(Uint8Array.from(said), 0, back)).toBe(true)
  expect(back).toMatchObject({ gsoSize: 1448, checksumPartial: true })
})

test('behind an Ethernet header, lengths count from its start', () => {
  const frame = sample({ version: 4, textLength: 3000, gsoSize: 1448 })
  frame.start = 0
  expect(written(frame, LINK_LENGTH)).toEqual([1, 1, ...le(54), ...le(1448), ...le(34), ...le(16), 0, 0])
})

test('CWR is for the first segment only', () => {
  expect(written(sample({ version: 4, textLength: 3000, gsoSize: 1448, flags: ACK | CWR }))![1]).toBe(0x81)
})

test('text that fits into one segment is not cut, its checksum left to the kernel', () => {
  expect(written(sample({ version: 6, textLength: 1448, gsoSize: 1448 }))).toEqual([
    1,
    0,
    ...le(0),
    ...le(0),
    ...le(40),
    ...le(16),
    0,
    0,
  ])
})

test('a segment with its checksum goes as it is, right or wrong', () => {
  const frame = sample({ version: 4, textLength: 100, gsoSize: 0, partial: false })
  expect(written(frame)).toEqual(new Array(12).fill(0))
  frame.bytes[60]! ^= 1
  expect(written(frame)).toEqual(new Array(12).fill(0))
})

test('a super-segment with a right checksum is cut; a garbled one is not sent, so that it gets no right ones', () => {
  const frame = sample({ version: 4, textLength: 5000, gsoSize: 1448, partial: false })
  const garbled = new Frame(frame.bytes.slice(), frame.start, frame.end)
  garbled.gsoSize = 1448
  garbled.bytes[2000]! ^= 4
  expect(written(garbled)).toBeNull()

  expect(written(frame)![0]).toBe(1)
  const tcp = frame.start + 20
  const { source, destination } = {
    source: parseIpAddress('10.0.0.1'),
    destination: parseIpAddress('10.0.0.2'),
  }
  const pseudo = pseudoHeaderSum(source, destination, IPPROTO_TCP, frame.end - tcp)
  expect((frame.bytes[tcp + 16]! << 8) | frame.bytes[tcp + 17]!).toBe(~checksumFold(pseudo) & 0xffff)
  expect(checksumFold(checksumAdd(0, frame.bytes, frame.start, tcp))).toBe(0)
})

test('a checksum the kernel verified is verified again, a partial one is vouched for, other offloads are refused', () => {
  const frame = () => new Frame(new Uint8Array(100), 0, 100)
  const dataValid = frame()
  expect(readVnetHeader(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, dataValid)).toBe(true)
  expect(dataValid).toMatchObject({ gsoSize: 0, checksumPartial: false })
  expect(readVnetHeader(Uint8Array.of(1, 5, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0), 0, frame())).toBe(false)
})

test('whatever a frame says it is, nothing is thrown and nothing outside of it is written', () => {
  const anyFrame = fc.record({
    octets: fc.uint8Array({ maxLength: 120 }),
    first: fc.constantFrom(0x45, 0x46, 0x4f, 0x40, 0x60, 0x6f, 0),
    protocol: fc.constantFrom(6, 17, 1, 44),
    gsoSize: fc.constantFrom(0, 1, 20, 1448, 65_535),
    partial: fc.boolean(),
    linkLength: fc.constantFrom(0, 14),
  })
  fc.assert(
    fc.property(anyFrame, ({ octets, first, protocol, gsoSize, partial, linkLength }) => {
      const bytes = Uint8Array.of(...octets)
      if (linkLength < bytes.length) bytes[linkLength] = first
      for (const at of [linkLength + 6, linkLength + 9]) if (at < bytes.length) bytes[at] = protocol
      if (linkLength + 4 <= bytes.length) {
        bytes[linkLength + 2] = 0
        bytes[linkLength + 3] = bytes.length - linkLength
      }
      const frame = new Frame(bytes, 0, bytes.length)
      frame.gsoSize = gsoSize
      frame.checksumPartial = partial
      const header = new Uint8Array(VNET_HEADER_LENGTH + 2).fill(0xee)
      const isSent = writeVnetHeader(header, 1, frame, linkLength)
      expect([header[0], header.at(-1)]).toEqual([0xee, 0xee])
      if (!isSent || header[1] === 0) return
      const checksumAt = header[7]! + header[9]!
      expect(checksumAt + 2).toBeLessThanOrEqual(frame.length)
    }),
  )
})
