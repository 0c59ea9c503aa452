import { expect, test } from 'vitest'
import type { IcmpPacket, Packet, TcpPacket, UdpPacket } from './ast.js'
import { parseScript } from './parser.js'
import { ScriptError } from './source.js'

function packet(text: string): Packet {
  const { action } = parseScript('a.pkt', `0 ${text}`).events[0]!
  if (action.kind !== 'packet') throw new Error('no packet')
  return action.packet
}
const tcp = (text: string) => packet(text) as TcpPacket
const icmp = (text: string) => packet(text) as IcmpPacket

function failure(text: string): string {
  try {
    packet(text)
  } catch (error) {
    if (error instanceof ScriptError) return `${error.position.column}: ${error.reason}`
    throw error
  }
  throw new Error('the packet was read')
}

/** The flags that are set, as words. */
function bits(text: string): string[] {
  return Object.entries(tcp(`< ${text} 0:0(0)`).flags).flatMap(([name, value]) => (value === true ? [name] : []))
}

test('a segment has flags, sequence numbers, acknowledgment, window, urgent pointer and options', () => {
  expect(tcp('< P. 1:1001(1000) ack 5 win 257 urg 3 <nop,nop>')).toMatchObject({
    kind: 'tcp',
    seq: { start: 1, end: 1001, length: 1000, absolute: false },
    ack: { value: 5, absolute: false },
    window: 257,
    urgent: 3,
    options: [{ kind: 'nop' }, { kind: 'nop' }],
  })
})

test('what a segment does not say is null, but no options are no options', () => {
  expect(tcp('> S 0:0(0)')).toMatchObject({ ack: null, window: null, urgent: null, options: [], udp: null })
  expect(tcp('> S 0:0(0)').ip).toEqual({ ecn: null, trafficClass: null, dscp: null, hopLimit: null, flowLabel: null })
})

test.each([
  ['S', ['syn']],
  ['S.', ['syn', 'ack']],
  ['FPUR', ['fin', 'rst', 'psh', 'urg']],
  ['SEWA', ['syn', 'ece', 'cwr', 'ae']],
  ['SC', ['syn', 'cwr']],
  ['F .', ['fin', 'ack']],
  ['-', []],
])('the flags %s', (text, names) => {
  expect(bits(text)).toEqual(names)
})

test.each([
  ['.5', 5],
  ['P5.', 5],
  ['F.0', 0],
  ['.', null],
])('the ACE field of %s is %s', (text, ace) => {
  expect(tcp(`< ${text} 0:0(0)`).flags.ace).toBe(ace)
})

test('sequence numbers may be those on the wire or anything', () => {
  expect(tcp('> R. 7:7(0)! ack 9!')).toMatchObject({
    seq: { start: 7, absolute: true },
    ack: { value: 9, absolute: true },
  })
  expect(tcp('> S. ...(5) ack ... win ...')).toMatchObject({
    seq: { start: null, end: null, length: 5 },
    ack: { value: null },
    window: 'any',
  })
})

test('sequence numbers wrap', () => {
  expect(tcp('> . 4294967290:4(10)').seq).toMatchObject({ start: 4294967290, end: 4, length: 10 })
})

test('options may be anything', () => {
  expect(tcp('> S 0:0(0) <...>').options).toBe('any')
})

test.each([
  ['[noecn]', { ecn: 0 }],
  ['[ect1]', { ecn: 1 }],
  ['[ect0]', { ecn: 2 }],
  ['[ce]', { ecn: 3 }],
  ['[ect01]', { ecn: 'ect01' }],
  ['(tos 0x2e)', { trafficClass: 0x2e }],
  ['(class 0x10)', { trafficClass: 16 }],
  ['(dscp 10)', { dscp: 10 }],
  ['(ttl 5)', { hopLimit: 5 }],
  ['(hlim 64)', { hopLimit: 64 }],
  ['[ect0, flowlabel 0x12345]', { ecn: 2, flowLabel: 0x12345 }],
  ['[ce] (ttl 9, tos 3)', { ecn: 3, hopLimit: 9, trafficClass: 3 }],
])('what %s says of the IP header', (text, ip) => {
  expect(tcp(`> ${text} . 1:1(0)`).ip).toMatchObject(ip)
})

test('a segment may travel in UDP', () => {
  expect(tcp('< S 0:0(0) win 9 <mss 100>/udp(9899 > 8080)').udp).toEqual({ source: 9899, destination: 8080 })
  expect(tcp('< S 0:0(0) win 9/udp(1 > 2)').window).toBe(9)
})

