import { expect, test } from 'vitest'
import { parseScript } from '../language/parser.js'
import { ScriptError } from '../language/source.js'
import { CodeError, createEnvironment, type Environment, evaluate, type Names } from './evaluate.js'

function run(text: string, names: Names = {}, environment: Environment = createEnvironment()): Environment {
  const { action } = parseScript('a.pkt', `0 %{${text}}%`).events[0]!
  if (action.kind !== 'code') throw new Error('no code')
  evaluate('a.pkt', action, names, environment)
  return environment
}

/** What `print(expression)` prints. */
function printed(expression: string, names: Names = {}): string {
  return run(`print(${expression})`, names).output[0]!
}

function failure(text: string, names: Names = {}): ScriptError {
  try {
    run(text, names)
  } catch (error) {
    if (error instanceof ScriptError) return error
    throw error
  }
  throw new Error('the code went through')
}

test('an assertion that holds says nothing', () => {
  expect(run(' assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd ', { tcpi_snd_cwnd: 10 }).output).toEqual([])
})

test('an assertion that fails says where, what and with which values', () => {
  const error = failure(' assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd ', { tcpi_snd_cwnd: 12 })
  expect(error).toBeInstanceOf(CodeError)
  expect(error.message).toBe('a.pkt:1:13: AssertionError: assert tcpi_snd_cwnd == 10 failed: tcpi_snd_cwnd is 12')
  expect((error as CodeError).kind).toBe('AssertionError')
})

test('a message that says more is shown', () => {
  expect(failure(`assert a == 1, 'a=%d!' % a`, { a: 2 }).reason).toBe(
    'AssertionError: assert a == 1 failed: a is 2 (a=2!)',
  )
})

test('a name that is not there is a NameError at its place', () => {
  const error = failure('\nassert 1\nassert tcpi_none == 1')
  expect(error.message).toBe(`a.pkt:3:8: NameError: name 'tcpi_none' is not defined`)
  expect((error as CodeError).kind).toBe('NameError')
})

test('variables last from one block to the next, and TCP_INFO is that of the block', () => {
  const environment = createEnvironment()
  run('cwnd = 10; seen = tcpi_x', { tcpi_x: 1 }, environment)
  run('cwnd += 1; print(cwnd, seen, tcpi_x)', new Map([['tcpi_x', 2]]), environment)
  expect(environment.output).toEqual(['11 1 2'])
})

test.each([
  ['1 + 2 * 3 - -4', '11'],
  ['7 // 2, -7 // 2, 7 // -2', '3 -4 -4'],
  ['7 % 3, -7 % 3, 7 % -3', '1 2 -2'],
  ['7 // 1e-5, -7.5 // 2, -7.5 % 2', '699999.0 -4.0 0.5'],
  ['True & False, True ^ False, True | 2', 'False True 3'],
  ['7 / 2, 4 / 2', '3.5 2.0'],
  ['2 ** 10, 2 ** -1, -2 ** 2', '1024 0.5 -4'],
  ['2 ** 70', '1180591620717411303424'],
  ['0xff & 0b1010 | 1 << 4 ^ 0o17', '31'],
  ['~5, -5 >> 1', '-6 -3'],
  ['1 < 2 < 3, 1 < 3 < 2, 3 > 2 >= 2 != 1', 'True False True'],
  ['not 1 or 0 and 2, 5 or 1', '0 5'],
  ['1 if 0 else 2', '2'],
  ['1 == 1.0, 1 is 1, None is not None, True + True', 'True True False 2'],
  ['2 in (1, 2), 3 not in [1, 2], "b" in "abc"', 'True True True'],
  ['(1, 2)[1], [3, 4][-1], "abc"[0]', '2 4 a'],
  ['(1,), [], (1, "a"), "it\'s"', `(1,) [] (1, 'a') it's`],
  ['abs(-3), min(3, 1), max([1, 5]), len("abc"), sum((1, 2))', '3 1 5 3 3'],
  ['int(3.9), int("12"), float(2), str(5) + "x", round(2.5), round(3.14159, 2)', '3 12 2.0 5x 2 3.14'],
  ['1_000_000, 1e3, 0.1 + 0.2, 1e16, 1e-7', '1000000 1000.0 0.30000000000000004 1e+16 1e-07'],
  ["'a' 'b' * 2", 'abab'],
  ["'%d %5.1f|%-4s|%04d %x %%' % (3.9, 2.26, 'ab', 7, 255)", '3   2.3|ab  |0007 ff %'],
  ["'%s' % None, '%r' % 'x', '%+d' % 5, '%g' % 0.00001, '%e' % 12345", "None 'x' +5 1e-05 1.234500e+04"],
])('print(%s) prints %s', (expression, text) => {
  expect(printed(expression)).toBe(text)
})

