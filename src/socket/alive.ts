/** Keeps the process running while somebody waits for the network, as handles of the event loop do (`ref`, `unref`). */
export interface Alive {
  /** One more waits. */
  add(): void
  remove(): void
}

/** A timer of the platform: where timers keep a process running, it can be told not to. */
interface Timer {
  ref?(): void
  unref?(): void
}

const LONGEST_DELAY = 0x7fffffff
const { setInterval } = globalThis as unknown as { setInterval(callback: () => void, delay: number): Timer }

/** By a timer that never comes to anything. In a browser nothing has to be kept running. */
export class ProcessAlive implements Alive {
  #waiting = 0
  #timer: Timer | null = null

  add(): void {
    if (this.#waiting++ > 0) return
    if (this.#timer === null) this.#timer = setInterval(() => {}, LONGEST_DELAY)
    else this.#timer.ref?.()
  }

  remove(): void {
    if (--this.#waiting === 0) this.#timer?.unref?.()
  }
}

/** For hosts in virtual time, whose programs wait for whoever lets time pass. */
export const NOTHING_ALIVE: Alive = { add() {}, remove() {} }
