import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Link, parseInterfaceAddress } from '../ip/index.js'
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  etherType,
  Frame,
  FrameAllocator,
  formatMac,
  ICMP4_ECHO,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  parseArp,
  parseIpAddress,
  parseMac,
  writeIcmp,
  writeIPv4Header,
  writeIPv6Header,
} from '../wire/index.js'
import { EthernetLink } from './ethernet-link.js'
import { Neighbour } from './ethernet-neighbours.js'
import { memoryPipe } from './memory-pipe.js'

const A = '02:00:00:00:00:0a'
const B = '02:00:00:00:00:0b'
const allocator = new FrameAllocator()

/** An echo request; only its addresses matter here. */
function packet(from: string, to: string, headroom = true): Frame {
  const source = parseIpAddress(from)
  const destination = parseIpAddress(to)
  const ip = destination.isIPv4 ? 20 : 40
  const frame = headroom ? allocator.allocate(ip + 12) : new Frame(new Uint8Array(ip + 12), 0, ip + 12)
  const { bytes, start } = frame
  const body = Uint8Array.of(1, 2, 3, 4)
  const type = destination.isIPv4 ? ICMP4_ECHO : 128
  const length = writeIcmp(bytes, start + ip, source, destination, type, 0, 7, body, 0, body.length)
  if (destination.isIPv4) writeIPv4Header(bytes, start, length, IPPROTO_ICMP, source, destination, 64, 0, 1, 0)
  else writeIPv6Header(bytes, start, length, IPPROTO_ICMPV6, source, destination, 64, 0, 0)
  return frame
}

/** An end of an Ethernet, and the packets that came out of it. */
function end(carrier: Link, mac: string, addresses: string[], gateways: string[] = []) {
  const link = new EthernetLink(carrier, {
    mac: parseMac(mac),
    addresses: addresses.map(parseInterfaceAddress),
    gateways: gateways.map(parseIpAddress),
  })
  const received: number[][] = []
  link.receiver = {
    receive: (frames, count) => {
      for (let i = 0; i < count; i++) received.push([...frames[i]!.view()])
    },
  }
  return { link, received, send: (frame: Frame, now = 0) => link.transmit([frame], 1, now) }
}

/** Two ends of a wire, as they are between two hosts. */
function wire() {
  const due: ((now: number) => void)[] = []
  const [left, right] = memoryPipe({ soon: (deliver) => void due.push(deliver) })
  const a = end(left, A, ['10.0.0.1/24', 'fd00::1/64'])
  const b = end(right, B, ['10.0.0.2/24', 'fd00::2/64'])
  const settle = (now = 0) => {
    while (due.length > 0) due.shift()!(now)
  }
  return { a, b, settle }
}

/** A carrier that only keeps what it is given. */
function recorder() {
  const sent: Frame[] = []
  const carrier: Link = {
    mtu: 1500,
    maxSuperSegment: 0,
    checksumOffload: false,
    receiver: null,
    transmit: (frames, count) => void sent.push(...frames.slice(0, count)),
  }
  const take = () => sent.splice(0).map((frame) => frame.view())
  return { carrier, take }
}

const destination = (octets: Uint8Array) => formatMac(octets.subarray(0, 6))
const isArp = (octets: Uint8Array) => etherType(octets, 0, octets.length) === ETHERTYPE_ARP

test.each([
  ['ARP', '10.0.0.1', '10.0.0.2'],
  ['neighbour discovery', 'fd00::1', 'fd00::2'],
])('%s: the first packet waits for the answer, the reply needs no question', (_name, from, to) => {
  const { a, b, settle } = wire()
  const there = [...packet(from, to).view()]
  a.send(packet(from, to))
  expect(b.received).toEqual([])
  settle()
  expect(b.received).toEqual([there])
  const back = packet(to, from)
  const octets = [...back.view()]
  b.send(back)
  settle()
  expect(a.received).toEqual([octets])
  expect(formatMac(a.link.neighbours.find(parseIpAddress(to))!.mac!)).toBe(B)
  expect(formatMac(b.link.neighbours.find(parseIpAddress(from))!.mac!)).toBe(A)
})

