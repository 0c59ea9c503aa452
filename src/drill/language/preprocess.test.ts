import { expect, test } from 'vitest'
import { parseScript } from './parser.js'
import { type Definitions, preprocess } from './preprocess.js'
import { ScriptError } from './source.js'

const words = (text: string, definitions: Definitions = {}) =>
  preprocess('a.pkt', text, definitions)
    .text.split(/\s+/)
    .filter((word) => word !== '')

function failure(text: string): string {
  try {
    preprocess('a.pkt', text)
  } catch (error) {
    if (error instanceof ScriptError) return `${error.position.line}:${error.position.column}: ${error.reason}`
    throw error
  }
  throw new Error('the script was read')
}

test('comments become blanks and lines stay', () => {
  const source = preprocess('a.pkt', 'a // b\n/* c\n d */ e')
  expect(source.text).toBe('a     \n    \n      e')
  expect(source.position(source.text.indexOf('e'))).toEqual({ line: 3, column: 7 })
})

test('what looks like a comment in a string, a command or code is none', () => {
  const text = '"http://x" `a // b /* c` %{ 7 // 2 }%'
  expect(preprocess('a.pkt', text).text).toBe(text)
})

test('a symbol chooses a part of the script', () => {
  const text = '#ifdef FreeBSD\nyes\n#else\nno\n#endif\nboth'
  expect(words(text, { defined: ['FreeBSD'] })).toEqual(['yes', 'both'])
  expect(words(text)).toEqual(['no', 'both'])
  expect(words('#ifndef A\nx\n#endif')).toEqual(['x'])
})

test('a symbol for #ifdef does not change the text', () => {
  expect(words('#ifdef A\nA\n#endif', { defined: ['A'] })).toEqual(['A'])
})

test.each([
  ['defined(A)', true],
  ['!defined A', false],
  ['defined(A) && defined(B)', false],
  ['defined(A) || defined(B)', true],
  ['N > 3 && (N <= 5)', true],
  ['N == 4', false],
  ['UNKNOWN', false],
  ['!(A && B) && 1', true],
])('#if %s is %s', (condition, holds) => {
  const given = { defined: ['A'], definitions: new Map([['N', '5']]) }
  expect(words(`#if ${condition}\nx\n#endif`, given)).toEqual(holds ? ['x'] : [])
})

test('#elif takes the first condition that holds', () => {
  const text = '#if defined(A)\na\n#elif defined(B)\nb\n#elif defined(C)\nc\n#else\nd\n#endif'
  expect(words(text, { defined: ['B', 'C'] })).toEqual(['b'])
  expect(words(text, { defined: ['C'] })).toEqual(['c'])
  expect(words(text)).toEqual(['d'])
})

test('conditions nest, and a part that is off is not looked at', () => {
  const text = '#ifdef A\n#ifdef B\nx\n#else\ny\n#error no\n#endif\n`"\n#endif\nz'
  expect(words(text)).toEqual(['z'])
})

test('conditions work inside commands and code', () => {
  expect(words('`one\n#ifdef A\ntwo\n#endif\nthree # if this`')).toEqual(['`one', 'three', '#', 'if', 'this`'])
})

test('#define and #undef', () => {
  expect(words('#define N 3\nN\n#undef N\nN')).toEqual(['3', 'N'])
})

test('-D replaces whole words, outside of strings, commands and code', () => {
  const definitions = new Map([['FOO', 'bar']])
  expect(words('FOO FOOD x_FOO "FOO" `FOO` %{FOO}%', { definitions })).toEqual([
    'bar',
    'FOOD',
    'x_FOO',
    '"FOO"',
    '`FOO`',
    '%{FOO}%',
  ])
})

test('places after a replaced symbol are those in the file', () => {
  const definitions = new Map([['COOKIE', '00112233445566778899']])
  const read = () => parseScript('a.pkt', '0 > S 0:0(0) <FO COOKIE,nop> x', { definitions })
  expect(read).toThrow(`a.pkt:1:30: expected a time`)
  expect(() => parseScript('a.pkt', '0 > S 0:0(0) <COOKIE>', { definitions })).toThrow(
    'a.pkt:1:15: expected a TCP option',
  )
})

test('a comment with a sharp is a comment', () => {
  expect(words('# note\n#!shebang\n# 1 "file"\nx')).toEqual(['x'])
})

test.each([
  ['#ifdef A\nx', `1:1: expected '#endif' for this condition, found the end of the script`],
  ['#endif', `1:1: expected no '#endif' here: no condition is open`],
  ['#ifdef A\n#else\n#else\n#endif', `3:1: expected no '#else' here`],
  ['#ifdef', `1:1: expected one symbol, found ''`],
  ['#if defined(A', `1:1: expected ')' in the condition, found its end`],
  ['#if 1 2', `1:1: expected nothing more in the condition, found '2'`],
  ['  #idef A', `1:3: expected a directive (#ifdef, #if, #else, #endif, #define), found '#idef'`],
  ['#error too old', '1:1: the script says: too old'],
  ['x /* y', `1:3: expected '*/' to end this comment, found the end of the script`],
  [`#if ${'('.repeat(200)}`, '1:1: expected a simpler condition: at most 100 brackets and negations'],
])('%j is refused', (text, message) => {
  expect(failure(text)).toBe(message)
})
