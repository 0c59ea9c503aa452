import { setImmediate } from 'node:timers'
import type { Run } from './run.js'
import { here } from './scope.js'

/** Errors that the programs of a run throw where nobody catches them end the run; others go where they would go. */
export class Errors {
  readonly #run: Run
  readonly #capturing = !process.hasUncaughtExceptionCaptureCallback()

  constructor(run: Run) {
    this.#run = run
    this.#capture()
  }

  end(): void {
    if (this.#capturing) process.setUncaughtExceptionCaptureCallback(null)
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
