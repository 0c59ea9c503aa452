import fc from 'fast-check'
import { expect, test } from 'vitest'
import { echoRequest, TestLink, tcpFrame, testHost } from '../../test/fixtures/test-host.js'
import type { Settings } from '../tcp/index.js'
import {
  ACK,
  CWR,
  DropReason,
  FIN,
  Frame,
  type IpAddress,
  PacketHeader,
  PSH,
  parseIpAddress,
  parsePacket,
  parseTcp,
  RST,
  Segment,
  SYN,
  takePacketHeader,
  write16,
} from '../wire/index.js'
import type { Host, NetworkInterface } from './index.js'
import { parseInterfaceAddress } from './routes.js'

interface Stage {
  host: Host
  link: TestLink
  eth0: NetworkInterface
}

function stage(settings: Partial<Settings> = {}, link = new TestLink()): Stage {
  const host = testHost(settings)
  const addresses = ['10.0.0.1/24', 'fd00::1/64'].map(parseInterfaceAddress)
  return { host, link, eth0: host.attach(link, { addresses }) }
}

function read(frame: Frame): { header: PacketHeader; segment: Segment } {
  const header = new PacketHeader()
  const segment = new Segment()
  expect(parsePacket(frame.bytes, frame.start, frame.end, header)).toBeNull()
  takePacketHeader(segment, header)
  if (header.protocol === 6) {
    const { payloadStart, payloadEnd } = header
    expect(parseTcp(frame.bytes, payloadStart, payloadEnd, segment, !frame.checksumPartial)).toBeNull()
  }
  return { header, segment }
}

test.each([
  ['10.0.0.9', '10.0.0.1'],
  ['fd00::9', 'fd00::1'],
])('an echo request from %s is answered', (from, to) => {
  const { host, link, eth0 } = stage()
  host.receiveFrame(eth0, echoRequest(from, to, 100), 0)
  expect(link.sent).toHaveLength(1)
  const { header } = read(link.sent[0]!)
  expect([`${header.source}`, `${header.destination}`]).toEqual([to, from])
})

test('a segment for nobody is answered with RST, and told apart from one for another host', () => {
  const { host, link, eth0 } = stage()
  host.receiveFrame(eth0, tcpFrame({ from: '10.0.0.9', to: '10.0.0.1', flags: SYN, seq: 7 }), 0)
  const { segment } = read(link.sent[0]!)
  expect([segment.flags, segment.ack]).toEqual([RST | ACK, 8])
  host.receiveFrame(eth0, tcpFrame({ from: '10.0.0.9', to: '10.0.0.7', flags: SYN }), 0)
  expect(link.sent).toHaveLength(1)
  expect(host.counters.drops[DropReason.NotForUs]).toBe(1)
})

test('[MUST-57] a SYN from or to a broadcast or multicast address is dropped silently', () => {
  const { host, link, eth0 } = stage()
  for (const from of ['255.255.255.255', '224.0.0.1', '0.0.0.0', '127.0.0.1']) {
    host.receiveFrame(eth0, tcpFrame({ from, to: '10.0.0.1', flags: SYN }), 0)
  }
  for (const to of ['255.255.255.255', '224.0.0.1']) {
    host.receiveFrame(eth0, tcpFrame({ from: '10.0.0.9', to, flags: SYN }), 0)
  }
  expect(link.sent).toHaveLength(0)
  expect(host.counters.drops[DropReason.BadSourceAddress]).toBe(4)
})

test('a UDP datagram is answered with port unreachable, an unknown protocol with protocol unreachable', () => {
  const { host, link, eth0 } = stage()
  for (const protocol of [17, 200]) {
    const frame = tcpFrame({ from: '10.0.0.9', to: '10.0.0.1', flags: SYN })
    frame.bytes[frame.start + 9] = protocol
    write16(frame.bytes, frame.start + 10, 0)
    write16(frame.bytes, frame.start + 24, 20)
    write16(frame.bytes, frame.start + 26, 0)
    let sum = 0
    for (let i = 0; i < 20; i += 2) sum += (frame.bytes[frame.start + i]! << 8) | frame.bytes[frame.start + i + 1]!
    write16(frame.bytes, frame.start + 10, ~((sum & 0xffff) + (sum >>> 16)))
    host.receiveFrame(eth0, frame, 0)
  }
  expect(link.sent.map((f) => [f.bytes[f.start + 20], f.bytes[f.start + 21]])).toEqual([
    [3, 3],
    [3, 2],
  ])
})

test('a packet larger than the path is sent in fragments when it must go at all', () => {
  const { host, link, eth0 } = stage()
  eth0.mtu = 600
  host.receiveFrame(eth0, echoRequest('10.0.0.9', '10.0.0.1', 1400), 0)
  expect(link.sent.map((f) => f.length)).toEqual([596, 596, 276])
})

test('everything sent during one entry reaches the link as one batch', () => {
  const { host, link, eth0 } = stage()
  const frames = Array.from({ length: 5 }, () => echoRequest('10.0.0.9', '10.0.0.1', 10))
  host.receive(eth0, frames, 5, 0)
  expect(link.batches).toEqual([5])
})

