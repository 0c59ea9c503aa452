import type { NetContext } from './context.js'

/** Tells when nothing was read or written for a while: one timer, moved only when it comes. */
export class IdleTimeout {
  readonly #context: NetContext
  readonly #idle: () => void
  /** ms; 0: off. */
  #after = 0
  #since = 0
  #timer: unknown = null

  constructor(context: NetContext, idle: () => void) {
    this.#context = context
    this.#idle = idle
  }

  /** @param after ms; 0: no more */
  set(after: number): void {
    this.stop()
    this.#after = after
    if (after === 0) return
    this.#since = this.#context.now()
    this.#arm(after)
  }

  /** Something was read or written. */
  active(): void {
    if (this.#after === 0) return
    this.#since = this.#context.now()
    if (this.#timer === null) this.#arm(this.#after)
  }

  stop(): void {
    if (this.#timer !== null) this.#context.timers.clearTimeout(this.#timer)
    this.#timer = null
  }

  #arm(delay: number): void {
    this.#timer = this.#context.timers.setTimeout(this.#reached, delay)
  }

  readonly #reached = () => {
    this.#timer = null
    const left = this.#since + this.#after - this.#context.now()
    // timers of a platform may come a fraction early
    if (left > 0.5) this.#arm(Math.ceil(left))
    else this.#idle()
  }
}