test('a packet without room before it gets its header in a copy', () => {
  const { a, b, settle } = wire()
  a.send(packet('10.0.0.1', '10.0.0.2', false))
  settle()
  expect(b.received).toEqual([[...packet('10.0.0.1', '10.0.0.2', false).view()]])
})

test('packets for other networks go to the gateway of their family', () => {
  const { carrier, take } = recorder()
  const { send } = end(carrier, A, ['10.0.0.1/24', 'fd00::1/64'], ['fd00::fe', '10.0.0.254'])
  send(packet('10.0.0.1', '192.0.2.1'))
  const [question] = take()
  expect(parseArp(question!, 14, question!.length)!.targetAddress.toString()).toBe('10.0.0.254')
  send(packet('fd00::1', '2001:db8::1'))
  expect(destination(take()[0]!)).toBe('33:33:ff:00:00:fe')
})

test('a neighbour that does not answer is asked once a second, and the latest 64 packets for it are kept', () => {
  const { carrier, take } = recorder()
  const { link, send } = end(carrier, A, ['10.0.0.1/24'])
  for (let i = 0; i < 70; i++) send(packet('10.0.0.1', '10.0.0.9'), i)
  expect(take().filter(isArp)).toHaveLength(1)
  send(packet('10.0.0.1', '10.0.0.9'), 1001)
  expect(take().filter(isArp)).toHaveLength(1)
  expect(link.ethernetCounters.unresolved).toBe(7)
  expect(link.neighbours.find(parseIpAddress('10.0.0.9'))!.waiting).toHaveLength(64)
})

test('a neighbour not heard of for 30 s is asked where it was, three times, and then everybody is', () => {
  const neighbour = new Neighbour(parseIpAddress('10.0.0.2'))
  expect(neighbour.disposition(0)).toBe('wait and ask')
  neighbour.heard(parseMac(B), 0)
  expect(neighbour.disposition(29_999)).toBe('send')
  expect(neighbour.disposition(30_000)).toBe('send and ask')
  expect(neighbour.disposition(30_500)).toBe('send')
  expect(neighbour.disposition(31_000)).toBe('send and ask')
  expect(neighbour.disposition(32_000)).toBe('send and ask')
  expect(neighbour.disposition(33_000)).toBe('wait and ask')
  expect(neighbour.mac).toBeNull()
})

test('groups and broadcasts need no question', () => {
  const { carrier, take } = recorder()
  const { send } = end(carrier, A, ['10.0.0.1/24', 'fd00::1/64'])
  for (const to of ['224.1.2.3', '239.129.2.3', '255.255.255.255', '10.0.0.255', 'ff02::1:2']) {
    send(packet(to.includes(':') ? 'fd00::1' : '10.0.0.1', to))
  }
  expect(take().map(destination)).toEqual([
    '01:00:5e:01:02:03',
    '01:00:5e:01:02:03',
    'ff:ff:ff:ff:ff:ff',
    'ff:ff:ff:ff:ff:ff',
    '33:33:00:01:00:02',
  ])
})

test('an announcement reaches who knew the address at another place, and nobody else', () => {
  const { a, b, settle } = wire()
  a.send(packet('10.0.0.1', '10.0.0.2'))
  a.send(packet('fd00::1', 'fd00::2'))
  settle()
  a.link.neighbours.find(parseIpAddress('10.0.0.2'))!.heard(parseMac('02:00:00:00:00:99'), 0)
  b.link.announce(0)
  settle()
  expect(formatMac(a.link.neighbours.find(parseIpAddress('10.0.0.2'))!.mac!)).toBe(B)
  a.link.announce(0)
  settle()
  expect(b.link.neighbours.all()).toHaveLength(2)
})

