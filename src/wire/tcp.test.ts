import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ACK,
  DropReason,
  FIN,
  optionsText,
  PSH,
  parseIpAddress,
  parseTcp,
  putAccEcn,
  putAo,
  putEol,
  putFastOpen,
  putMd5,
  putMss,
  putNop,
  putOption,
  putSack,
  putSackPermitted,
  putTimestamps,
  putUserTimeout,
  putWindowScale,
  Segment,
  SYN,
  segmentText,
  summarizeReceived,
  summarizeSent,
  tcpMd5Matches,
  tcpOptions,
  updateTcpChecksum,
  writeTcp,
} from './index.js'

const A = parseIpAddress('192.0.2.1')
const B = parseIpAddress('192.0.2.2')
const A6 = parseIpAddress('2001:db8::1')
const B6 = parseIpAddress('2001:db8::2')

function outgoing(fields: Partial<Segment> = {}): Segment {
  return Object.assign(new Segment(), { source: A, destination: B, sourcePort: 1000, destinationPort: 80 }, fields)
}

function written(segment: Segment, at = 0): Uint8Array {
  const bytes = new Uint8Array(at + 60 + segment.textLength)
  return bytes.subarray(0, at + writeTcp(segment, bytes, at, true))
}

/** Reads it back, the addresses as the IP layer would have filled them. */
function read(bytes: Uint8Array, start = 0, from: Segment = outgoing()) {
  const segment = new Segment()
  segment.source = from.source
  segment.destination = from.destination
  return { drop: parseTcp(bytes, start, bytes.length, segment, true), segment }
}

/** A header that holds exactly these options. */
function withOptions(...options: number[]): Uint8Array {
  const segment = outgoing({ flags: SYN, optionBytesLength: options.length })
  segment.optionBytes.set(options)
  return written(segment)
}

