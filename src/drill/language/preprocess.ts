import { type Replacement, type ScriptError, SourceText } from './source.js'

/** What is known before a script is read. */
export interface Definitions {
  /** Symbols that `#ifdef` finds (`FreeBSD`, `Linux`, `STANDARD`); the text of the script does not change. */
  readonly defined?: Iterable<string>
  /** `-D NAME=VALUE`: the word NAME in the script means VALUE. `#ifdef` finds these too. */
  readonly definitions?: ReadonlyMap<string, string>
}

const WORD = /[A-Za-z0-9_]+/y
const DIRECTIVE = /[ \t]*#[ \t]*([A-Za-z]*)([^\n]*)/y
// Among shell and Python code only these, written without a space, are ours: there `# if` is a comment.
const CONDITION_IN_CODE = /[ \t]*#(?:ifdef|ifndef|if|elif|else|endif)\b[^\n]*/y

/**
 * Does to a script what the C preprocessor does to the FreeBSD suite and what packetdrill's lexer does with comments and
 * `-D` symbols: the result has the same lines, with blanks for what is not to be read.
 */
export function preprocess(file: string, original: string, given: Definitions = {}): SourceText {
  return new Preprocessor(file, original, given).run()
}

interface Condition {
  readonly at: number
  /** Is this part of the condition read? */
  active: boolean
  /** Has a part of it been read already? */
  taken: boolean
  seenElse: boolean
}

class Preprocessor {
  readonly #plain: SourceText
  readonly #file: string
  readonly #input: string
  readonly #defined: Set<string>
  readonly #definitions: Map<string, string>
  readonly #conditions: Condition[] = []
  readonly #replacements: Replacement[] = []
  readonly #output: string[] = []
  #outputLength = 0
  #at = 0

  constructor(file: string, input: string, given: Definitions) {
    this.#plain = new SourceText(file, input)
    this.#file = file
    this.#input = input
    this.#defined = new Set(given.defined ?? [])
    this.#definitions = new Map(given.definitions ?? [])
  }