test('whole numbers given are ints, others floats', () => {
  expect(printed('a / 2, b, c, d', { a: 4, b: 0.5, c: true, d: 2n ** 64n })).toBe('2.0 0.5 True 18446744073709551616')
})

test('if, elif and else, on one line and as blocks', () => {
  const text =
    '\nif a == 1: x = 1; y = 2\nelif a == 2:\n    x = 3\n    if b:\n\ty = 4\n    else:\n\ty = 5\nelse:\n  x = y = 0\nprint(x, y)\n'
  expect(run(text, { a: 1 }).output).toEqual(['1 2'])
  expect(run(text, { a: 2, b: 1 }).output).toEqual(['3 4'])
  expect(run(text, { a: 2, b: 0 }).output).toEqual(['3 5'])
  expect(run(text, { a: 3 }).output).toEqual(['0 0'])
})

test('statements may be joined by semicolons, continued by backslashes and brackets, and commented', () => {
  expect(run('a = 1; \\\n  b = (a +\n 1) # ; b = 0\nprint(a, b);').output).toEqual(['1 2'])
})

test('tuples are unpacked and assignments chained', () => {
  expect(run('a, b = c = 1, 2; (d, e) = (b, a); a -= 5; b //= 2; print(a, b, c, d, e)').output).toEqual([
    '-4 1 (1, 2) 2 1',
  ])
})

test('or and and look no further than they must', () => {
  expect(printed('1 or nothing, 0 and nothing')).toBe('1 0')
})

test.each([
  ['assert', '1:11: expected an expression, found the end of the line'],
  ['1 +', '1:8: expected an expression, found the end of the line'],
  ['a b', `1:7: expected ';' or the end of the line, found 'b'`],
  ['f(1', `1:8: expected ',' or ')', found the end of the line`],
  ["'abc", `1:5: expected Python, expected ' at the end of this string`],
  ['a ? b', `1:7: expected Python, found '?'`],
  ['1 = 2', '1:5: expected a name to assign to'],
  ['import os', `1:5: 'import' is not part of the Python that scripts may use here`],
  ['x = lambda: 1', `1:9: 'lambda' is not part of the Python that scripts may use here`],
  ['if 1:\nx', '2:1: expected an indented block, found '],
])('%j cannot be read', (text, message) => {
  const error = failure(text)
  expect(error).not.toBeInstanceOf(CodeError)
  expect(`${error.position.line}:${error.position.column}: ${error.reason}`).toContain(message)
})

test.each([
  ['1 / 0', 'ZeroDivisionError'],
  ['1 % 0', 'ZeroDivisionError'],
  ['1 + "a"', 'TypeError'],
  ['1 < "a"', 'TypeError'],
  ['-"a"', 'TypeError'],
  ['len(5)', 'TypeError'],
  ["'%d' % 'x'", 'TypeError'],
  ["'%d %d' % 1", 'TypeError'],
  ["'' % 1", 'TypeError'],
  ['a, b = 1, 2, 3', 'ValueError'],
  ['int("x")', 'ValueError'],
  ['9 ** 9 ** 9', 'ValueError'],
  ['1 << 9999999999', 'ValueError'],
  ['"ab" * 99999999', 'ValueError'],
  ['[1][5]', 'ValueError'],
  ['open("/etc/passwd")', 'NameError'],
  ['constructor', 'NameError'],
  ['x += 1', 'NameError'],
])('%s is a %s', (text, kind) => {
  expect((failure(text) as CodeError).kind).toBe(kind)
})

test('nesting and length have limits', () => {
  expect(failure('('.repeat(500)).reason).toBe('expected code with fewer brackets and blocks')
  expect(failure('not '.repeat(500)).reason).toBe('expected code with fewer brackets and blocks')
  expect(failure(`1${' + 1'.repeat(5000)}`).reason).toBe('expected a shorter line of code')
})
