import type { ScriptError } from '../language/source.js'
import { type Code, type Token, tokenize } from './python-tokens.js'

/** How deeply expressions and blocks may nest. */
const MAX_DEPTH = 60

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**' | '&' | '|' | '^' | '<<' | '>>'
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in' | 'is' | 'is not'

/** An expression; `at` and `end` are offsets in the code. */
export type PythonExpression = { readonly at: number; readonly end: number } & (
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'constant'; readonly value: boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'tuple' | 'list'; readonly items: readonly PythonExpression[] }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | '~' | 'not'; readonly operand: PythonExpression }
  | Binary
  | { readonly kind: 'logical'; readonly operator: 'and' | 'or'; readonly operands: readonly PythonExpression[] }
  | {
      readonly kind: 'comparison'
      readonly first: PythonExpression
      readonly rest: readonly { readonly operator: Comparison; readonly operand: PythonExpression }[]
    }
  | {
      readonly kind: 'conditional'
      readonly test: PythonExpression
      readonly then: PythonExpression
      readonly otherwise: PythonExpression
    }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly PythonExpression[] }
  | { readonly kind: 'subscript'; readonly of: PythonExpression; readonly index: PythonExpression }
)

interface Binary {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: PythonExpression
  readonly right: PythonExpression
}

export type PythonStatement = { readonly at: number } & (
  | { readonly kind: 'assert'; readonly test: PythonExpression; readonly message: PythonExpression | null }
  | {
      readonly kind: 'assign'
      readonly targets: readonly (readonly string[])[]
      /** For each target: is it a tuple to be unpacked? */
      readonly unpack: readonly boolean[]
      readonly value: PythonExpression
    }
  | {
      readonly kind: 'augment'
      readonly target: string
      readonly operator: BinaryOperator
      readonly value: PythonExpression
    }
  | { readonly kind: 'expression'; readonly value: PythonExpression }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly test: PythonExpression; readonly body: readonly PythonStatement[] }[]
      readonly otherwise: readonly PythonStatement[]
    }
  | { readonly kind: 'pass' }
)

/** Reads the Python of one code block. @throws ScriptError for what is not Python, or not of the part that is offered. */
export function parsePython(code: Code): PythonStatement[] {
  return new PythonParser(code).program()
}

const NOT_OFFERED = new Set(
  'import from for while def class return lambda with try raise global nonlocal yield del async await exec'.split(' '),
)
const WORD_OPERATORS = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'else', 'elif', 'assert', 'pass'])
const COMPARISONS: readonly Comparison[] = ['==', '!=', '<=', '>=', '<', '>']
/** Binary operators, loosest first. */
const PRECEDENCE: readonly (readonly BinaryOperator[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '//', '/', '%'],
]

class PythonParser {
  readonly #code: Code
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(code: Code) {
    this.#code = code
    this.#tokens = tokenize(code)
  }

  program(): PythonStatement[] {
    const statements: PythonStatement[] = []
    while (!this.#atEnd) this.#line(statements)
    return statements
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!
  }

  get #atEnd(): boolean {
    return this.#token.kind === 'end'
  }

