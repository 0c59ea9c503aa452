import { expect, test } from 'vitest'
import type { CallAction, Expression } from './ast.js'
import { parseScript } from './parser.js'
import { printExpression } from './print.js'
import { ScriptError } from './source.js'

function call(text: string): CallAction {
  const { action } = parseScript('a.pkt', `0 ${text}`).events[0]!
  if (action.kind !== 'call') throw new Error('no call')
  return action
}

function argument(text: string): Expression {
  return call(`f(${text}) = 0`).arguments[0]!
}

function failure(text: string): string {
  try {
    call(text)
  } catch (error) {
    if (error instanceof ScriptError) return `${error.position.column}: ${error.reason}`
    throw error
  }
  throw new Error('the call was read')
}

test('a call has a name, arguments, a result, an error and a note', () => {
  expect(call('read(4, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)')).toMatchObject({
    name: 'read',
    arguments: [{ kind: 'integer', value: 4 }, { kind: 'ellipsis' }, { kind: 'integer', value: 100 }],
    result: { kind: 'integer', value: -1 },
    errno: { name: 'EAGAIN', position: { line: 1, column: 26 } },
    note: 'Resource temporarily unavailable',
  })
})

test.each([
  ['close(3) = 0', null, null],
  ['fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)', null, 'flags O_RDWR'],
  ['write(3, ..., 1) = -1 EPIPE(Broken pipe)', 'EPIPE', 'Broken pipe'],
  ['f() = -1 (Invalid Argument)', null, 'Invalid Argument'],
  ['f() = -1 EFOO (a (nested) note)', 'EFOO', 'a (nested) note'],
  ['f() = -1 EFOO', 'EFOO', null],
])('%s', (text, errno, note) => {
  const { errno: named, note: noted } = call(text)
  expect([named?.name ?? null, noted]).toEqual([errno, note])
})

test.each([
  ['0', 'integer'],
  ['...', 'ellipsis'],
  ['?', 'ellipsis'],
  ['A|B', 'or'],
  ['1~5', 'range'],
  ['EPOLLIN', 'symbol'],
])('the result %s is %s', (text, kind) => {
  expect(call(`f() = ${text}`).result.kind).toBe(kind)
})

test.each([
  ['42', { kind: 'integer', value: 42, text: '42' }],
  ['-7', { kind: 'integer', value: -7 }],
  ['0xffffffff', { kind: 'integer', value: 0xffffffff, text: '0xffffffff' }],
  ['010', { kind: 'integer', value: 10 }],
  ['0.5', { kind: 'float', value: 0.5 }],
  ['-.25', { kind: 'float', value: -0.25 }],
  ['"a\\n\\x41\\101"', { kind: 'string', value: 'a\nAA', truncated: false }],
  ['"abc"...', { kind: 'string', value: 'abc', truncated: true }],
  ['SOL_SOCKET', { kind: 'symbol', name: 'SOL_SOCKET' }],
  ['[]', { kind: 'array', elements: [] }],
  ['[1, X]', { kind: 'array', elements: [{ value: 1 }, { name: 'X' }] }],
  ['htons(8080)', { kind: 'call', name: 'htons', arguments: [{ value: 8080 }] }],
  ['O_RDWR | O_NONBLOCK|4', { kind: 'or', operands: [{ name: 'O_RDWR' }, { name: 'O_NONBLOCK' }, { value: 4 }] }],
  ['~X', { kind: 'unary', operator: '~', operand: { name: 'X' } }],
  ['1~2', { kind: 'range', from: { value: 1 }, to: { value: 2 } }],
])('the argument %s', (text, expected) => {
  expect(argument(text)).toMatchObject(expected)
})

test('arithmetic binds as in C', () => {
  expect(argument('1 + 2 * 3 << 1')).toMatchObject({
    operator: '<<',
    left: { operator: '+', left: { value: 1 }, right: { operator: '*' } },
  })
  expect(printExpression(argument('(1 + 2) * 3'))).toBe('(1 + 2) * 3')
})

test('structs have named fields, counted fields and bare elements', () => {
  const text = '{msg_name(...)=..., msg_iov(2)=[{..., 500},{...,0}], msg_flags=MSG_A|MSG_B}'
  expect(argument(text)).toMatchObject({
    kind: 'struct',
    tag: null,
    fields: [
      { name: 'msg_name', count: { kind: 'ellipsis' }, value: { kind: 'ellipsis' } },
      {
        name: 'msg_iov',
        count: { value: 2 },
        value: { elements: [{ fields: [{ name: null }, { name: null, value: { value: 500 } }] }, {}] },
      },
      { name: 'msg_flags', count: null, value: { kind: 'or' } },
    ],
  })
})

test('a struct may have a tag and a field may be a call', () => {
  expect(argument('scm_timestamping{scm_sec=0,scm_nsec=10}')).toMatchObject({ kind: 'struct', tag: 'scm_timestamping' })
  expect(argument('{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}')).toMatchObject({
    fields: [{ name: 'sa_family' }, { value: { kind: 'call', name: 'htons' } }, { value: { name: 'inet_addr' } }],
  })
  expect(argument('{htons(1), 2}')).toMatchObject({ fields: [{ name: null, value: { kind: 'call' } }, { name: null }] })
})

test('arguments may go over lines', () => {
  expect(call('poll([{fd=4,\n  events=POLLIN,\n  revents=0}], 1, 0) = 0').arguments).toHaveLength(3)
})

test.each([
  ['close 3 = 0', `9: expected '(' and the arguments of 'close', found '3'`],
  ['close(3', `10: expected ',' or ')', found the end of the script`],
  ['close(3,) = 0', `11: expected a value, found ')'`],
  ['close(3)', `11: expected '=' and the result of 'close', found the end of the script`],
  ['close(3) = ', '13: expected a result, found the end of the script'],
  ['f({a=}) = 0', `8: expected a value, found '}'`],
  ['f("abc) = 0', `5: expected '"' at the end of the string, found the end of the script`],
  ['f() = 0 (never closed', `11: expected ')' on the same line as this '('`],
  [`f(${'['.repeat(99)}`, '65: expected at most 60 brackets in each other'],
])('%s is refused', (text, message) => {
  expect(failure(text)).toBe(message)
})