/** A super-segment with every flag that matters, from octets 0, 1, 2 … */
function superSegment(host: Host, textLength: number): Segment {
  const { out } = host
  out.reset()
  out.source = parseIpAddress('10.0.0.1')
  out.destination = parseIpAddress('10.0.0.9')
  out.sourcePort = 1
  out.destinationPort = 2
  out.seq = -100
  out.flags = ACK | PSH | FIN | CWR
  out.textLength = textLength
  out.gsoSize = 1000
  out.text = {
    copyText(seq, length, target, at) {
      for (let i = 0; i < length; i++) target[at + i] = seq + 100 + i
    },
  }
  return out
}

test('a link without super-segments gets the pieces: CWR in the first, PSH and FIN in the last', () => {
  const { host, link } = stage()
  host.transmit(null, superSegment(host, 2500), false, 0)
  const pieces = link.sent.map((frame) => read(frame))
  expect(pieces.map((p) => [p.segment.seq, p.segment.textLength, p.segment.flags])).toEqual([
    [-100, 1000, ACK | CWR],
    [900, 1000, ACK],
    [1900, 500, ACK | PSH | FIN],
  ])
  const ids = pieces.map((p) => p.header.identification)
  expect([ids[1]! - ids[0]!, ids[2]! - ids[1]!]).toEqual([1, 1])
  const text = pieces.flatMap(({ segment: s }) => [...s.bytes.subarray(s.textStart, s.textStart + s.textLength)])
  expect(text).toEqual(Array.from({ length: 2500 }, (_, i) => i & 255))
  expect(host.counters.get('TcpOutSegs')).toBe(3)
})

test('a link with super-segments gets the whole, without checksum', () => {
  const link = new TestLink()
  link.maxSuperSegment = 60_000
  link.checksumOffload = true
  const { host } = stage({}, link)
  expect(host.maxSuperSegment).toBe(60_000)
  host.transmit(null, superSegment(host, 2500), false, 0)
  expect(link.sent).toHaveLength(1)
  expect([link.sent[0]!.gsoSize, link.sent[0]!.checksumPartial]).toEqual([1000, true])
})

test('a path MTU that was learned is believed for ten minutes [RFC 1191 6.3]', () => {
  const { host } = stage()
  const path = host.path(parseIpAddress('10.0.0.9'))
  expect(path.mtu).toBe(1500)
  path.mtu = 1200
  expect(path.mtu).toBe(1200)
  expect(host.path(parseIpAddress('10.0.0.9')).mtu).toBe(1200)
  host.advance(599_999)
  expect(path.mtu).toBe(1200)
  host.advance(600_000)
  expect(path.mtu).toBe(1500)
})

test('the MTU of the interface is that of every path over it, at once', () => {
  const { host, eth0 } = stage()
  const path = host.path(parseIpAddress('10.0.0.9'))
  eth0.mtu = 1280
  expect(path.mtu).toBe(1280)
})

test('the source address is one of the destination’s network', () => {
  const { host } = stage()
  const source = (to: string): string => `${host.sourceAddress(parseIpAddress(to))}`
  expect([source('10.0.0.77'), source('fd00::77'), source('127.0.0.1'), source('10.0.0.1'), source('8.8.8.8')]).toEqual(
    ['10.0.0.1', 'fd00::1', '127.0.0.1', '10.0.0.1', 'null'],
  )
})

test('paths are bounded: a host that talks to everybody forgets the oldest', () => {
  const { host } = stage()
  for (let i = 0; i < 20_000; i++) host.path(parseIpAddress(`10.1.${i >> 8}.${i & 255}`) as IpAddress)
  expect(host.paths.size).toBeLessThanOrEqual(8192)
})

test('any octets at all are survived by a host', () => {
  const { host, eth0 } = stage()
  const base = tcpFrame({ from: '10.0.0.9', to: '10.0.0.1', flags: SYN, text: new Uint8Array(40) })
  const base6 = echoRequest('fd00::9', 'fd00::1', 60)
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    ...[base, base6].map((frame) =>
      fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 8 }).map((changes) => {
        const bytes = frame.view().slice()
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      }),
    ),
  )
  fc.assert(
    fc.property(octets, (bytes) => {
      host.receiveFrame(eth0, new Frame(bytes, 0, bytes.length), 0)
    }),
    { numRuns: 2000 },
  )
})

test('a link that copies gets its frames before their memory serves for the next, and not too many at once', () => {
  const copies: Uint8Array[] = []
  class CopyingLink extends TestLink {
    readonly copies = true
    override transmit(frames: readonly Frame[], count: number, now: number): void {
      super.transmit(frames, count, now)
      for (let i = 0; i < count; i++) copies.push(frames[i]!.view().slice())
    }
  }
  const { host, link } = stage({}, new CopyingLink())
  host.maxSuperSegment = link.maxSuperSegment = 60_000
  const segment = new Segment()
  segment.source = parseIpAddress('10.0.0.1')
  segment.destination = parseIpAddress('10.0.0.9')
  segment.gsoSize = 1400
  segment.textLength = 42_000
  host.enter(0)
  for (let i = 0; i < 12; i++) {
    segment.bytes = new Uint8Array(segment.textLength).fill(i)
    host.transmit(null, segment, false, 0)
  }
  host.leave(0)
  expect(copies.map((octets) => octets[octets.length - 1])).toEqual([...copies.keys()])
  expect(link.batches.length).toBeGreaterThan(1)
  expect(new Set(link.sent.map(({ bytes }) => bytes)).size).toBe(1)
})
