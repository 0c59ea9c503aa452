import type { AsyncResource } from 'node:async_hooks'

/** Has something to tell its program. */
export interface Teller extends AsyncResource {
  /** Its turn is coming. */
  queued: boolean
  /** Tells one thing; asks for another turn if there is more. */
  tell(): void
}

// as they are now, whatever a program (or a test with fake timers) makes of them later
const { nextTick } = process
const settled = Promise.resolve()

/** Places in the queue that were passed and are kept, where it never becomes empty. */
const MOST_PASSED = 4096

/**
 * Lets handles tell their programs what happened, one after the other, outside the machine. Between two of them
 * everything that the program left for later runs, ticks and promises, as between two events of Node's own loop.
 */
export class Turns {
  readonly #waiting: (Teller | null)[] = []
  /** Those in [first, end) of `waiting` wait. */
  #first = 0
  #end = 0
  #running = false
  readonly #tick = () => nextTick(this.#next)

  add(teller: Teller): void {
    if (teller.queued) return
    teller.queued = true
    this.#waiting[this.#end++] = teller
    if (this.#running) return
    this.#running = true
    nextTick(this.#next)
  }

  /** A program threw something. */
  protected failed(error: unknown): void {
    throw error
  }

  readonly #next = () => {
    const teller = this.#waiting[this.#first]!
    this.#waiting[this.#first++] = null
    teller.queued = false
    try {
      teller.runInAsyncScope(teller.tell, teller)
    } catch (error) {
      this.failed(error)
    } finally {
      if (this.#first < this.#end) {
        if (this.#first >= MOST_PASSED) this.#forgetPassed()
        void settled.then(this.#tick)
      } else {
        this.#first = 0
        this.#end = 0
        this.#running = false
      }
    }
  }

  #forgetPassed(): void {
    const waiting = this.#waiting
    waiting.copyWithin(0, this.#first, this.#end)
    waiting.length = this.#end -= this.#first
    this.#first = 0
  }
}
