import type { BinaryOperator } from './python.js'

/** A Python value: int is bigint, float is number, None is null. */
export type PythonValue = bigint | number | string | boolean | null | PythonSequence

export interface PythonSequence {
  readonly kind: 'tuple' | 'list'
  readonly items: readonly PythonValue[]
}

/** An operation that its values do not have. The evaluator knows the place and makes a CodeError of it. */
export class PythonTypeError extends Error {
  readonly kind: 'TypeError' | 'ValueError' | 'ZeroDivisionError'

  constructor(reason: string, kind: PythonTypeError['kind'] = 'TypeError') {
    super(reason)
    this.kind = kind
  }
}

/** Integers of more bits and strings of more characters are refused: a script is no place to compute them. */
const MAX_SIZE = 100_000

export function isTrue(value: PythonValue): boolean {
  return typeof value === 'object' && value !== null ? value.items.length > 0 : Boolean(value)
}

export function typeName(value: PythonValue): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'object') return value.kind
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float'
  return typeof value === 'boolean' ? 'bool' : 'str'
}

export function str(value: PythonValue): string {
  return typeof value === 'string' ? value : repr(value)
}

export function repr(value: PythonValue): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return floatText(value)
  if (typeof value === 'bigint') return value.toString()
  const inner = value.items.map(repr).join(', ')
  if (value.kind === 'list') return `[${inner}]`
  return value.items.length === 1 ? `(${inner},)` : `(${inner})`
}

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\\n\r\t]/g, (character) => JSON.stringify(character).slice(1, -1))
  return mark + escaped.replaceAll(mark, `\\${mark}`) + mark
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return exponentText(value.toExponential())
  const text = String(value)
  return text.includes('.') ? text : `${text}.0`
}

/** `1e-7` as Python writes it: at least two digits of exponent. */
function exponentText(text: string): string {
  return text.replace(/e([-+])(\d)$/, 'e$10$2')
}

function isNumber(value: PythonValue): value is bigint | number | boolean {
  return typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean'
}

/** bool counts as int. */
function asNumber(value: bigint | number | boolean): bigint | number {
  return typeof value === 'boolean' ? BigInt(value) : value
}

export function pythonEquals(left: PythonValue, right: PythonValue): boolean {
  if (isNumber(left) && isNumber(right)) return compareNumbers(asNumber(left), asNumber(right)) === 0
  if (isSequence(left) && isSequence(right)) {
    if (left.kind !== right.kind || left.items.length !== right.items.length) return false
    return left.items.every((item, at) => pythonEquals(item, right.items[at]!))
  }
  return left === right
}

function isSequence(value: PythonValue): value is PythonSequence {
  return typeof value === 'object' && value !== null
}

/** Below zero, zero, above zero; NaN if the two have no order. */
export function pythonCompare(left: PythonValue, right: PythonValue): number {
  if (isNumber(left) && isNumber(right)) return compareNumbers(asNumber(left), asNumber(right))
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0
  if (isSequence(left) && isSequence(right) && left.kind === right.kind) {
    const at = left.items.findIndex(
      (item, index) => index >= right.items.length || !pythonEquals(item, right.items[index]!),
    )
    if (at < 0) return left.items.length - right.items.length
    return at >= right.items.length ? 1 : pythonCompare(left.items[at]!, right.items[at]!)
  }
  throw new PythonTypeError(`${typeName(left)} and ${typeName(right)} have no order`)
}

// JavaScript compares a bigint with a number exactly.
function compareNumbers(left: bigint | number, right: bigint | number): number {
  if (left < right) return -1
  if (left > right) return 1
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0
}

export function negate(operator: '-' | '+' | '~', operand: PythonValue): PythonValue {
  if (isNumber(operand)) {
    const value = asNumber(operand)
    if (operator === '-') return -value
    if (operator === '+') return value
    if (typeof value === 'bigint') return ~value
  }
  throw new PythonTypeError(`'${operator}' does not go with ${typeName(operand)}`)
}

export function binary(operator: BinaryOperator, left: PythonValue, right: PythonValue): PythonValue {
  if (operator === '%' && typeof left === 'string') return format(left, right)
  if (typeof left === 'boolean' && typeof right === 'boolean' && /^[&|^]$/.test(operator)) {
    return integers(operator, BigInt(left), BigInt(right)) === 1n
  }
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [asNumber(left), asNumber(right)]
    const result =
      typeof a === 'bigint' && typeof b === 'bigint' ? integers(operator, a, b) : floats(operator, Number(a), Number(b))
    if (result !== null) return result
  }
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return sized(left + right)
  if (operator === '+' && isSequence(left) && isSequence(right) && left.kind === right.kind) {
    return { kind: left.kind, items: [...left.items, ...right.items] }
  }
  if (operator === '*' && typeof left === 'string' && typeof right === 'bigint') return repeat(left, right)
  if (operator === '*' && typeof left === 'bigint' && typeof right === 'string') return repeat(right, left)
  throw new PythonTypeError(`'${operator}' does not go with ${typeName(left)} and ${typeName(right)}`)
}