  run(): SourceText {
    const input = this.#input
    let lineStart = true
    while (this.#at < input.length) {
      if (lineStart && this.#directive(DIRECTIVE)) continue
      lineStart = false
      if (!this.#active) {
        this.#blank(Math.min(this.#lineEnd(this.#at) + 1, input.length))
        lineStart = true
      } else if (input.startsWith('//', this.#at)) {
        this.#blank(this.#lineEnd(this.#at))
      } else if (input.startsWith('/*', this.#at)) {
        const end = input.indexOf('*/', this.#at + 2)
        if (end < 0) throw this.#error(this.#at, `expected '*/' to end this comment, found the end of the script`)
        this.#blank(end + 2)
      } else if (input.startsWith('"', this.#at)) {
        this.#copy(this.#quotedEnd('"'))
      } else if (input.startsWith('`', this.#at)) {
        this.#copyCode(this.#quotedEnd('`'))
      } else if (input.startsWith('%{', this.#at)) {
        const end = input.indexOf('}%', this.#at)
        this.#copyCode(end < 0 ? input.length : end + 2)
      } else {
        lineStart = input.charAt(this.#at) === '\n'
        this.#wordOrCharacter()
      }
    }
    const open = this.#conditions.at(-1)
    if (open !== undefined)
      throw this.#error(open.at, `expected '#endif' for this condition, found the end of the script`)
    return new SourceText(this.#file, input, this.#output.join(''), this.#replacements)
  }

  get #active(): boolean {
    return this.#conditions.every((condition) => condition.active)
  }

  #wordOrCharacter(): void {
    WORD.lastIndex = this.#at
    const word = WORD.exec(this.#input)?.[0] ?? ''
    const value = this.#definitions.get(word)
    const originalEnd = this.#at + Math.max(1, word.length)
    if (value === undefined) {
      this.#copy(originalEnd)
      return
    }
    const start = this.#outputLength
    this.#emit(value)
    this.#replacements.push({ start, end: this.#outputLength, originalStart: this.#at, originalEnd })
    this.#at = originalEnd
  }

  #emit(text: string): void {
    this.#output.push(text)
    this.#outputLength += text.length
  }

  #copy(end: number): void {
    this.#emit(this.#input.slice(this.#at, end))
    this.#at = end
  }

  #blank(end: number): void {
    this.#emit(this.#input.slice(this.#at, end).replace(/[^\n\r\t]/g, ' '))
    this.#at = end
  }

  /** Copies a command or code up to `end`, leaving out what conditions in it switch off. */
  #copyCode(end: number): void {
    this.#copy(Math.min(this.#lineEnd(this.#at) + 1, end))
    while (this.#at < end) {
      if (this.#directive(CONDITION_IN_CODE)) continue
      const line = Math.min(this.#lineEnd(this.#at) + 1, end)
      if (this.#active) this.#copy(line)
      else this.#blank(line)
    }
  }

  #lineEnd(from: number): number {
    const end = this.#input.indexOf('\n', from)
    return end < 0 ? this.#input.length : end
  }

  /** Behind the closing quote; an unclosed one is for the parser to report. */
  #quotedEnd(quote: string): number {
    for (let at = this.#at + 1; at < this.#input.length; at++) {
      const character = this.#input.charAt(at)
      if (character === '\\') at++
      else if (character === quote) return at + 1
    }
    return this.#input.length
  }

  /** Obeys the directive on this line, if there is one, and blanks it. */
  #directive(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    if (pattern.exec(this.#input) === null) return false
    DIRECTIVE.lastIndex = this.#at
    const [whole = '', name = '', rest = ''] = DIRECTIVE.exec(this.#input) ?? []
    const at = this.#at + whole.indexOf('#')
    // `# text` is a comment, `# 12 "file"` a line marker of the C preprocessor.
    const spaced = /^[ \t]*#[ \t]/.test(whole)
    const argument = rest.replace(/\/\/.*|\/\*.*?\*\/|\r$/g, '').trim()
    this.#obey(name, argument, at, spaced)
    this.#blank(this.#at + whole.length)
    return true
  }

  #obey(name: string, argument: string, at: number, spaced: boolean): void {
    const outer = this.#active
    const condition = this.#conditions.at(-1)
    switch (name) {
      case 'ifdef':
      case 'ifndef':
      case 'if': {
        const holds = outer && this.#holds(name, argument, at)
        this.#conditions.push({ at, active: holds, taken: holds, seenElse: false })
        return
      }
      case 'elif':
      case 'else': {
        if (condition === undefined || condition.seenElse) throw this.#error(at, `expected no '#${name}' here`)
        condition.seenElse = name === 'else'
        const reached = !condition.taken && this.#conditions.slice(0, -1).every((around) => around.active)
        condition.active = reached && this.#holds(name, argument, at)
        condition.taken ||= condition.active
        return
      }
      case 'endif':
        if (this.#conditions.pop() === undefined)
          throw this.#error(at, `expected no '#endif' here: no condition is open`)
        return
    }
    if (!outer || name === '') return
    const [symbol = '', ...value] = argument.split(/[ \t]+/)
    switch (name) {
      case 'define':
        this.#checkSymbol(symbol, at)
        this.#defined.add(symbol)
        if (value.length > 0) this.#definitions.set(symbol, value.join(' '))
        return
      case 'undef':
        this.#checkSymbol(symbol, at)
        this.#defined.delete(symbol)
        this.#definitions.delete(symbol)
        return
      case 'error':
        throw this.#error(at, `the script says: ${argument}`)
      case 'warning':
      case 'line':
      case 'pragma':
        return
    }
    if (!spaced) throw this.#error(at, `expected a directive (#ifdef, #if, #else, #endif, #define), found '#${name}'`)
  }

  #holds(name: string, argument: string, at: number): boolean {
    if (name === 'else') return true
    if (name === 'ifdef' || name === 'ifndef') {
      this.#checkSymbol(argument, at)
      return this.#isDefined(argument) === (name === 'ifdef')
    }
    return new ConditionExpression(
      argument,
      (symbol) => this.#isDefined(symbol),
      (symbol) => Number(this.#definitions.get(symbol) ?? (this.#defined.has(symbol) ? 1 : 0)) || 0,
      (reason) => this.#error(at, reason),
    ).evaluate()
  }

  #checkSymbol(symbol: string, at: number): void {
    if (!/^[A-Za-z_]\w*$/.test(symbol)) throw this.#error(at, `expected one symbol, found '${symbol}'`)
  }

  #isDefined(symbol: string): boolean {
    return this.#defined.has(symbol) || this.#definitions.has(symbol)
  }

  #error(offset: number, reason: string): ScriptError {
    return this.#plain.error(this.#plain.position(offset), reason)
  }
}

/** `defined(X) && !defined Y || Z > 1` of an `#if`. */
class ConditionExpression {
  readonly #tokens: string[]
  readonly #isDefined: (symbol: string) => boolean
  readonly #meaning: (symbol: string) => number
  readonly #error: (reason: string) => ScriptError
  #next = 0

  constructor(
    text: string,
    isDefined: (symbol: string) => boolean,
    meaning: (symbol: string) => number,
    error: (reason: string) => ScriptError,
  ) {
    this.#tokens = text.match(/\w+|&&|\|\||[=!<>]=|[^ \t]/g) ?? []
    this.#isDefined = isDefined
    this.#meaning = meaning
    this.#error = error
  }

  evaluate(): boolean {
    if (this.#tokens.filter((token) => token === '(' || token === '!').length > 100) {
      throw this.#error('expected a simpler condition: at most 100 brackets and negations')
    }
    const value = this.#or()
    if (this.#next < this.#tokens.length) throw this.#unexpected('nothing more')
    return value !== 0
  }

  #or(): number {
    let value = this.#and()
    while (this.#take('||')) {
      const right = this.#and()
      value = value !== 0 || right !== 0 ? 1 : 0
    }
    return value
  }

  #and(): number {
    let value = this.#comparison()
    while (this.#take('&&')) {
      const right = this.#comparison()
      value = value !== 0 && right !== 0 ? 1 : 0
    }
    return value
  }

  #comparison(): number {
    const left = this.#operand()
    const operator = this.#tokens[this.#next]
    if (operator === undefined || !/^([=!<>]=|[<>])$/.test(operator)) return left
    this.#next++
    const right = this.#operand()
    const holds: Record<string, boolean> = {
      '==': left === right,
      '!=': left !== right,
      '<': left < right,
      '>': left > right,
      '<=': left <= right,
      '>=': left >= right,
    }
    return holds[operator] ? 1 : 0
  }

  #operand(): number {
    if (this.#take('!')) return this.#operand() === 0 ? 1 : 0
    if (this.#take('(')) {
      const value = this.#or()
      this.#expect(')')
      return value
    }
    const token = this.#tokens[this.#next]
    if (token === undefined || !/^\w+$/.test(token)) throw this.#unexpected('a symbol or a number')
    this.#next++
    if (token === 'defined') {
      const bracket = this.#take('(')
      const symbol = this.#tokens[this.#next]
      if (symbol === undefined || !/^\w+$/.test(symbol)) throw this.#unexpected('a symbol')
      this.#next++
      if (bracket) this.#expect(')')
      return this.#isDefined(symbol) ? 1 : 0
    }
    return /^\d/.test(token) ? Number(token.replace(/[uUlL]+$/, '')) || 0 : this.#meaning(token)
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false
    this.#next++
    return true
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected(`'${token}'`)
  }

  #unexpected(what: string): ScriptError {
    const token = this.#tokens[this.#next]
    return this.#error(`expected ${what} in the condition, found ${token === undefined ? 'its end' : `'${token}'`}`)
  }
}