test('whoever claims an address of ours is counted and not believed', () => {
  const { a } = wire()
  const { carrier, take } = recorder()
  end(carrier, B, ['10.0.0.1/24', 'fd00::1/64']).link.announce(0)
  const frames = take().map((octets) => new Frame(octets, 0, octets.length))
  a.link.receive(frames, frames.length, 0)
  expect(a.link.ethernetCounters.conflicts).toBe(2)
  expect(a.link.neighbours.all()).toEqual([])
})

test('duplicate address detection by somebody else is answered to all', () => {
  const { carrier, take } = recorder()
  const { link } = end(carrier, A, ['fd00::1/64'])
  const { carrier: other, take: taken } = recorder()
  // a solicitation from :: has no option with a hardware address (RFC 4862 5.4.2)
  const asker = end(other, B, ['fd00::1/64'])
  asker.link.announce(0)
  const octets = taken()[0]!
  const body = new Uint8Array(16)
  body.set([0xfd], 0)
  body.set([1], 15)
  const source = parseIpAddress('::')
  const target = parseIpAddress('ff02::1:ff00:1')
  writeIPv6Header(octets, 14, 24, IPPROTO_ICMPV6, source, target, 255, 0, 0)
  writeIcmp(octets, 54, source, target, 135, 0, 0, body, 0, 16)
  link.receive([new Frame(octets, 0, 78)], 1, 0)
  const [answer] = take()
  expect(destination(answer!)).toBe('33:33:00:00:00:01')
  expect(etherType(answer!, 0, answer!.length)).toBe(ETHERTYPE_IPV6)
  expect(link.neighbours.all()).toEqual([])
})

test('frames for other hardware addresses, and what is neither IP nor ARP, are counted and go nowhere', () => {
  const { carrier } = recorder()
  const { link, received } = end(carrier, A, ['10.0.0.1/24'])
  const forB = Uint8Array.of(...parseMac(B), ...parseMac(A), 8, 0, ...packet('10.0.0.2', '10.0.0.1').view())
  const vlan = Uint8Array.of(...parseMac(A), ...parseMac(B), 0x81, 0, 0, 1, 8, 0)
  link.receive(
    [forB, vlan, new Uint8Array(13)].map((octets) => new Frame(octets, 0, octets.length)),
    3,
    0,
  )
  expect(received).toEqual([])
  expect(link.ethernetCounters).toMatchObject({ notForUs: 1, droppedIn: 2 })
})

test('any octets are survived, in both directions', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    // as far as an ARP packet, or a neighbour message with options, for us
    fc
      .uint8Array({ maxLength: 40 })
      .map((rest) => Uint8Array.of(...parseMac(A), ...parseMac(B), 8, 6, 0, 1, 8, 0, 6, 4, ...rest)),
    fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(135, 136)).map(([rest, type]) => {
      const frame = new Uint8Array(14 + 40 + 8 + rest.length)
      frame.set([...parseMac(A), ...parseMac(B), 0x86, 0xdd])
      const source = parseIpAddress('fd00::2')
      const target = parseIpAddress('fd00::1')
      writeIPv6Header(frame, 14, 8 + rest.length, IPPROTO_ICMPV6, source, target, 255, 0, 0)
      writeIcmp(frame, 54, source, target, type, 0, 0, rest, 0, rest.length)
      return frame
    }),
  )
  fc.assert(
    fc.property(octets, (bytes) => {
      const { carrier } = recorder()
      const { link } = end(carrier, A, ['10.0.0.1/24', 'fd00::1/64'])
      link.receive([new Frame(bytes.slice(), 0, bytes.length)], 1, 0)
      link.transmit([new Frame(bytes.slice(), 0, bytes.length)], 1, 0)
      link.transmit([new Frame(bytes.slice(), Math.min(14, bytes.length), bytes.length)], 1, 0)
    }),
  )
})
