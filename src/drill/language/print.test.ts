import { expect, test } from 'vitest'
import type { Action } from './ast.js'
import { parseScript } from './parser.js'
import { printCall, printMicros, printPacket, printTime } from './print.js'

const action = (text: string): Action => parseScript('a.pkt', `0 ${text}`).events[0]!.action

function printed(text: string): string {
  const read = action(text)
  if (read.kind === 'packet') return printPacket(read.packet, read.direction)
  if (read.kind === 'call') return printCall(read)
  throw new Error('neither packet nor call')
}

test.each([
  '< S 0:0(0) win 65535 <mss 1460,nop,wscale 8,sackOK,TS val 1 ecr 0>',
  '> SF. 1:1(0)! ack 5! urg 1',
  '> . ...(5) ack ... win ... <TS val ... ecr 7!,eol>',
  '> P.5 1:101(100) <...>',
  '> - 1:1(0)',
  '> [ect0] (tos 0x02, ttl 5) SEWA 0:0(0) <wscale *,sack 1:2 3:4!>',
  '< S 0:0(0) <FO,FO 0123,FOEXP abcd,md5 valid,gen-9 00>/udp(1 > 2)',
  '> S 0:0(0) <AccECN0 e0b 1 ceb 2,exp-AccECN1,md5 00,uto 5,exp-f988 00>',
  '< udp (5)',
  '< udp 1 > 2 (5)',
  '< icmp unreachable frag_needed mtu 1400 [1:11(10)]',
  '< icmpv6 type_200 code_9 id 5 [udp (8)]',
  '< ipv4 1.2.3.4 > 5.6.7.8 : ipv6 ::1 > ::2 : S 0:0(0)',
  '< gre flags 0x2000, key 5: mpls (label 1, tc 2, [S], ttl 3): S 0:0(0)',
  'read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)',
  'fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0',
  'f({msg_iov(1)=[{..., 5}]}, "a", ~1, htons(2), 1 ~ 2, x{a=1}) = 0x2 (flags O_RDWR)',
])('%s is printed as it was read', (text) => {
  expect(printed(text)).toBe(text)
})

test.each(['1.500', '+0.000', '*', '1.000~2.000', '+0.000~+0.10025'])(
  'the time %s is printed as it was read',
  (text) => {
    expect(printTime(parseScript('a.pkt', `${text} > . 1:1(0)`).events[0]!.time)).toBe(text)
  },
)

test('microseconds have as many digits as they need, at least three', () => {
  expect([0, 1, 100_000, 1_234_560, -2500].map(printMicros)).toEqual([
    '0.000',
    '0.000001',
    '0.100',
    '1.23456',
    '-0.0025',
  ])
})