describe('a segment written and read again', () => {
  test('any header and text', () => {
    const u32 = fc.integer({ min: -0x80000000, max: 0x7fffffff })
    const u16 = fc.nat(0xffff)
    fc.assert(
      fc.property(
        fc.record({ seq: u32, ack: u32, flags: fc.nat(0x1ff), window: u16, urgentPointer: u16, sourcePort: u16 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(5),
        fc.boolean(),
        (fields, text, at, six) => {
          const addresses = six ? { source: A6, destination: B6 } : {}
          const sent = outgoing({ ...fields, ...addresses, bytes: text, textLength: text.length })
          const { drop, segment } = read(written(sent, at), at, sent)
          expect(drop).toBeNull()
          expect(segment).toMatchObject(fields)
          expect(segment.bytes.subarray(segment.textStart, segment.textStart + segment.textLength)).toEqual(text)
        },
      ),
    )
  })

  test('text comes from its source by sequence number', () => {
    const asked: number[] = []
    const text = {
      copyText(seq: number, length: number, target: Uint8Array, at: number) {
        asked.push(seq, length)
        target.fill(7, at, at + length)
      },
    }
    const { drop, segment } = read(written(outgoing({ seq: 4711, textLength: 3, text })))
    expect(drop).toBeNull()
    expect(asked).toEqual([4711, 3])
    expect([...segment.bytes.subarray(segment.textStart)]).toEqual([7, 7, 7])
  })

  test('every option', () => {
    const segment = outgoing({ flags: SYN | ACK })
    const at = segment.optionBytes
    let n = putMss(at, 0, 1460)
    n = putSackPermitted(at, n)
    n = putTimestamps(at, n, -2, 5)
    n = putNop(at, n)
    n = putWindowScale(at, n, 7)
    n = putFastOpen(at, n, Uint8Array.of(1, 2, 3, 4), false)
    n = putUserTimeout(at, n, 0x8003)
    n = putEol(at, n)
    segment.optionBytesLength = n
    const parsed = read(written(segment)).segment
    expect(parsed).toMatchObject({ mss: 1460, sackPermitted: true, hasTimestamps: true, tsVal: -2, tsEcr: 5 })
    expect(parsed).toMatchObject({
      windowScale: 7,
      fastOpenLength: 4,
      fastOpenExperimental: false,
      userTimeout: 0x8003,
    })
    expect([...parsed.bytes.subarray(parsed.fastOpenStart, parsed.fastOpenStart + 4)]).toEqual([1, 2, 3, 4])
    const text = 'mss 1460,sackOK,TS val 4294967294 ecr 5,nop,wscale 7,FO 01020304,uto 3m,eol,eol'
    expect(optionsText(parsed.bytes, parsed.optionsStart, parsed.optionsLength)).toBe(text)
    expect(segmentText(summarizeSent(segment))).toBe(segmentText(summarizeReceived(parsed)))
  })

  test('SACK, AccECN and TCP-AO', () => {
    const segment = outgoing({ flags: ACK })
    const at = segment.optionBytes
    let n = putSack(at, 0, [100, 200, 300, 400], 2)
    n = putAccEcn(at, n, 174, [1, 2, 0xfffffe], 3)
    n = putAo(at, n, 5, 6, Uint8Array.of(9, 9, 9))
    segment.optionBytesLength = n
    const parsed = read(written(segment)).segment
    expect(parsed).toMatchObject({ sackCount: 2, accEcnKind: 174, accEcnCount: 3, aoLength: 5 })
    expect([...parsed.sack.subarray(0, 4)]).toEqual([100, 200, 300, 400])
    expect([...parsed.accEcn]).toEqual([1, 2, 0xfffffe])
    expect(optionsText(parsed.bytes, parsed.optionsStart, parsed.optionsLength)).toBe(
      'sack 100:200 300:400,ECN e1b 1 ceb 2 e0b 16777214,ao 5 6 090909',
    )
  })

  test('fast open as an experiment, and an unknown kind is preserved', () => {
    const segment = outgoing({ flags: SYN })
    const n = putFastOpen(segment.optionBytes, 0, new Uint8Array(0), true)
    segment.optionBytesLength = putOption(segment.optionBytes, n, 200, Uint8Array.of(1, 2))
    const parsed = read(written(segment)).segment
    expect(parsed).toMatchObject({ fastOpenLength: 0, fastOpenExperimental: true })
    expect(tcpOptions(parsed.bytes, parsed.optionsStart, parsed.optionsLength)).toEqual([
      { kind: 254, data: Uint8Array.of(0xf9, 0x89) },
      { kind: 200, data: Uint8Array.of(1, 2) },
    ])
  })

  test('an MD5 signature is right for its key and its text only [RFC 2385]', () => {
    const key = new TextEncoder().encode('secret')
    const text = Uint8Array.of(1, 2, 3)
    const segment = outgoing({ flags: ACK | PSH, bytes: text, textLength: 3, md5At: 2, md5Key: key })
    segment.optionBytesLength = putMd5(segment.optionBytes, 0)
    const bytes = written(segment)
    const parsed = read(bytes).segment
    expect(tcpMd5Matches(parsed, 0, bytes.length, key)).toBe(true)
    expect(tcpMd5Matches(parsed, 0, bytes.length, Uint8Array.of(1))).toBe(false)
    bytes[bytes.length - 1] = 9
    expect(tcpMd5Matches(parsed, 0, bytes.length, key)).toBe(false)
  })
})

describe('malformed segments', () => {
  test.each([
    [DropReason.TcpTooShort, (b: Uint8Array) => b.subarray(0, 19)],
    [DropReason.BadDataOffset, (b: Uint8Array) => b.fill(0x40, 12, 13)],
    [DropReason.BadDataOffset, (b: Uint8Array) => b.fill(0xf0, 12, 13)],
    [DropReason.BadTcpChecksum, (b: Uint8Array) => b.fill(9, 0, 1)],
  ])('%s', (reason, damage) => {
    expect(read(damage(written(outgoing()))).drop).toBe(reason)
  })

  test('a checksum that the link vouches for is not looked at', () => {
    const bytes = written(outgoing())
    bytes[16] = bytes[16]! ^ 1
    expect(parseTcp(bytes, 0, bytes.length, outgoing(), false)).toBeNull()
  })

  test('[MUST-7] an illegal option length ends the options, the segment is kept', () => {
    for (const bad of [0, 1, 9]) {
      const { drop, segment } = read(withOptions(2, 4, 5, 180, 8, bad, 0, 0))
      expect(drop).toBeNull()
      expect(segment.mss).toBe(1460)
      expect(segment.hasTimestamps).toBe(false)
    }
  })

  test('an option of a wrong size is absent, those behind it are read', () => {
    const { segment } = read(withOptions(2, 3, 5, 3, 4, 0, 0, 0, 4, 2, 1, 1))
    expect(segment).toMatchObject({ mss: -1, windowScale: -1, sackPermitted: false })
    expect(read(withOptions(2, 3, 5, 1, 4, 2, 34, 5, 1, 2, 3, 1)).segment).toMatchObject({
      mss: -1,
      sackPermitted: true,
      fastOpenStart: -1,
    })
  })

  test('what was read before does not stay', () => {
    const segment = outgoing()
    const syn = withOptions(2, 4, 5, 180)
    parseTcp(syn, 0, syn.length, segment, true)
    expect(segment.mss).toBe(1460)
    const plain = written(outgoing({ flags: FIN }))
    parseTcp(plain, 0, plain.length, segment, true)
    expect(segment).toMatchObject({ mss: -1, flags: FIN, optionsLength: 0 })
  })

  test('any octets are survived', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 100 }),
        fc.integer({ min: 5, max: 15 }),
        (bytes, offset) => {
          bytes[12] = (offset << 4) | (bytes[12]! & 15)
          const segment = outgoing()
          updateTcpChecksum(segment, bytes, 0, bytes.length)
          const drop = parseTcp(bytes, 0, bytes.length, segment, true)
          if (drop !== null) return
          expect(segment.textStart + segment.textLength).toBe(bytes.length)
          for (const { data } of tcpOptions(bytes, segment.optionsStart, segment.optionsLength)) {
            expect(data.byteOffset + data.length - bytes.byteOffset).toBeLessThanOrEqual(segment.textStart)
          }
          expect(segmentText(summarizeReceived(segment))).toContain(' win ')
        },
      ),
      { numRuns: 3000 },
    )
  })
})

test('a segment in the notation of packetdrill, relative to the initial sequence numbers', () => {
  const segment = outgoing({ seq: 1001, ack: -5, flags: PSH | ACK, window: 257, textLength: 1000 })
  let n = putNop(segment.optionBytes, putNop(segment.optionBytes, 0))
  n = putTimestamps(segment.optionBytes, n, 100, 0)
  segment.optionBytesLength = n
  expect(segmentText(summarizeSent(segment), { seq: 1000, ack: -6 })).toBe(
    'P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 0>',
  )
})
