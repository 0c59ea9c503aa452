import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEnvironment, evaluate } from '../code/evaluate.js'
import { parseScript } from './parser.js'
import { printCall, printPacket } from './print.js'
import { ScriptError } from './source.js'

/** A script with a bit of everything, to be damaged. */
const SCRIPT = `--ip_version=ipv4 --mtu=1400 // flags
\`./defaults.sh\`
#ifdef FreeBSD
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
#else
+0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0x06) = -1 EPERM (Not permitted)
#endif
+.1...0.2 connect(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")}, ...) = 0
+0 > [ect0] (ttl 64) SEWA 0:0(0) win 65535 urg 1 <mss 1460,sackOK,TS val ... ecr 0!,nop,wscale *,FO 00ff>
+0~+.1 > P.5 1:1001(1000) ack 1 <nop,nop,sack 1:2 3:4,ECN e0b 1 ceb 0>/udp(1 > 2)
* > R ...(0) ack 1! <...>
+1 < icmp unreachable frag_needed mtu 1400 [1:1461(1460)]
+0 < ipv4 1.1.1.1 > 2.2.2.2: gre key 1: mpls (label 1, tc 0, [S], ttl 1): udp (5)
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 20}], msg_flags=0}, 0) = 20
+0 %{ if tcpi_state == 1: x = [1, (2,)]; y = 'a%d' % -x[0]
assert 1 < 2 ** 3 // 4 <= 0x10 and not "b" in 'c', max(1, 2) }%
/* the end */ \`sysctl a=1\`
`
const FRAGMENTS = [
  '(',
  ')',
  '<',
  '>',
  '[',
  '{',
  '}',
  '"',
  '`',
  '%{',
  '}%',
  '...',
  '0',
  '-',
  '+',
  '~',
  '|',
  '#if ',
  '\n',
  '/*',
  '5e300',
]

const damage = fc.record({
  at: fc.nat(SCRIPT.length),
  remove: fc.nat(12),
  insert: fc.oneof(fc.constant(''), fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 4, unit: 'binary' })),
  repeat: fc.constantFrom(1, 1, 1, 300),
})

function attempt(text: string): void {
  try {
    const script = parseScript('a.pkt', text, { defined: ['FreeBSD'], definitions: new Map([['mss', 'mss']]) })
    for (const { action } of script.events) {
      if (action.kind === 'packet') printPacket(action.packet, action.direction)
      if (action.kind === 'call') printCall(action)
      if (action.kind === 'code') evaluate('a.pkt', action, { tcpi_state: 1 }, createEnvironment())
    }
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error
    expect(error.position.line).toBeGreaterThan(0)
    expect(error.position.column).toBeGreaterThan(0)
    expect(error.render()).toContain(error.reason)
  }
}

test('the script itself is fine', () => {
  expect(parseScript('a.pkt', SCRIPT).events).toHaveLength(9)
})

test('a damaged script is read or refused with a ScriptError, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 6 }), (damages) => {
      let text = SCRIPT
      for (const { at, remove, insert, repeat } of damages) {
        text = text.slice(0, at) + insert.repeat(repeat) + text.slice(at + remove)
      }
      attempt(text)
    }),
    { numRuns: Number(process.env.ESTAB_FUZZ_RUNS ?? 2000) },
  )
})

test('any text at all is read or refused with a ScriptError', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), attempt), { numRuns: 1000 })
})

test('any code at all is run or refused with a ScriptError', () => {
  const piece = fc.constantFrom(
    ...'a 1 2.5 "s" + - * // % ** << & | ( ) [ ] , = == < in not and or if else : ; \n assert print ( min ( )'.split(
      ' ',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => attempt(`0 %{ a = 3; ${pieces.join(' ')} }%`)),
    { numRuns: 2000 },
  )
})
