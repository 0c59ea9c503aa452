import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TestLink, testHost } from '../../test/fixtures/test-host.js'
import {
  type Frame,
  FrameAllocator,
  PacketHeader,
  parseIpAddress,
  parsePacket,
  writeIPv4Header,
  writeIPv6Header,
} from '../wire/index.js'
import { fragmentPacket } from './fragmentation.js'
import { Reassembly } from './reassembly.js'

const frames = new FrameAllocator()

function packet(version: 4 | 6, length: number, identification = 7): Frame {
  const header = version === 4 ? 20 : 40
  const frame = frames.allocate(header + length)
  for (let i = 0; i < length; i++) frame.bytes[frame.start + header + i] = (i * 7 + (i >> 8)) & 255
  if (version === 4) {
    const [a, b] = [parseIpAddress('10.0.0.1'), parseIpAddress('10.0.0.2')]
    writeIPv4Header(frame.bytes, frame.start, length, 253, a, b, 64, 0, identification, 0)
  } else {
    const [a, b] = [parseIpAddress('fd00::1'), parseIpAddress('fd00::2')]
    writeIPv6Header(frame.bytes, frame.start, length, 253, a, b, 64, 0, 0)
  }
  return frame
}

const cutter = testHost()
const cutLink = new TestLink()
const via = cutter.attach(cutLink, { addresses: [] })

function cut(frame: Frame, mtu: number): Frame[] {
  fragmentPacket(cutter, frame, mtu, 99, via)
  cutter.flush(0)
  return cutLink.sent.splice(0)
}

function payload(frame: Frame): Uint8Array {
  const header = new PacketHeader()
  expect(parsePacket(frame.bytes, frame.start, frame.end, header)).toBeNull()
  expect(header.isFragment).toBe(false)
  return frame.bytes.slice(header.payloadStart, header.payloadEnd)
}

const reassembly = () =>
  new Reassembly(
    () => {},
    () => {},
  )

function add(into: Reassembly, frame: Frame): Frame | 'waiting' | 'dropped' {
  const header = new PacketHeader()
  expect(parsePacket(frame.bytes, frame.start, frame.end, header)).toBeNull()
  expect(header.isFragment).toBe(true)
  return into.add(frame.bytes, header, frames, 0)
}

test('fragments of any size in any order, some of them twice, give the packet back', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<4 | 6>(4, 6),
      fc.integer({ min: 300, max: 9000 }),
      fc.integer({ min: 68, max: 240 }),
      fc.infiniteStream(fc.nat()),
      (version, length, mtu, numbers) => {
        const whole = packet(version, length)
        const parts = cut(whole, mtu)
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(Math.max(mtu, 56))
        const order = parts.map((part) => ({ part, at: numbers.next().value ?? 0 })).sort((a, b) => a.at - b.at)
        const into = reassembly()
        const results = order.flatMap(({ part, at }, i) =>
          at % 5 === 0 && i < order.length - 1 ? [add(into, part), add(into, part)] : [add(into, part)],
        )
        const last = results.pop()!
        expect(results.every((r) => r === 'waiting')).toBe(true)
        expect(typeof last).toBe('object')
        expect(payload(last as Frame)).toEqual(payload(whole))
        expect(into.octets).toBe(0)
      },
    ),
    { numRuns: 60 },
  )
})

test('a fragment that overlaps another spoils its packet [RFC 5722]', () => {
  const a = cut(packet(4, 1000), 500)
  const b = cut(packet(4, 1000), 300)
  const into = reassembly()
  expect(add(into, a[0]!)).toBe('waiting')
  expect(add(into, b[1]!)).toBe('dropped')
  expect(into.octets).toBe(0)
})

test('what fragments cost is bounded: the oldest packet goes first', () => {
  const into = reassembly()
  for (let id = 0; id < 8000; id++) add(into, cut(packet(4, 1000, id), 900)[0]!)
  expect(into.octets).toBeLessThanOrEqual(4 * 1024 * 1024)
})

test('a packet that does not become whole in 30 s is given up, and its first fragment answered with time exceeded', () => {
  const link = new TestLink()
  const host = testHost()
  const eth0 = host.attach(link, { addresses: [{ address: parseIpAddress('10.0.0.2'), prefixLength: 24 }] })
  host.receiveFrame(eth0, cut(packet(4, 1000), 500)[0]!, 0)
  expect(host.nextDeadline()).toBe(30_000)
  host.advance(30_000)
  expect(host.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  expect(link.sent).toHaveLength(1)
  const { bytes, start } = link.sent[0]!
  expect([bytes[start + 9], bytes[start + 20], bytes[start + 21]]).toEqual([1, 11, 1])
})
