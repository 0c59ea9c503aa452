import { expect, test } from 'vitest'
import type { TcpOption } from './ast.js'
import { parseScript } from './parser.js'
import { optionLength } from './parser-options.js'
import { ScriptError } from './source.js'

function options(text: string): readonly TcpOption[] {
  const { action } = parseScript('a.pkt', `0 < . 1:1(0) <${text}>`).events[0]!
  if (action.kind !== 'packet' || action.packet.kind !== 'tcp' || action.packet.options === 'any') throw new Error()
  return action.packet.options
}

function failure(text: string): string {
  try {
    options(text)
  } catch (error) {
    if (error instanceof ScriptError) return error.reason
    throw error
  }
  throw new Error('the options were read')
}

test('options keep their order', () => {
  expect(options('mss 1460, nop,wscale 7,sackOK,eol').map((option) => option.kind)).toEqual([
    'mss',
    'nop',
    'wscale',
    'sackOK',
    'eol',
  ])
})

const fastOpen = (cookie: string, experimental = false) => ({ kind: 'fast-open', experimental, cookie })
const timestamp = (val: number | null, ecr: number | null, valAbsolute = false, ecrAbsolute = false) => ({
  kind: 'timestamp',
  val,
  ecr,
  valAbsolute,
  ecrAbsolute,
})

test.each([
  ['wscale *', { kind: 'wscale', value: null }],
  ['TS val 100 ecr 4294967295', timestamp(100, 4294967295)],
  ['TS val ... ecr 7!', timestamp(null, 7, false, true)],
  ['TS val 1! ecr ...', timestamp(1, null, true)],
  ['FO', fastOpen('')],
  ['FO 00FFaa12', fastOpen('00ffaa12')],
  ['FO 0123456789', fastOpen('0123456789')],
  ['FOEXP', fastOpen('', true)],
  ['exp-FO abcd', fastOpen('abcd', true)],
  ['md5 valid', { kind: 'md5', digest: 'valid' }],
  ['md5', { kind: 'md5', digest: 'valid' }],
  ['md5 invalid', { kind: 'md5', digest: 'invalid' }],
  ['md5 0x0a0b', { kind: 'md5', digest: { hex: '0a0b' } }],
  ['uto 30', { kind: 'user-timeout', value: 30 }],
  ['gen-77 00ff', { kind: 'generic', optionKind: 77, data: '00ff' }],
  ['gen-77', { kind: 'generic', optionKind: 77, data: '' }],
  ['exp-F989 12', { kind: 'generic', optionKind: 254, data: 'f98912' }],
  ['exp-tarr 2', { kind: 'generic', optionKind: 254, data: '00ac0004' }],
  ['exp-tarr', { kind: 'generic', optionKind: 254, data: '00ac' }],
])('the option %s', (text, option) => {
  expect(options(text)).toEqual([option])
})

test('SACK has one block or more, which may be those on the wire', () => {
  expect(options('sack 1:2 3:4! 5:6,nop')[0]).toEqual({
    kind: 'sack',
    blocks: [
      { left: 1, right: 2, absolute: false },
      { left: 3, right: 4, absolute: true },
      { left: 5, right: 6, absolute: false },
    ],
  })
})

test.each([
  ['ECN e0b 1 ceb 2 e1b 3', 172, ['e0b', 'ceb', 'e1b']],
  ['ECN e1b 1 ceb 2', 174, ['e1b', 'ceb']],
  ['ECN', 172, []],
  ['AccECN0 ee0b 1 eceb 2', 172, ['e0b', 'ceb']],
  ['AccECN1', 174, []],
  ['exp-AccECN1 EE1B 5', 174, ['e1b']],
])('%s is option kind %i with counters %j', (text, optionKind, names) => {
  const [option] = options(text)
  expect(option).toMatchObject({ kind: 'accurate-ecn', optionKind, experimental: text.startsWith('exp') })
  expect(option!.kind === 'accurate-ecn' && option.fields.map((field) => field.name)).toEqual(names)
})

test.each([
  ['nop', 1],
  ['mss 1', 4],
  ['sackOK', 2],
  ['wscale 1', 3],
  ['TS val 1 ecr 1', 10],
  ['sack 1:2 3:4', 18],
  ['FO 00112233', 6],
  ['FOEXP 0011', 6],
  ['md5 valid', 18],
  ['md5 0011', 4],
  ['ECN e0b 1 ceb 2 e1b 3', 11],
  ['gen-9 00', 3],
])('%s takes %i octets', (text, length) => {
  expect(optionLength(options(text)[0]!)).toBe(length)
})

test.each([
  ['mss', `expected a segment size, found '>'`],
  ['mss 70000', `expected a segment size from 0 to 65535, found '70000'`],
  ['foo 3', `expected a TCP option (mss, nop, eol, wscale, sackOK, sack, TS, FO, …), found 'foo'`],
  ['nop,', `expected a TCP option (mss, nop, eol, wscale, sackOK, sack, TS, FO, …), found '>'`],
  ['nop nop', `expected ',' and another option, or '>', found 'nop'`],
  ['FO TFO_COOKIE', `expected a cookie as pairs of hexadecimal digits, found 'TFO_COOKIE'`],
  ['FO abc', `expected a cookie as pairs of hexadecimal digits, found 'abc'`],
  ['ECN ceb 1', `expected e0b, found 'ceb'`],
  ['ECN e0b 1 e0b 1', `expected ceb, found 'e0b'`],
  ['gen-256', `expected a TCP option (mss, nop, eol, wscale, sackOK, sack, TS, FO, …), found 'gen-256'`],
  ['sack 1:2 3:4 5:6 7:8 9:10', 'expected at most 40 octets of options, found 42'],
])('<%s> is refused', (text, message) => {
  expect(failure(text)).toBe(message)
})
