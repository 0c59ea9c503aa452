import { setImmediate } from 'node:timers'
import { putValue, type Undo } from './put.js'
import type { Run } from './run.js'
import { here } from './scope.js'

const { queueMicrotask } = globalThis

/** Errors that the programs of a run throw where nobody catches them end the run; others go where they would go. */
export class Errors {
  readonly #run: Run
  readonly #capturing = !process.hasUncaughtExceptionCaptureCallback()
  readonly #back: Undo

  constructor(run: Run) {
    this.#run = run
    this.#back = putValue(globalThis, 'queueMicrotask', (callback: () => void) => this.#microtask(callback))
    this.#capture()
  }

  end(): void {
    this.#back()
    if (this.#capturing) process.setUncaughtExceptionCaptureCallback(null)
  }

  /** Node forgets where a microtask came from when it throws. */
  #microtask(callback: () => void): void {
    if (here() === undefined || typeof callback !== 'function') return queueMicrotask(callback)
    queueMicrotask(() => {
      try {
        callback()
      } catch (error) {
        this.#run.fail(error)
      }
    })
  }

  #capture(): void {
    if (this.#capturing && !this.#run.over) process.setUncaughtExceptionCaptureCallback((error) => this.#caught(error))
  }

  #caught(error: unknown): void {
    if (here()?.run === this.#run) return this.#run.fail(error)
    process.setUncaughtExceptionCaptureCallback(null)
    setImmediate(() => {
      setImmediate(() => this.#capture())
      throw error
    })
  }
}
