import { type Errno, isPending, type Personality, type Result } from '../../socket/index.js'
import type { NameValue } from '../code/evaluate.js'
import { Mismatch } from '../failure.js'
import type { CallAction } from '../language/ast.js'
import { resultText } from '../story.js'
import type { CallHandler, Made } from './call-handler.js'
import { Arguments } from './syscalls-arguments.js'
import { CallContext, type CallOptions } from './syscalls-context.js'
import { EVENT_CALLS } from './syscalls-events.js'
import { FILE_CALLS } from './syscalls-files.js'
import { OPTION_CALLS } from './syscalls-options.js'
import { SOCKET_CALLS } from './syscalls-sockets.js'
import { TEXT_CALLS } from './syscalls-text.js'
import { evaluated, type Value, what } from './values.js'

const HANDLERS: Readonly<Record<string, CallHandler>> = {
  ...SOCKET_CALLS,
  ...TEXT_CALLS,
  ...OPTION_CALLS,
  ...EVENT_CALLS,
  ...FILE_CALLS,
}

/** A call that was made and may not have returned yet. */
export interface CallInProgress {
  readonly returned: boolean
  /** Host time, ms. */
  readonly returnedAt: number
  /** What came back, in words. */
  readonly said: string
  cancel(): void
  /** @throws Mismatch for what is not as the script says */
  check(): void
}

/** Makes the system calls of a script on the drilled host. */
export class SystemCalls {
  readonly context: CallContext

  constructor(options: CallOptions) {
    this.context = new CallContext(options)
  }

  start(call: CallAction): CallInProgress {
    const handler = Object.hasOwn(HANDLERS, call.name) ? HANDLERS[call.name] : undefined
    if (handler === undefined) throw new Mismatch(`no system call ${call.name}() is known`)
    const { symbols } = this.context
    const words = new Arguments(call, symbols)
    const expected = evaluated(call.result, symbols)
    return new Started(call, expected, handler(words, this.context, call), this.context)
  }

  /** TCP_INFO and SO_MEMINFO of the connection under test, by the names code has for them. */
  sample(): Iterable<readonly [string, NameValue]> {
    return this.context.sample()
  }
}

class Started implements CallInProgress {
  returned = false
  returnedAt = 0
  readonly #call: CallAction
  readonly #expected: Value
  readonly #made: Made
  readonly #personality: Personality
  #result: Result | null = null

  constructor(call: CallAction, expected: Value, made: Made, context: CallContext) {
    this.#call = call
    this.#expected = expected
    this.#made = made
    this.#personality = context.personality
    const { outcome } = made
    if (isPending(outcome)) outcome.onDone((result, now) => this.#return(result, now))
    else this.#return(outcome, context.now)
  }

  #return(result: Result, now: number): void {
    this.returned = true
    this.returnedAt = now
    this.#result = result
  }

  cancel(): void {
    const { outcome } = this.#made
    if (isPending(outcome)) outcome.cancel()
  }

  get said(): string {
    return this.#result === null
      ? 'nothing yet'
      : resultText(this.#call.name, this.#result, this.#made.givesFd === true)
  }

  check(): void {
    const result = this.#result!
    this.#made.always?.(result)
    const problem = this.#resultProblem(result) ?? this.#errnoProblem(result)
    if (problem !== null) throw new Mismatch(problem)
    this.#made.verify?.(result)
  }

  #resultProblem(result: Result): string | null {
    const expected = this.#expected
    const said = result.errno === undefined ? String(result.result) : `${result.result} ${result.errno}`
    const wrong = `expected ${this.#call.name} to return ${what(expected)}, returned ${said}`
    switch (expected.kind) {
      case 'any':
        return null
      case 'range':
        return result.result >= expected.from && result.result <= expected.to ? null : wrong
      case 'number':
        if (this.#made.givesFd === true && expected.number >= 0) return result.result >= 0 ? null : wrong
        return result.result === expected.number ? null : wrong
      default:
        return wrong
    }
  }

  #errnoProblem(result: Result): string | null {
    const wanted = this.#call.errno?.name
    if (wanted === undefined) return null
    const { numbers } = this.#personality
    const number = numbers[wanted]
    if (number === undefined) return `'${wanted}' is no error that this system knows`
    const { errno } = result
    if (errno !== undefined && numbers[errno satisfies Errno] === number) return null
    return `expected ${this.#call.name} to fail with ${wanted}, ${errno === undefined ? 'it succeeded' : `it failed with ${errno}`}`
  }
}
