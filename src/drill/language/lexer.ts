import type { Position } from './ast.js'
import type { ScriptError, SourceText } from './source.js'

const SPACE = /[ \t\r\n\f\v]*/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const DECIMAL = /-?[0-9]+(?![0-9A-Za-z_])/y
const INTEGER = /-?(?:0[xX][0-9a-fA-F]+|[0-9]+)(?![0-9A-Za-z_])/y
// A point that begins `...` does not belong to the number before it: `+0...0.3`.
const NUMBER = /(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?/y
const FOUND = /[A-Za-z0-9_]+|\.\.\.|`[^\n]{0,20}|"[^"\n]{0,20}"?|./y

/** The largest number the grammar lets stand in a header field of 32 bits. */
export const U32 = 0xffffffff
export const U16 = 0xffff
export const U8 = 0xff

export interface Numeral {
  readonly value: number
  readonly text: string
  readonly position: Position
}

/**
 * Reads the text of a script in pieces. What a piece is depends on where it stands (`0101` is a cookie, a length or a
 * number; `P5.` is flags), so the parser asks for what may come next. Every method that reads skips white space before.
 */
export class Lexer {
  readonly source: SourceText
  /** Of the next character to read. */
  offset = 0

  constructor(source: SourceText) {
    this.source = source
  }

  skipSpace(): void {
    SPACE.lastIndex = this.offset
    SPACE.exec(this.source.text)
    this.offset = SPACE.lastIndex
  }

  /** Where the next piece starts. */
  get position(): Position {
    this.skipSpace()
    return this.source.position(this.offset)
  }

  get atEnd(): boolean {
    this.skipSpace()
    return this.offset >= this.source.text.length
  }

  /** Is `literal` next? A word is only next as a whole word. */
  at(literal: string): boolean {
    this.skipSpace()
    if (!this.source.text.startsWith(literal, this.offset)) return false
    if (!/\w$/.test(literal)) return true
    return !/[A-Za-z0-9_]/.test(this.source.text.charAt(this.offset + literal.length))
  }

  /** Reads `literal` if it is next. */
  take(literal: string): boolean {
    if (!this.at(literal)) return false
    this.offset += literal.length
    return true
  }

  expect(literal: string, what = `'${literal}'`): void {
    if (!this.take(literal)) throw this.unexpected(what)
  }

  /** Reads what a sticky expression matches here, or nothing. */
  match(pattern: RegExp): string | null {
    this.skipSpace()
    return this.matchHere(pattern)
  }

  /** As `match`, without skipping white space. */
  matchHere(pattern: RegExp): string | null {
    pattern.lastIndex = this.offset
    const found = pattern.exec(this.source.text)
    if (found === null) return null
    this.offset = pattern.lastIndex
    return found[0]
  }

  /** An identifier, if one is next. */
  word(): string | null {
    return this.match(WORD)
  }

  /** The identifier that is next, without reading it. */
  peekWord(): string | null {
    this.skipSpace()
    const start = this.offset
    const word = this.matchHere(WORD)
    this.offset = start
    return word
  }

  expectWord(what: string): string {
    const word = this.word()
    if (word === null) throw this.unexpected(what)
    return word
  }

  /**
   * A decimal number within limits. As in packetdrill a leading zero does not make it octal.
   */
  decimal(what: string, max: number = U32, min = 0): number {
    const start = this.position
    const text = this.match(DECIMAL)
    if (text === null) throw this.unexpected(what)
    return this.#inRange(Number(text), text, start, what, max, min)
  }

  /** A decimal or hexadecimal number within limits. */
  integer(what: string, max: number = U32, min = 0): number {
    const start = this.position
    const numeral = this.numeral()
    if (numeral === null) throw this.unexpected(what)
    return this.#inRange(numeral.value, numeral.text, start, what, max, min)
  }

  /** A decimal or hexadecimal number of any size, if one is next. */
  numeral(): Numeral | null {
    const position = this.position
    const text = this.match(INTEGER)
    if (text === null) return null
    const negative = text.startsWith('-')
    const magnitude = Number(negative ? text.slice(1) : text)
    return { value: negative && magnitude !== 0 ? -magnitude : magnitude, text, position }
  }

  /** A time or another number with a fraction, if one is next: `1`, `.5`, `1.25`. */
  real(): Numeral | null {
    const position = this.position
    const text = this.match(NUMBER)
    if (text === null) return null
    return { value: Number(text), text, position }
  }

  /** A quoted string with its escapes resolved, if one is next. */
  string(): string | null {
    if (!this.at('"')) return null
    const start = this.position
    const text = this.match(/"(?:\\[\s\S]|[^"\\])*"/y)
    if (text === null)
      throw this.source.error(start, `expected '"' at the end of the string, found the end of the script`)
    return resolveEscapes(text.slice(1, -1))
  }

  /** `expected …, found '…'`, at the next piece. */
  unexpected(what: string): ScriptError {
    // What is missing at the end is missing behind the last thing that is there, not on an empty line.
    const position = this.atEnd ? this.source.position(this.source.text.trimEnd().length) : this.position
    return this.source.error(position, `expected ${what}, found ${this.found()}`)
  }

  /** An error at the next piece. */
  error(reason: string): ScriptError {
    return this.source.error(this.position, reason)
  }

  /** The next piece as it should be named in a message. */
  found(): string {
    if (this.atEnd) return 'the end of the script'
    const start = this.offset
    const piece = this.matchHere(FOUND) ?? this.source.text.charAt(start)
    this.offset = start
    return `'${piece}'`
  }

  #inRange(value: number, text: string, at: Position, what: string, max: number, min: number): number {
    if (value >= min && value <= max) return value
    throw this.source.error(at, `expected ${what} from ${min} to ${max}, found '${text}'`)
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
}

function resolveEscapes(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])/g, (_, escaped: string) => {
    if (/^x[0-9a-fA-F]/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    if (/^[0-7]/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8) & 0xff)
    return ESCAPES[escaped] ?? escaped
  })
}
