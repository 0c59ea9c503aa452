import type { CodeAction, Position } from '../language/ast.js'
import { ScriptError } from '../language/source.js'

/** Longer lines of code are refused, so that no tree of them is too deep to walk. */
const MAX_TOKENS_IN_LINE = 1000

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'newline' | 'end'
  /** As written; of a string, its value. */
  readonly text: string
  /** Offset in the code. */
  readonly start: number
  readonly end: number
  /** Column where this token's line of code starts, tabs to multiples of 8. */
  readonly indent: number
}

/** A block of code and its place in the script. */
export class Code {
  readonly file: string
  readonly text: string
  readonly #start: Position

  constructor(file: string, action: CodeAction) {
    this.file = file
    this.text = action.text
    this.#start = action.textPosition
  }

  /** Where the character at this offset stands in the script. */
  position(offset: number): Position {
    const before = this.text.slice(0, offset)
    const newline = before.lastIndexOf('\n')
    if (newline < 0) return { line: this.#start.line, column: this.#start.column + offset }
    return { line: this.#start.line + before.split('\n').length - 1, column: offset - newline }
  }

  /** The line of code that this offset is in. */
  line(offset: number): string {
    const from = this.text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1
    const to = this.text.indexOf('\n', offset)
    return this.text.slice(from, to < 0 ? undefined : to)
  }

  error(offset: number, reason: string): ScriptError {
    return new ScriptError(this.file, this.position(offset), reason)
  }
}

const SPACE = /(?:[ \t\r\f]|\\\r?\n|#[^\n]*)*/y
const NAME = /[A-Za-z_]\w*/y
const NUMBER =
  /0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?/y
const STRING = /'''[\s\S]*?'''|"""[\s\S]*?"""|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y
const OPERATOR =
  /\*\*=|\/\/=|<<=|>>=|\*\*|\/\/|<<|>>|<=|>=|==|!=|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[-+*/%&|^~<>()[\]{}=,:;.]/y

/** The code's tokens, with a `newline` after each logical line. */
export function tokenize(code: Code): Token[] {
  const { text } = code
  const tokens: Token[] = []
  let at = 0
  let indent = 0
  let nesting = 0
  let inLine = 0
  const matchAt = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0] ?? null
  }
  for (;;) {
    const space = matchAt(SPACE) ?? ''
    if (inLine === 0 && nesting === 0) indent = widthOf(space)
    at += space.length
    if (at >= text.length) break
    if (text[at] === '\n') {
      if (nesting === 0 && inLine > 0) {
        tokens.push({ kind: 'newline', text: '\n', start: at, end: at, indent })
        inLine = 0
      }
      at++
      continue
    }
    const [kind, written] =
      first('name', matchAt(NAME)) ??
      first('number', matchAt(NUMBER)) ??
      first('string', matchAt(STRING)) ??
      first('operator', matchAt(OPERATOR)) ??
      unknown(code, at)
    const end = at + written.length
    if (/^[([{]$/.test(written)) nesting++
    if (/^[)\]}]$/.test(written)) nesting = Math.max(0, nesting - 1)
    tokens.push({ kind, text: kind === 'string' ? stringValue(written) : written, start: at, end, indent })
    at = end
    if (++inLine > MAX_TOKENS_IN_LINE) throw code.error(at, 'expected a shorter line of code')
  }
  tokens.push({ kind: 'newline', text: '\n', start: at, end: at, indent })
  tokens.push({ kind: 'end', text: '', start: at, end: at, indent: 0 })
  return tokens
}

function first(kind: Token['kind'], text: string | null): [Token['kind'], string] | null {
  return text === null ? null : [kind, text]
}

function unknown(code: Code, at: number): never {
  const character = code.text[at]!
  const reason = /['"]/.test(character) ? `expected ${character} at the end of this string` : `found '${character}'`
  throw code.error(at, `expected Python, ${reason}`)
}

function widthOf(space: string): number {
  let width = 0
  for (const character of space.slice(space.lastIndexOf('\n') + 1)) {
    if (character === '\t') width += 8 - (width % 8)
    else if (character === ' ') width++
    else break
  }
  return width
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\n': '' }

function stringValue(written: string): string {
  const quote = /^(?:'''|""")/.test(written) ? 3 : 1
  return written
    .slice(quote, -quote)
    .replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (whole, escaped: string) =>
      escaped.length === 3
        ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
        : (ESCAPES[escaped] ?? (/['"\\]/.test(escaped) ? escaped : whole)),
    )
}