function sized(text: string): string {
  if (text.length > MAX_SIZE) throw new PythonTypeError('the string becomes too long', 'ValueError')
  return text
}

function repeat(text: string, times: bigint): string {
  if (times <= 0n) return ''
  if (times * BigInt(text.length) > BigInt(MAX_SIZE))
    throw new PythonTypeError('the string becomes too long', 'ValueError')
  return text.repeat(Number(times))
}

function bits(value: bigint): number {
  return value.toString(16).length * 4
}

function notZero(divisor: bigint | number): void {
  if (Number(divisor) === 0) throw new PythonTypeError('division by zero', 'ZeroDivisionError')
}

function integers(operator: BinaryOperator, a: bigint, b: bigint): PythonValue {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      if (bits(a) + bits(b) > MAX_SIZE) throw new PythonTypeError('the number becomes too large', 'ValueError')
      return a * b
    case '/':
      notZero(b)
      return Number(a) / Number(b)
    case '//':
    case '%': {
      notZero(b)
      // Python rounds towards minus infinity, JavaScript towards zero.
      const remainder = a % b
      const below = remainder !== 0n && remainder < 0n !== b < 0n
      if (operator === '%') return below ? remainder + b : remainder
      return below ? a / b - 1n : a / b
    }
    case '**':
      if (b < 0n) return floats('**', Number(a), Number(b))
      if (BigInt(bits(a)) * b > BigInt(MAX_SIZE))
        throw new PythonTypeError('the number becomes too large', 'ValueError')
      return a ** b
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<<':
    case '>>':
      if (b < 0n) throw new PythonTypeError('negative shift count', 'ValueError')
      if (operator === '>>') return a >> b
      if (BigInt(bits(a)) + b > BigInt(MAX_SIZE))
        throw new PythonTypeError('the number becomes too large', 'ValueError')
      return a << b
  }
}

/** `null`: no operation of floats. */
function floats(operator: BinaryOperator, a: number, b: number): PythonValue {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      notZero(b)
      return a / b
    case '//':
      notZero(b)
      // Not floor(a / b): the quotient may have been rounded up to a whole number.
      return Math.round((a - modulo(a, b)) / b)
    case '%':
      notZero(b)
      return modulo(a, b)
    case '**':
      if (a === 0 && b < 0) throw new PythonTypeError('zero to a negative power', 'ZeroDivisionError')
      return a ** b
    default:
      return null
  }
}

/** The remainder with the sign of the divisor. */
function modulo(a: number, b: number): number {
  const remainder = a % b
  return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder
}

/** Calls one of the functions of Python that are offered; `undefined` if there is none of that name. */
export function call(name: string, values: readonly PythonValue[]): PythonValue | undefined {
  const [value = null] = values
  switch (name) {
    case 'abs': {
      const number = numberArgument(name, value)
      return number < 0 ? -number : number
    }
    case 'min':
    case 'max':
      return extreme(name, values)
    case 'int':
      return toInteger(value)
    case 'float':
      return typeof value === 'string' ? floatOf(value) : Number(numberArgument(name, value))
    case 'bool':
      return isTrue(value)
    case 'str':
      return values.length === 0 ? '' : str(value)
    case 'repr':
      return repr(value)
    case 'hex':
      return typeof value === 'bigint'
        ? value < 0n
          ? `-0x${(-value).toString(16)}`
          : `0x${value.toString(16)}`
        : refuse(name, value)
    case 'len':
      if (typeof value === 'string') return BigInt([...value].length)
      return isSequence(value) ? BigInt(value.items.length) : refuse(name, value)
    case 'sum':
      if (!isSequence(value)) return refuse(name, value)
      return value.items.reduce((total, item) => binary('+', total, item), values[1] ?? 0n)
    case 'round':
      return round(numberArgument(name, value), values[1] ?? null)
    case 'pow':
      return binary('**', value, values[1] ?? null)
    default:
      return undefined
  }
}

function refuse(name: string, value: PythonValue): never {
  throw new PythonTypeError(`${name}() does not take ${typeName(value)}`)
}

function numberArgument(name: string, value: PythonValue): bigint | number {
  return isNumber(value) ? asNumber(value) : refuse(name, value)
}

function extreme(name: 'min' | 'max', values: readonly PythonValue[]): PythonValue {
  const [only] = values
  const candidates = values.length === 1 && only !== undefined && isSequence(only) ? only.items : values
  if (candidates.length === 0) throw new PythonTypeError(`${name}() of nothing`, 'ValueError')
  return candidates.reduce((best, value) => {
    const order = pythonCompare(value, best)
    return (name === 'min' ? order < 0 : order > 0) ? value : best
  })
}

