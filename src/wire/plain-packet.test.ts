import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ACK,
  FIN,
  type Frame,
  FrameAllocator,
  IPPROTO_TCP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LENGTH,
  IpAddress,
  isPlainToWrite,
  PacketHeader,
  PSH,
  parsePacket,
  parsePlainPacket,
  parseTcp,
  putTimestamps,
  Segment,
  SYN,
  takePacketHeader,
  tcpHeaderLength,
  URG,
  writeIPv4Header,
  writePlainPacket,
  writeTcp,
} from './index.js'

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const short = fc.integer({ min: 0, max: 0xffff })

/** A segment to send; `text` is written as it is. */
const segments = fc
  .record({
    source: word,
    destination: word,
    sourcePort: short,
    destinationPort: short,
    ecn: fc.integer({ min: 0, max: 3 }),
    dscp: fc.integer({ min: 0, max: 63 }),
    ttl: fc.integer({ min: 0, max: 255 }),
    seq: word,
    ack: word,
    flags: fc.integer({ min: 0, max: 0x1ff }),
    window: short,
    urgentPointer: short,
    timestamps: fc.option(fc.tuple(word, word)),
    text: fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 400, size: 'max' })),
  })
  .map(({ source, destination, dscp, timestamps, text, ...fields }) => {
    const segment = Object.assign(new Segment(), fields)
    segment.source = new IpAddress(0, 0, 0xffff, source)
    segment.destination = new IpAddress(0, 0, 0xffff, destination)
    segment.dscp = dscp << 2
    segment.textLength = text.length
    segment.text = { copyText: (_seq, length, target, at) => target.set(text.subarray(0, length), at) }
    if (timestamps !== null) {
      segment.optionBytes[0] = segment.optionBytes[1] = 1
      segment.optionBytesLength = putTimestamps(segment.optionBytes, 2, ...timestamps)
    }
    return segment
  })

const allocator = new FrameAllocator()

/** The packet as writers of headers make it. */
function written(segment: Segment, identification: number, withChecksum: boolean): Frame {
  const tcpLength = tcpHeaderLength(segment) + segment.textLength
  const frame = allocator.allocate(IPV4_HEADER_LENGTH + tcpLength)
  const { bytes, start } = frame
  const { source, destination, ttl, dscp, ecn } = segment
  const tos = dscp | ecn
  writeTcp(segment, bytes, start + IPV4_HEADER_LENGTH, withChecksum)
  writeIPv4Header(
    bytes,
    start,
    tcpLength,
    IPPROTO_TCP,
    source,
    destination,
    ttl,
    tos,
    identification,
    IPV4_DONT_FRAGMENT,
  )
  return frame
}

/** What `parsePacket` and `parseTcp` read, or null when they refuse it. */
function read(frame: Frame): Segment | null {
  const header = new PacketHeader()
  if (parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return null
  if (header.protocol !== IPPROTO_TCP || header.isFragment) return null
  const segment = new Segment()
  takePacketHeader(segment, header)
  const { payloadStart, payloadEnd } = header
  const verify = !frame.checksumPartial
  return parseTcp(frame.bytes, payloadStart, payloadEnd, segment, verify) === null ? segment : null
}

/** All that is read of a segment. */
const fieldsOf = ({ sack, accEcn, bytes, joined, ...fields }: Segment) => fields

test('a plain packet is written octet by octet as those for any packet write it', () => {
  fc.assert(
    fc.property(segments, short, fc.boolean(), (segment, identification, withChecksum) => {
      expect(isPlainToWrite(segment)).toBe(true)
      const expected = written(segment, identification, withChecksum)
      const frame = allocator.allocate(expected.length)
      writePlainPacket(segment, frame, identification, IPV4_DONT_FRAGMENT, withChecksum)
      expect(frame.view()).toEqual(expected.view())
    }),
    { numRuns: 1000 },
  )
})

test('and is read as those for any packet read it, whatever was read before', () => {
  const reused = new Segment()
  const withOptions = new Segment()
  fc.assert(
    fc.property(segments, fc.boolean(), fc.boolean(), (segment, partial, rare) => {
      segment.flags &= ~SYN
      const frame = written(segment, 1, !partial)
      frame.checksumPartial = partial
      if (rare) {
        const before = written(segment, 1, true)
        reused.hasRareOptions = parseTcp(before.bytes, before.start + 20, before.end, withOptions, false) === null
        Object.assign(reused, { sackCount: 2, mss: 1460, windowScale: 3, md5Start: 40, userTimeout: 7 })
      }
      expect(parsePlainPacket(frame, reused)).toBe(true)
      expect(fieldsOf(reused)).toEqual(fieldsOf(read(frame)!))
      expect(reused.bytes).toBe(frame.bytes)
    }),
    { numRuns: 1000 },
  )
})

test('whatever octets come: what it takes, the others take as the same; what it leaves is as it was', () => {
  let taken = 0
  const reused = new Segment()
  fc.assert(
    fc.property(segments, fc.nat(), fc.integer({ min: 0, max: 7 }), fc.nat(80), (segment, where, bit, shorter) => {
      segment.flags = (segment.flags & (FIN | PSH | URG)) | ACK
      const frame = written(segment, 1, true)
      // something about it is not as it should be, most often
      if (shorter > 60) frame.end = Math.max(frame.start, frame.end - (shorter - 60))
      else if (shorter > 10) frame.bytes[frame.start + (where % frame.length)]! ^= 1 << bit
      const before = fieldsOf(reused)
      const isTaken = parsePlainPacket(frame, reused)
      expect(fieldsOf(reused)).toEqual(isTaken ? fieldsOf(read(frame)!) : before)
      if (isTaken) taken++
    }),
    { numRuns: 2000 },
  )
  expect(taken).toBeGreaterThan(100)
})

test('a SYN, a fragment, options of IPv4 and what TCP has beside timestamps are left to others', () => {
  const make = (change: (segment: Segment) => void): Frame => {
    const segment = new Segment()
    segment.source = segment.destination = new IpAddress(0, 0, 0xffff, 0x0a000001)
    segment.flags = ACK
    change(segment)
    return written(segment, 1, true)
  }
  const plain = make(() => {})
  expect(parsePlainPacket(plain, new Segment())).toBe(true)
  const syn = make((segment) => {
    segment.flags = SYN
  })
  const sack = make((segment) => {
    segment.optionBytes.set([1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2])
    segment.optionBytesLength = 12
  })
  const fragment = make(() => {})
  const { bytes, start } = fragment
  writeIPv4Header(bytes, start, 20, IPPROTO_TCP, new Segment().source, new Segment().destination, 64, 0, 1, 0x2000)
  for (const frame of [syn, sack, fragment]) expect(parsePlainPacket(frame, new Segment())).toBe(false)
  expect(read(syn)?.flags).toBe(SYN)
})
