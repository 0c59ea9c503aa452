import type { Instant } from '../tcp/index.js'
import type { Errno } from './errno.js'

/** What a call returns: as in C, -1 with `errno` or the call's number; more fields where a call has out parameters. */
export interface Result {
  readonly result: number
  readonly errno?: Errno
}

/** A call that blocks. */
export interface Pending<R extends Result = Result> {
  readonly pending: true
  /** Calls `then` once, when the call returns. At once if it has. */
  onDone(then: (result: R, now: Instant) => void): void
  /** The call never returns (its process was killed). */
  cancel(): void
}

export type Outcome<R extends Result = Result> = R | Pending<R>

export const isPending = <R extends Result>(outcome: Outcome<R>): outcome is Pending<R> => 'pending' in outcome

export const failed = (errno: Errno): Result => ({ result: -1, errno })
export const SUCCESS: Result = { result: 0 }
/** Of a step that gives octets or an error. */
export const toResult = (value: number | Errno): Result =>
  typeof value === 'number' ? { result: value } : failed(value)
