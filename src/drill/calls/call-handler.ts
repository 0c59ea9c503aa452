import type { Outcome, Result } from '../../socket/index.js'
import type { CallAction } from '../language/ast.js'
import type { Arguments } from './syscalls-arguments.js'
import type { CallContext } from './syscalls-context.js'

/** A call that was made: what it gives, and what is to be looked at when it returns. */
export interface Made {
  readonly outcome: Outcome
  /** The result is a descriptor: the number in the script is only a name for it. */
  readonly givesFd?: boolean
  /** Called when the call has returned what the script says; throws Mismatch for what else is wrong. */
  readonly verify?: (result: Result) => void
  /** Called when the call has returned, whatever it says. */
  readonly always?: (result: Result) => void
}

/** How one call of a script is made. */
export type CallHandler = (words: Arguments, context: CallContext, call: CallAction) => Made
