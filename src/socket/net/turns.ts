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

/**
 * Lets handles tell their programs what happened, one after the other, outside the machine. Between two of them
 * everything that the program left for later runs, ticks and promises, as between two events of Node's own loop.
 */
export class Turns {
  readonly #waiting: Teller[] = []
  #first = 0
  #running = false
  readonly #tick = () => nextTick(this.#next)

  add(teller: Teller): void {
    if (teller.queued) return
    teller.queued = true
    this.#waiting.push(teller)
    if (this.#running) return
    this.#running = true
    nextTick(this.#next)
  }

  /** A program threw something. */
  protected failed(error: unknown): void {
    throw error
  }

  readonly #next = () => {
    const teller = this.#waiting[this.#first++]!
    teller.queued = false
    try {
      teller.runInAsyncScope(teller.tell, teller)
    } catch (error) {
      this.failed(error)
    } finally {
      if (this.#first < this.#waiting.length) void settled.then(this.#tick)
      else {
        this.#waiting.length = 0
        this.#first = 0
        this.#running = false
      }
    }
  }
}
