import type { CallAction, Expression, Micros, StructField } from './ast.js'
import type { Lexer } from './lexer.js'

/** How deeply brackets may nest. */
const MAX_DEPTH = 60

/** `name(arguments) = result ERRNO (note)`; the name is next. */
export function parseCall(lexer: Lexer, end: Micros | null): CallAction {
  const position = lexer.position
  const name = lexer.expectWord('a call')
  if (!lexer.at('(')) throw lexer.unexpected(`'(' and the arguments of '${name}'`)
  const expressions = new ExpressionParser(lexer)
  const callArguments = expressions.list('(', ')')
  lexer.expect('=', `'=' and the result of '${name}'`)
  const result = expressions.result()
  const errnoPosition = lexer.position
  const errno = lexer.word()
  return {
    kind: 'call',
    position,
    name,
    arguments: callArguments,
    end,
    result,
    errno: errno === null ? null : { position: errnoPosition, name: errno },
    note: parseNote(lexer),
  }
}

function parseNote(lexer: Lexer): string | null {
  if (!lexer.at('(')) return null
  const note = lexer.match(/\((?:[^()\n]|\([^()\n]*\))*\)/y)
  if (note === null) throw lexer.error(`expected ')' on the same line as this '('`)
  return note.slice(1, -1).trim()
}

type BinaryOperator = Extract<Expression, { kind: 'binary' }>['operator']

/** Binary operators below `|`, loosest first, as in C. */
const PRECEDENCE: readonly (readonly BinaryOperator[])[] = [['&'], ['<<', '>>'], ['+', '-'], ['*', '/']]

class ExpressionParser {
  readonly #lexer: Lexer
  #depth = 0

  constructor(lexer: Lexer) {
    this.#lexer = lexer
  }

  /** `(a, b)` or `[a, b]`, the opening bracket next. */
  list(opening: '(' | '[', closing: ')' | ']'): Expression[] {
    this.#lexer.expect(opening)
    this.#deeper()
    const elements: Expression[] = []
    if (!this.#lexer.at(closing)) {
      do elements.push(this.#expression())
      while (this.#lexer.take(','))
    }
    this.#lexer.expect(closing, `',' or '${closing}'`)
    this.#depth--
    return elements
  }

  /**
   * What stands behind `=`. No arithmetic and no brackets behind a word here: a `+`, `*` or `.` belongs to the time of the
   * next event, a bracket to the note.
   */
  result(): Expression {
    const position = this.#lexer.position
    const operands = [this.#resultOperand()]
    while (this.#lexer.take('|')) operands.push(this.#resultOperand())
    const value: Expression = operands.length === 1 ? operands[0]! : { kind: 'or', position, operands }
    if (!this.#lexer.take('~')) return value
    return { kind: 'range', position, from: value, to: this.#resultOperand() }
  }

  #resultOperand(): Expression {
    const position = this.#lexer.position
    const name = this.#lexer.at('{') ? null : this.#lexer.word()
    return name === null ? this.#operand('a result') : { kind: 'symbol', position, name }
  }

  #expression(): Expression {
    const position = this.#lexer.position
    const from = this.#or()
    if (!this.#lexer.take('~')) return from
    return { kind: 'range', position, from, to: this.#or() }
  }

  #or(): Expression {
    const position = this.#lexer.position
    const operands = [this.#binary(0)]
    while (this.#lexer.take('|')) operands.push(this.#binary(0))
    return operands.length === 1 ? operands[0]! : { kind: 'or', position, operands }
  }

  #binary(level: number): Expression {
    const operators = PRECEDENCE[level]
    if (operators === undefined) return this.#unary()
    const position = this.#lexer.position
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = operators.find((candidate) => this.#lexer.take(candidate))
      if (operator === undefined) return left
      left = { kind: 'binary', position, operator, left, right: this.#binary(level + 1) }
    }
  }

  #unary(): Expression {
    const position = this.#lexer.position
    const operator = this.#lexer.match(/[~!]|-(?![0-9.])/y) as '~' | '!' | '-' | null
    if (operator === null) return this.#operand('a value')
    this.#deeper()
    const operand = this.#unary()
    this.#depth--
    return { kind: 'unary', position, operator, operand }
  }

  #operand(what: string): Expression {
    const lexer = this.#lexer
    const position = lexer.position
    if (lexer.take('...') || lexer.take('?')) return { kind: 'ellipsis', position }
    const value = lexer.string()
    if (value !== null) return { kind: 'string', position, value, truncated: lexer.take('...') }
    const float = lexer.match(/-?[0-9]*\.[0-9]+(?![0-9A-Za-z_])/y)
    if (float !== null) return { kind: 'float', position, value: Number(float), text: float }
    const integer = lexer.numeral()
    if (integer !== null) return { kind: 'integer', ...integer }
    if (lexer.at('[')) return { kind: 'array', position, elements: this.list('[', ']') }
    if (lexer.at('{')) return this.#struct(null)
    if (lexer.take('(')) {
      this.#deeper()
      const inner = this.#expression()
      lexer.expect(')')
      this.#depth--
      return inner
    }
    const name = lexer.word()
    if (name === null) throw lexer.unexpected(what)
    if (lexer.at('(')) return { kind: 'call', position, name, arguments: this.list('(', ')') }
    if (lexer.at('{')) return { ...this.#struct(name), position }
    return { kind: 'symbol', position, name }
  }

  #struct(tag: string | null): Extract<Expression, { kind: 'struct' }> {
    const lexer = this.#lexer
    const position = lexer.position
    lexer.expect('{')
    this.#deeper()
    const fields: StructField[] = []
    if (!lexer.at('}')) {
      do fields.push(this.#field())
      while (lexer.take(','))
    }
    lexer.expect('}', `',' or '}'`)
    this.#depth--
    return { kind: 'struct', position, tag, fields }
  }

  #field(): StructField {
    const lexer = this.#lexer
    const position = lexer.position
    const before = lexer.offset
    const name = lexer.word()
    if (name !== null) {
      if (lexer.take('=')) return { position, name, count: null, value: this.#expression() }
      // `msg_iov(1)=[…]`: a length in brackets, and not a call, if `=` follows.
      if (
        lexer.at('(') &&
        /\(\s*(?:\.\.\.|-?\w+)\s*\)\s*=/y.test(lexer.source.text.slice(lexer.offset, lexer.offset + 80))
      ) {
        const [count = null] = this.list('(', ')')
        lexer.expect('=')
        return { position, name, count, value: this.#expression() }
      }
      lexer.offset = before
    }
    return { position, name: null, count: null, value: this.#expression() }
  }

  #deeper(): void {
    this.#depth++
    if (this.#depth > MAX_DEPTH) throw this.#lexer.error(`expected at most ${MAX_DEPTH} brackets in each other`)
  }
}