function toInteger(value: PythonValue): bigint {
  if (typeof value === 'string') {
    const text = value.trim().replaceAll('_', '')
    if (/^[-+]?\d{1,1000}$/.test(text)) return BigInt(text.replace('+', ''))
    throw new PythonTypeError(`${quote(value)} is not an int`, 'ValueError')
  }
  const number = numberArgument('int', value)
  if (typeof number === 'bigint') return number
  if (!Number.isFinite(number)) throw new PythonTypeError(`${floatText(number)} is not an int`, 'ValueError')
  return BigInt(Math.trunc(number))
}

function floatOf(text: string): number {
  if (/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(text)) return Number(text)
  throw new PythonTypeError(`${quote(text)} is not a float`, 'ValueError')
}

/** Half goes to the even neighbour. */
function round(value: bigint | number, digits: PythonValue): PythonValue {
  if (typeof value === 'bigint') return value
  if (digits !== null) return typeof digits === 'bigint' ? roundTo(value, digits) : refuse('round', digits)
  if (!Number.isFinite(value)) throw new PythonTypeError(`${floatText(value)} is not an int`, 'ValueError')
  const floor = Math.floor(value)
  const above = value - floor
  return BigInt(above > 0.5 || (above === 0.5 && floor % 2 !== 0) ? floor + 1 : floor)
}

function roundTo(value: number, digits: bigint): number {
  if (digits > 100n) return value
  if (digits >= 0n) return Number(value.toFixed(Number(digits)))
  const unit = 10 ** Number(-digits)
  return Number.isFinite(unit) ? Math.round(value / unit) * unit : 0
}

const CONVERSION = /%(?:%|([-+ 0#]*)(\d{0,3})(?:\.(\d{1,2}))?([a-zA-Z]))/g

/** `'cwnd=%d' % value`, with a tuple for several values. */
function format(template: string, given: PythonValue): string {
  const values = isSequence(given) && given.kind === 'tuple' ? [...given.items] : [given]
  let next = 0
  const result = template.replace(CONVERSION, (whole, flags: string = '', width = '', precision = '', type = '') => {
    if (whole === '%%') return '%'
    if (next >= values.length) throw new PythonTypeError('not enough values for the format string')
    const text = convert(values[next++]!, type, flags, precision === '' ? null : Number(precision))
    if (flags.includes('-')) return text.padEnd(Number(width))
    if (!flags.includes('0') || !/[dioxXufFeEgG]/.test(type)) return text.padStart(Number(width))
    const sign = /^[-+ ]?/.exec(text)![0]
    return sign + text.slice(sign.length).padStart(Number(width) - sign.length, '0')
  })
  if (next < values.length) throw new PythonTypeError('not all values were used by the format string')
  return sized(result)
}

function convert(value: PythonValue, type: string, flags: string, precision: number | null): string {
  if (type === 's' || type === 'r' || type === 'a') {
    const text = type === 's' ? str(value) : repr(value)
    return precision === null ? text : text.slice(0, precision)
  }
  if (type === 'c')
    return typeof value === 'string' ? value : String.fromCodePoint(Math.min(Number(toInteger(value)), 0x10ffff))
  if (!isNumber(value)) throw new PythonTypeError(`%${type} needs a number, not ${typeName(value)}`)
  const number = asNumber(value)
  const negative = number < 0 || Object.is(number, -0)
  const digits = unsignedDigits(number, type, flags.includes('#'), precision)
  return (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + digits
}

function unsignedDigits(number: bigint | number, type: string, marked: boolean, precision: number | null): string {
  const size = Math.abs(Number(number))
  switch (type) {
    case 'd':
    case 'i':
    case 'u':
      return integerDigits(number, 10)
    case 'x':
      return (marked ? '0x' : '') + integerDigits(number, 16)
    case 'X':
      return (marked ? '0X' : '') + integerDigits(number, 16).toUpperCase()
    case 'o':
      return (marked ? '0o' : '') + integerDigits(number, 8)
    case 'f':
    case 'F':
      return Number.isFinite(size) ? size.toFixed(precision ?? 6) : floatText(size)
    case 'e':
    case 'E': {
      const text = exponentText(size.toExponential(precision ?? 6))
      return type === 'e' ? text : text.toUpperCase()
    }
    case 'g':
    case 'G':
      return general(size, precision ?? 6)
    default:
      throw new PythonTypeError(`'%${type}' is no conversion`, 'ValueError')
  }
}

function integerDigits(number: bigint | number, base: number): string {
  const integer = toInteger(number)
  return (integer < 0n ? -integer : integer).toString(base)
}

/** `%g`: as few characters as the precision needs. */
function general(size: number, precision: number): string {
  if (size === 0) return '0'
  if (!Number.isFinite(size)) return floatText(size)
  const significant = Math.max(1, precision)
  const exponent = Math.floor(Math.log10(Number(size.toExponential(significant - 1))))
  if (exponent < -4 || exponent >= significant) {
    return exponentText(size.toExponential(significant - 1).replace(/\.?0+e/, 'e'))
  }
  const text = size.toFixed(Math.max(0, significant - 1 - exponent))
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
