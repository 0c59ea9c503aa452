import { describe, expect, test } from 'vitest'
import { parseIpAddress } from '../../wire/index.js'
import type { TcpPacket } from '../language/ast.js'
import { parseScript } from '../language/parser.js'
import { Conversation } from './conversation.js'
import { livePacketOf } from './inject.js'
import { type LivePacket, readLivePacket } from './live-packet.js'
import { differences, fragmentObjection, type TcpLivePacket } from './packets-match.js'

const RULES = { strictSegments: false, timestampTick: 0, tolerance: 4000, md5Key: new TextEncoder().encode('secret') }

/** A conversation whose numbers are the same in the script and on the wire. */
function conversation(ipv6 = false): Conversation {
  const made = new Conversation(3, 3, 'tcp')
  made.localAddress = parseIpAddress(ipv6 ? 'fd00::1' : '192.168.0.1')
  made.remoteAddress = parseIpAddress(ipv6 ? 'fd00::2' : '192.0.2.1')
  made.localPort = 8080
  made.remotePort = 53_000
  made.timestamps.set(100, 100)
  return made
}

function packet(text: string): TcpPacket {
  const { action } = parseScript('t.pkt', `0 < ${text}`).events[0]!
  if (action.kind !== 'packet' || action.packet.kind !== 'tcp') throw new Error(text)
  return action.packet
}

/** The packet as it would leave a host. */
function sent(text: string, ipv6 = false): LivePacket {
  const octets = livePacketOf(packet(text), conversation(ipv6), { md5Key: RULES.md5Key, scaledEcho: false })
  const live = readLivePacket(octets, 0, false)
  if (typeof live === 'string') throw new Error(live)
  return live
}

const compare = (expected: string, ...texts: string[]) =>
  differences(
    packet(expected),
    texts.map((text) => sent(text)),
    conversation(),
    RULES,
  )

describe('a segment that is sent as the script says matches', () => {
  test.each([
    'S 0:0(0) win 65535 <mss 1460,nop,wscale 7,sackOK,TS val 100 ecr 0>',
    'S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,eol,eol>',
    '. 1:1(0) ack 1 win 100 <nop,nop,sack 2001:3001 4001:5001>',
    'P. 1:1001(1000) ack 1 win 100 <nop,nop,TS val 100 ecr 100>',
    'F. 1001:1001(0) ack 2 win 0',
    'R 1:1(0) win 0',
    'SEW 0:0(0) win 1 <mss 1000,FO 0123456789abcdef,nop,nop>',
    'SEWA 0:0(0) win 1 <mss 1000,FOEXP>',
    '.5 1:1(0) ack 1 win 5 <ECN e1b 1 ceb 2 e0b 3,nop>',
    'UP. 1:11(10) ack 1 win 5 urg 10',
    'P. 1:11(10) ack 1 win 5 <nop,nop,md5 valid>',
    '[ect0] P. 1:11(10) ack 1 win 5',
  ])('%s', (text) => {
    expect(compare(text, text)).toEqual([])
  })

  test('over IPv6 too', () => {
    const text = 'P. 1:1001(1000) ack 1 win 100 <nop,nop,TS val 100 ecr 100>'
    expect(differences(packet(text), [sent(text, true)], conversation(true), RULES)).toEqual([])
  })
})

describe('each field that differs is named', () => {
  test.each([
    ['F. 1:1(0) ack 1', '. 1:1(0) ack 1 win 9', 'FIN bit'],
    ['. 1:1(0) ack 1', 'P. 1:1(0) ack 1 win 9', 'PSH bit'],
    ['. 1:1(0) ack 1', '. 2:2(0) ack 1 win 9', 'seq'],
    ['. 1:1(0) ack 1', '. 1:1(0) ack 2 win 9', 'ack'],
    ['. 1:1(0) ack 1 win 8', '. 1:1(0) ack 1 win 9', 'win'],
    ['P. 1:11(10) ack 1', 'P. 1:12(11) ack 1 win 9', 'length'],
    ['.5 1:1(0) ack 1', '.4 1:1(0) ack 1 win 9', 'ACE'],
    ['[noecn] . 1:1(0) ack 1', '[ect0] . 1:1(0) ack 1 win 9', 'ECN field'],
    ['(ttl 64) . 1:1(0) ack 1', '(ttl 63) . 1:1(0) ack 1 win 9', 'TTL'],
    ['(tos 0x10) . 1:1(0) ack 1', '. 1:1(0) ack 1 win 9', 'traffic class'],
    ['S 0:0(0) <mss 1460>', 'S 0:0(0) win 9 <mss 1461>', 'option 1'],
    ['S 0:0(0) <mss 1460,nop,nop,sackOK>', 'S 0:0(0) win 9 <mss 1460,sackOK,nop,nop>', 'option 2'],
    ['. 1:1(0) ack 1', '. 1:1(0) ack 1 win 9 <nop,nop,TS val 100 ecr 100>', 'option 1'],
    ['. 1:1(0) ack 1 <nop,nop,TS val 1 ecr 99>', '. 1:1(0) ack 1 win 9 <nop,nop,TS val 100 ecr 100>', 'option 3'],
    ['. 1:1(0) ack 1 <nop,nop,sack 1:2>', '. 1:1(0) ack 1 win 9 <nop,nop,sack 1:3>', 'option 3'],
    ['. 1:1(0) ack 1 <nop,nop,md5 valid>', '. 1:1(0) ack 1 win 9 <nop,nop,md5 invalid>', 'option 3'],
  ])('%s', (expected, live, named) => {
    const found = compare(expected, live)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(named)
  })
})

test('what a script leaves out is not compared, but options are: none are none', () => {
  expect(compare('. 1:1(0) ack 1', '[ect0] (ttl 3) . 1:1(0) ack 1 win 9')).toEqual([])
  expect(compare('. 1:1(0) ack 1 <...>', '. 1:1(0) ack 1 win 9 <nop,nop,sack 1:2>')).toEqual([])
  expect(compare('S. ...(0) ack 1 win ... <...>', 'S. 77:77(0) ack 1 win 9')).toEqual([])
})

describe('an expected segment may come in fragments', () => {
  const first = '. 1:1001(1000) ack 1 win 9'
  const second = '. 1001:2001(1000) ack 1 win 9'

  test('PSH is that of the last one', () => {
    expect(compare('P. 1:2501(2500) ack 1', first, second, 'P. 2001:2501(500) ack 1 win 9')).toEqual([])
    expect(compare('. 1:2001(2000) ack 1', first, second)).toEqual([])
  })

  test('of equal size, one behind the other', () => {
    const [a, b, small, gap] = [first, second, '. 1001:1501(500) ack 1 win 9', '. 1002:2002(1000) ack 1 win 9'].map(
      (text) => sent(text) as TcpLivePacket,
    )
    expect(fragmentObjection(a!, b!, 2000)).toBeNull()
    expect(fragmentObjection(a!, small!, 2000)).toContain('equal size')
    expect(fragmentObjection(a!, small!, 500)).toBeNull()
    expect(fragmentObjection(a!, gap!, 2000)).toContain('no continuation')
  })
})

test('text that the program did not write at that place is a difference', () => {
  const live = sent('P. 1:11(10) ack 1 win 9') as TcpLivePacket
  live.content.text[3]! ^= 1
  expect(differences(packet('P. 1:11(10) ack 1'), [live], conversation(), RULES)[0]).toContain('octet 3')
})
