import { Mismatch } from '../failure.js'
import type { Expression, ExpressionOf, Position } from '../language/ast.js'
import type { Symbols } from './symbols.js'

/** What an argument or a result of a call comes to. */
export type Value =
  | { readonly kind: 'any'; readonly position: Position }
  | { readonly kind: 'number'; readonly position: Position; readonly number: number }
  | { readonly kind: 'text'; readonly position: Position; readonly text: string }
  | { readonly kind: 'list'; readonly position: Position; readonly items: readonly Value[] }
  | { readonly kind: 'range'; readonly position: Position; readonly from: number; readonly to: number }
  | {
      readonly kind: 'struct'
      readonly position: Position
      readonly tag: string | null
      readonly fields: readonly Field[]
    }

export interface Field {
  readonly position: Position
  /** null: not named. */
  readonly name: string | null
  readonly value: Value
}

/** The value of an expression, names looked up. */
export function evaluated(expression: Expression, symbols: Symbols): Value {
  const { position } = expression
  switch (expression.kind) {
    case 'ellipsis':
      return { kind: 'any', position }
    case 'integer':
    case 'float':
      return { kind: 'number', position, number: expression.value }
    case 'string':
      return { kind: 'text', position, text: expression.value }
    case 'symbol': {
      const number = Object.hasOwn(symbols, expression.name) ? symbols[expression.name] : undefined
      if (number === undefined) throw new Mismatch(`'${expression.name}' is no name that this system knows`)
      return { kind: 'number', position, number }
    }
    case 'or':
      return {
        kind: 'number',
        position,
        number: expression.operands.reduce((all, operand) => bitwise('|', all, numberIn(operand, symbols)), 0),
      }
    case 'unary': {
      const operand = numberIn(expression.operand, symbols)
      const number = expression.operator === '-' ? -operand : expression.operator === '~' ? ~operand : Number(!operand)
      return { kind: 'number', position, number }
    }
    case 'binary': {
      const left = numberIn(expression.left, symbols)
      const right = numberIn(expression.right, symbols)
      return { kind: 'number', position, number: computed(expression.operator, left, right) }
    }
    case 'range':
      return { kind: 'range', position, from: numberIn(expression.from, symbols), to: numberIn(expression.to, symbols) }
    case 'call':
      return conversion(expression, symbols)
    case 'array':
      return { kind: 'list', position, items: expression.elements.map((element) => evaluated(element, symbols)) }
    case 'struct':
      return {
        kind: 'struct',
        position,
        tag: expression.tag,
        fields: expression.fields.map((field) => ({
          position: field.position,
          name: field.name,
          value: evaluated(field.value, symbols),
        })),
      }
  }
}

/** `htons(8080)` and `inet_addr("192.0.2.1")`: numbers stay as people write them, addresses stay text. */
function conversion(expression: ExpressionOf<'call'>, symbols: Symbols): Value {
  const { name, position } = expression
  const last = expression.arguments.at(-1)
  if (last === undefined) throw new Mismatch(`${name}: expected an argument`)
  const value = evaluated(last, symbols)
  if (/^(hton|ntoh)[sl]$/.test(name) && value.kind === 'number') return value
  if (/^inet_(addr|pton)$/.test(name) && value.kind === 'text') return value
  throw new Mismatch(`${name}(${what(value)}) is no value that is known`, [`at ${position.line}:${position.column}`])
}

function numberIn(expression: Expression, symbols: Symbols): number {
  const value = evaluated(expression, symbols)
  if (value.kind !== 'number') throw new Mismatch(`expected a number, found ${what(value)}`)
  return value.number
}

/** Names of flags may have bit 31 set: numbers stay positive. */
function bitwise(operator: '|' | '&', a: number, b: number): number {
  const result = operator === '|' ? a | b : a & b
  return a < 0 || b < 0 ? result : result >>> 0
}

function computed(operator: '+' | '-' | '*' | '/' | '<<' | '>>' | '&', left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return Math.trunc(left / right)
    case '<<':
      return left * 2 ** right
    case '>>':
      return Math.floor(left / 2 ** right)
    case '&':
      return bitwise('&', left, right)
  }
}

/** A value in words, for messages. */
export function what(value: Value | undefined): string {
  if (value === undefined) return 'nothing'
  switch (value.kind) {
    case 'any':
      return '...'
    case 'number':
      return String(value.number)
    case 'text':
      return `"${value.text}"`
    case 'list':
      return 'a list'
    case 'range':
      return `${value.from} ~ ${value.to}`
    case 'struct':
      return 'a struct'
  }
}

/** The value of a field, by its name. */
export function fieldOf(value: Value & { readonly kind: 'struct' }, name: string): Value | undefined {
  return value.fields.find((field) => field.name === name)?.value
}
