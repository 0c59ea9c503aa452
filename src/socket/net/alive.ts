/** Keeps the process running while somebody waits for the network, as handles of the event loop do (`ref`, `unref`). */
export interface Alive {
  /** One more waits. */
  add(): void
  remove(): void
}

const LONGEST_DELAY = 0x7fffffff
const { setInterval } = globalThis

/** By a timer that never comes to anything. */
export class ProcessAlive implements Alive {
  #waiting = 0
  #timer: NodeJS.Timeout | null = null

  add(): void {
    if (this.#waiting++ > 0) return
    if (this.#timer === null) this.#timer = setInterval(() => {}, LONGEST_DELAY)
    else this.#timer.ref()
  }

  remove(): void {
    if (--this.#waiting === 0) this.#timer?.unref()
  }
}
