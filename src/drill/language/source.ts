import type { Position } from './ast.js'

/**
 * The text of a script after the preprocessor, able to say where each of its characters came from. Where a symbol of
 * `-D NAME=VALUE` was replaced, positions are those of the name in the file.
 */
export class SourceText {
  /** The name of the file, as it should appear in messages. */
  readonly file: string
  /** What the parser reads: comments and switched-off parts are blanks, symbols are replaced. */
  readonly text: string
  readonly #original: string
  readonly #lineStarts: readonly number[]
  readonly #replacements: readonly Replacement[]

  constructor(file: string, original: string, text: string = original, replacements: readonly Replacement[] = []) {
    this.file = file
    this.text = text
    this.#original = original
    this.#replacements = replacements
    const starts = [0]
    for (let at = original.indexOf('\n'); at >= 0; at = original.indexOf('\n', at + 1)) starts.push(at + 1)
    this.#lineStarts = starts
  }

  /** Where the character at `offset` of `text` stands in the file. */
  position(offset: number): Position {
    const original = this.#originalOffset(Math.max(0, Math.min(offset, this.text.length)))
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lineStarts[middle]! <= original) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: original - this.#lineStarts[low]! + 1 }
  }

  /** The line of the file with this number, without its end. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1]
    if (start === undefined) return ''
    const end = this.#original.indexOf('\n', start)
    return this.#original.slice(start, end < 0 ? undefined : end).replace(/\r$/, '')
  }

  error(position: Position, reason: string): ScriptError {
    return new ScriptError(this.file, position, reason, this.line(position.line))
  }

  #originalOffset(offset: number): number {
    let low = 0
    let high = this.#replacements.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#replacements[middle]!.start <= offset) low = middle + 1
      else high = middle
    }
    const before = this.#replacements[low - 1]
    if (before === undefined) return offset
    if (offset < before.end) return before.originalStart
    return before.originalEnd + (offset - before.end)
  }
}

/** A symbol that was replaced: `[start, end)` in the text stands for `[originalStart, originalEnd)` of the file. */
export interface Replacement {
  readonly start: number
  readonly end: number
  readonly originalStart: number
  readonly originalEnd: number
}

/** A script that cannot be read: where, and what was expected. `message` is `file:line:column: reason`. */
export class ScriptError extends Error {
  readonly file: string
  readonly position: Position
  /** The message without its place. */
  readonly reason: string
  /** The line of the script it is about, `''` if it is not at hand. */
  readonly sourceLine: string

  constructor(file: string, position: Position, reason: string, sourceLine = '') {
    super(`${file}:${position.line}:${position.column}: ${reason}`)
    this.name = 'ScriptError'
    this.file = file
    this.position = position
    this.reason = reason
    this.sourceLine = sourceLine
  }

  /** The message, the line and a caret under the offending place. */
  render(): string {
    if (this.sourceLine === '') return this.message
    const indent = this.sourceLine.slice(0, this.position.column - 1).replace(/[^\t]/g, ' ')
    return `${this.message}\n  ${this.sourceLine}\n  ${indent}^`
  }
}
