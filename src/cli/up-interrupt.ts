import type { HostUp } from './up-host.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Ctrl-C, or a signal that asks as much. While it is listened for, it does not end the process by itself. */
export class Interruption {
  /** How often. */
  times = 0
  readonly #waiting = new Set<() => void>()
  readonly #onSignal = () => {
    this.times++
    for (const wake of this.#waiting) wake()
  }

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  get happened(): boolean {
    return this.times > 0
  }

  /** Fulfilled with true when it has happened `times` times, with false when `patience` ms have passed. */
  within(patience: number, times = 1): Promise<boolean> {
    return new Promise((resolve) => {
      // a timer that hardly ever fires keeps the process alive
      const timer = setInterval(() => end(false), Math.min(patience, 0x7fffffff))
      const wake = () => {
        if (this.times >= times) end(true)
      }
      const end = (interrupted: boolean) => {
        clearInterval(timer)
        this.#waiting.delete(wake)
        resolve(interrupted)
      }
      this.#waiting.add(wake)
      wake()
    })
  }

  /** Fulfilled when it has happened so many times. */
  async nth(times: number): Promise<void> {
    await this.within(Number.POSITIVE_INFINITY, times)
  }

  /** Signals do again what they do by themselves. */
  forget(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
    this.times = Number.POSITIVE_INFINITY
    for (const wake of this.#waiting) wake()
  }
}

/** Closes every connection; a second Ctrl-C, or peers that do not close their side in time, make it RST. True: not needed. */
export async function farewell(up: HostUp, interruption: Interruption): Promise<boolean> {
  const closed = await Promise.race([up.closeConnections(), interruption.nth(2).then(() => false)])
  if (!closed) {
    if (interruption.times < 2) process.stderr.write('what the peers did not close in 5 s is reset\n')
    up.abortConnections()
  }
  return closed
}