test('headers around a packet are kept, outermost first', () => {
  const text =
    '< ipv4 1.1.1.1 > 2.2.2.2: gre: mpls (label 5, tc 1, ttl 9) (label 6, tc 0, [S], ttl 8): ipv6 ::1 > 2::3: S 0:0(0)'
  expect(tcp(text).encapsulation).toEqual([
    { kind: 'ipv4', source: '1.1.1.1', destination: '2.2.2.2' },
    { kind: 'gre', flags: null, checksum: null, offset: null, key: null, sequence: null },
    {
      kind: 'mpls',
      labels: [
        { label: 5, trafficClass: 1, bottom: false, ttl: 9 },
        { label: 6, trafficClass: 0, bottom: true, ttl: 8 },
      ],
    },
    { kind: 'ipv6', source: '::1', destination: '2::3' },
  ])
})

test('a GRE header names its fields', () => {
  const text = '< gre flags [checksum present, key present], sum 1, off 0, key=0x22, seq 3: S 0:0(0)'
  expect(tcp(text).encapsulation).toEqual([
    { kind: 'gre', flags: 0xa000, checksum: 1, offset: 0, key: 0x22, sequence: 3 },
  ])
})

test('a UDP packet has a length and maybe ports', () => {
  expect(packet('< udp (100)')).toMatchObject({ kind: 'udp', length: 100, ports: null } satisfies Partial<UdpPacket>)
  expect(packet('> udp 53 > 5353 (0)')).toMatchObject({ ports: { source: 53, destination: 5353 }, length: 0 })
})

test('an ICMP error names type and code, MTU and what it quotes', () => {
  expect(icmp('< icmp unreachable frag_needed mtu 1400 [1:1461(1460)]')).toMatchObject({
    kind: 'icmp',
    family: 'icmp',
    type: 'unreachable',
    code: 'frag_needed',
    mtu: 1400,
    quoted: { kind: 'tcp', seq: { start: 1, end: 1461, length: 1460 }, udp: null },
  })
})

test.each([
  ['icmp unreachable', { type: 'unreachable', code: null, quoted: null }],
  [
    'icmp packet_too_big mtu 1300 [5:6(1)/udp(1 > 2)]',
    { mtu: 1300, code: null, quoted: { udp: { source: 1, destination: 2 } } },
  ],
  ['icmp type_13 code_2', { type: 13, code: 2 }],
  ['icmpv6 echo_request id 7', { family: 'icmpv6', id: 7 }],
  ['icmp time_exceeded [udp (8)]', { quoted: { kind: 'udp', length: 8 } }],
  ['icmp unreachable [raw(9)]', { quoted: { kind: 'raw', length: 9 } }],
])('%s', (text, expected) => {
  expect(icmp(`< ${text}`)).toMatchObject(expected)
})

test.each([
  ['< 1:1(0)', `5: expected TCP flags (of S F R P . U E W A, an ACE digit, or -), found '1'`],
  ['< SS 0:0(0)', `5: expected TCP flags (of S F R P . U E W A, an ACE digit, or -), found 'SS'`],
  ['< Z. 0:0(0)', `5: expected TCP flags (of S F R P . U E W A, an ACE digit, or -), found 'Z.'`],
  ['< E.3 0:0(0)', `5: expected either an ACE digit or the letters A W E, found 'E.3'`],
  ['< S 0:5(0)', `9: expected 0:0(0), found '0:5(0)'`],
  ['< S 0:0', `10: expected '(' and a length, found the end of the script`],
  ['< S 4294967296:0(0)', `7: expected a sequence number from 0 to 4294967295, found '4294967296'`],
  ['< S 0:0(0) win 65536', `18: expected a window from 0 to 65535, found '65536'`],
  ['< S 0:0(0) win', '17: expected a window, found the end of the script'],
  [
    '> [ect9] . 1:1(0)',
    `6: expected noecn, ect0, ect1, ect01, ce, tos, class, dscp, ttl, hlim or flowlabel, found 'ect9'`,
  ],
  ['> [ce] [ect0] . 1:1(0)', `11: expected one ECN code point, found 'ect0' as another`],
  ['> (ttl 256) . 1:1(0)', `10: expected a value for 'ttl' from 0 to 255, found '256'`],
  ['< icmp', '9: expected an ICMP type, found the end of the script'],
  ['< mpls (label 1): S 0:0(0)', `18: expected ',', found ')'`],
])('%s is refused', (text, message) => {
  expect(failure(text)).toBe(message)
})