  /** Everything up to the end of a logical line, and the blocks that belong to it. */
  #line(into: PythonStatement[]): void {
    if (this.#take('\n')) return
    if (this.#isWord('if')) {
      into.push(this.#if())
      return
    }
    do {
      if (this.#token.kind === 'newline') break
      into.push(this.#simple())
    } while (this.#take(';'))
    if (!this.#atEnd) this.#expect('\n', `';' or the end of the line`)
  }

  #simple(): PythonStatement {
    const { start: at, text, kind } = this.#token
    if (kind === 'name' && NOT_OFFERED.has(text)) {
      throw this.#code.error(at, `'${text}' is not part of the Python that scripts may use here`)
    }
    if (this.#takeWord('pass')) return { kind: 'pass', at }
    if (this.#takeWord('assert')) {
      const test = this.#expression()
      return { kind: 'assert', at, test, message: this.#take(',') ? this.#expression() : null }
    }
    const value = this.#expressions()
    const augmented = /^(\*\*|\/\/|<<|>>|[-+*/%&|^])=$/.exec(this.#token.text)?.[1]
    if (augmented !== undefined && this.#token.kind === 'operator') {
      if (value.kind !== 'name') throw this.#code.error(at, 'expected a name to assign to')
      this.#next++
      return {
        kind: 'augment',
        at,
        target: value.name,
        operator: augmented as BinaryOperator,
        value: this.#expressions(),
      }
    }
    if (!this.#at('=')) return { kind: 'expression', at, value }
    const chain = [value]
    while (this.#take('=')) chain.push(this.#expressions())
    const assigned = chain.pop()!
    return {
      kind: 'assign',
      at,
      targets: chain.map((target) => this.#targetNames(target)),
      unpack: chain.map((target) => target.kind !== 'name'),
      value: assigned,
    }
  }

  #targetNames(target: PythonExpression): string[] {
    if (target.kind === 'name') return [target.name]
    if (target.kind === 'tuple' || target.kind === 'list') {
      return target.items.map((item) => {
        if (item.kind !== 'name') throw this.#code.error(item.at, 'expected a name to assign to')
        return item.name
      })
    }
    throw this.#code.error(target.at, 'expected a name to assign to')
  }

  #if(): PythonStatement {
    const { start: at, indent } = this.#token
    const branches: { test: PythonExpression; body: PythonStatement[] }[] = []
    let otherwise: PythonStatement[] = []
    this.#next++
    do {
      const test = this.#expression()
      branches.push({ test, body: this.#body(indent) })
    } while (this.#token.indent === indent && this.#takeWord('elif'))
    if (this.#token.indent === indent && this.#takeWord('else')) otherwise = this.#body(indent)
    return { kind: 'if', at, branches, otherwise }
  }

  /** `: a; b` on one line, or an indented block. */
  #body(indent: number): PythonStatement[] {
    this.#expect(':')
    this.#deeper()
    const body: PythonStatement[] = []
    if (!this.#take('\n')) {
      if (this.#isWord('if')) throw this.#unexpected('a statement')
      this.#line(body)
    } else {
      const inner = this.#token.indent
      if (inner <= indent || this.#atEnd) throw this.#unexpected('an indented block')
      while (!this.#atEnd && this.#token.indent === inner) this.#line(body)
      if (!this.#atEnd && this.#token.indent > indent) throw this.#unexpected('the indentation of the block')
    }
    this.#depth--
    return body
  }

  /** `a, b` without brackets is a tuple. */
  #expressions(): PythonExpression {
    const first = this.#expression()
    if (!this.#at(',')) return first
    const items = [first]
    while (this.#take(',')) {
      if (this.#token.kind === 'newline' || this.#at(';') || this.#at('=') || this.#at(')')) break
      items.push(this.#expression())
    }
    return { kind: 'tuple', at: first.at, end: items.at(-1)!.end, items }
  }

  #expression(): PythonExpression {
    this.#deeper()
    const then = this.#or()
    let result = then
    if (this.#takeWord('if')) {
      const test = this.#or()
      if (!this.#takeWord('else')) throw this.#unexpected(`'else'`)
      const otherwise = this.#expression()
      result = { kind: 'conditional', at: then.at, end: otherwise.end, test, then, otherwise }
    }
    this.#depth--
    return result
  }

  #or(): PythonExpression {
    return this.#logical('or', () => this.#logical('and', () => this.#not()))
  }

  #logical(operator: 'and' | 'or', operand: () => PythonExpression): PythonExpression {
    const first = operand()
    const operands = [first]
    while (this.#takeWord(operator)) operands.push(operand())
    return operands.length === 1
      ? first
      : { kind: 'logical', operator, operands, at: first.at, end: operands.at(-1)!.end }
  }

  #not(): PythonExpression {
    const at = this.#token.start
    if (!this.#takeWord('not')) return this.#comparison()
    this.#deeper()
    const operand = this.#not()
    this.#depth--
    return { kind: 'unary', operator: 'not', operand, at, end: operand.end }
  }

  #comparison(): PythonExpression {
    const first = this.#binary(0)
    const rest: { operator: Comparison; operand: PythonExpression }[] = []
    for (let operator = this.#comparisonOperator(); operator !== null; operator = this.#comparisonOperator()) {
      rest.push({ operator, operand: this.#binary(0) })
    }
    if (rest.length === 0) return first
    return { kind: 'comparison', first, rest, at: first.at, end: rest.at(-1)!.operand.end }
  }

  #comparisonOperator(): Comparison | null {
    const symbol = COMPARISONS.find((candidate) => this.#take(candidate))
    if (symbol !== undefined) return symbol
    if (this.#takeWord('in')) return 'in'
    if (this.#takeWord('is')) return this.#takeWord('not') ? 'is not' : 'is'
    if (!this.#takeWord('not')) return null
    if (!this.#takeWord('in')) throw this.#unexpected(`'in'`)
    return 'not in'
  }

  #binary(level: number): PythonExpression {
    const operators = PRECEDENCE[level]
    if (operators === undefined) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = operators.find((candidate) => this.#take(candidate))
      if (operator === undefined) return left
      const right = this.#binary(level + 1)
      left = { kind: 'binary', operator, left, right, at: left.at, end: right.end }
    }
  }

  #unary(): PythonExpression {
    const at = this.#token.start
    const operator = (['-', '+', '~'] as const).find((candidate) => this.#take(candidate))
    if (operator === undefined) return this.#power()
    this.#deeper()
    const operand = this.#unary()
    this.#depth--
    return { kind: 'unary', operator, operand, at, end: operand.end }
  }

  #power(): PythonExpression {
    let left = this.#primary()
    while (this.#at('[')) {
      this.#next++
      const index = this.#expression()
      const { end } = this.#token
      this.#expect(']')
      left = { kind: 'subscript', of: left, index, at: left.at, end }
    }
    if (!this.#take('**')) return left
    this.#deeper()
    const right = this.#unary()
    this.#depth--
    return { kind: 'binary', operator: '**', left, right, at: left.at, end: right.end }
  }

  #primary(): PythonExpression {
    const token = this.#token
    const place = { at: token.start, end: token.end }
    if (token.kind === 'number') {
      this.#next++
      return number(token, place)
    }
    if (token.kind === 'string') {
      let { text, end } = token
      for (this.#next++; this.#token.kind === 'string'; this.#next++) {
        text += this.#token.text
        end = this.#token.end
      }
      return { kind: 'string', value: text, at: token.start, end }
    }
    if (token.kind === 'name' && !WORD_OPERATORS.has(token.text)) return this.#name(token)
    if (this.#at('(')) return this.#bracketed('tuple', ')')
    if (this.#at('[')) return this.#bracketed('list', ']')
    throw this.#unexpected('an expression')
  }

  #name(token: Token): PythonExpression {
    const place = { at: token.start, end: token.end }
    if (NOT_OFFERED.has(token.text)) {
      throw this.#code.error(token.start, `'${token.text}' is not part of the Python that scripts may use here`)
    }
    this.#next++
    if (token.text === 'True' || token.text === 'False')
      return { kind: 'constant', value: token.text === 'True', ...place }
    if (token.text === 'None') return { kind: 'constant', value: null, ...place }
    if (!this.#at('(')) return { kind: 'name', name: token.text, ...place }
    const list = this.#bracketed('list', ')')
    const items = list.kind === 'list' ? list.items : []
    return { kind: 'call', name: token.text, arguments: items, at: token.start, end: list.end }
  }

  /** The opening bracket is next. `(a)` is `a`, `(a,)` a tuple. */
  #bracketed(kind: 'tuple' | 'list', closing: ')' | ']'): PythonExpression {
    const at = this.#token.start
    this.#next++
    this.#deeper()
    const items: PythonExpression[] = []
    let comma = false
    while (!this.#at(closing)) {
      items.push(this.#expression())
      comma = this.#take(',')
      if (!comma) break
    }
    const { end } = this.#token
    this.#expect(closing, `',' or '${closing}'`)
    this.#depth--
    if (kind === 'tuple' && items.length === 1 && !comma) return items[0]!
    return { kind, items, at, end }
  }

  #at(symbol: string): boolean {
    const { kind, text } = this.#token
    return text === symbol && (kind === 'operator' || kind === 'newline')
  }

  #take(symbol: string): boolean {
    if (!this.#at(symbol)) return false
    this.#next++
    return true
  }

  #isWord(word: string): boolean {
    return this.#token.kind === 'name' && this.#token.text === word
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false
    this.#next++
    return true
  }

  #expect(symbol: string, what = `'${symbol}'`): void {
    if (!this.#take(symbol)) throw this.#unexpected(what)
  }

  #deeper(): void {
    this.#depth++
    if (this.#depth > MAX_DEPTH)
      throw this.#code.error(this.#token.start, 'expected code with fewer brackets and blocks')
  }

  #unexpected(what: string): ScriptError {
    const { kind, text, start } = this.#token
    const found = kind === 'end' ? 'the end of the code' : kind === 'newline' ? 'the end of the line' : `'${text}'`
    return this.#code.error(start, `expected ${what}, found ${found}`)
  }
}

function number(token: Token, place: { at: number; end: number }): PythonExpression {
  const text = token.text.replaceAll('_', '')
  if (/^0[xXoObB]./.test(text) || /^\d+$/.test(text)) return { kind: 'integer', value: BigInt(text), ...place }
  return { kind: 'float', value: Number(text), ...place }
}
