import type { Position } from './language/ast.js'

/**
 * A script that went otherwise than it says. `reason` is one line; `detail` are lines below it, both packets printed, as
 * in an error a person reads.
 */
export class DrillFailure extends Error {
  readonly file: string
  readonly position: Position
  readonly reason: string
  readonly detail: readonly string[]

  constructor(file: string, position: Position, reason: string, detail: readonly string[] = []) {
    super(`${file}:${position.line}:${position.column}: ${reason}`)
    this.name = 'DrillFailure'
    this.file = file
    this.position = position
    this.reason = reason
    this.detail = detail
  }

  /** The message and its detail, indented below it. */
  render(): string {
    return [this.message, ...this.detail.map((line) => `  ${line}`)].join('\n')
  }
}

/** What a part of the runner throws that does not know where in the script it is; the runner adds the place. */
export class Mismatch extends Error {
  readonly detail: readonly string[]

  constructor(reason: string, detail: readonly string[] = []) {
    super(reason)
    this.name = 'Mismatch'
    this.detail = detail
  }
}
