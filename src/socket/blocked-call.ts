import type { Host } from '../ip/index.js'
import { type Instant, NEVER, type Timed } from '../tcp/index.js'
import type { OpenFile, Watcher } from './open-file.js'
import type { Pending, Result } from './result.js'

/**
 * One try at a call. null: it has to wait. `last`: there is no more waiting (the descriptor is non-blocking, or the time
 * is up), so that null is not an answer.
 */
export type Attempt<R extends Result> = (now: Instant, last: boolean) => R | null

/**
 * A call that waits. Whenever a file it waits for changes, it tries again, at the same moment but after the machine has
 * finished what it was doing: as a process that is woken runs after the interrupt that woke it. Of several that wait
 * for the same, the first that waited tries first.
 */
export class BlockedCall<R extends Result> implements Pending<R>, Timed, Watcher {
  readonly pending = true
  deadline: Instant
  wheelSlot = -1
  readonly #host: Host
  readonly #files: readonly OpenFile[]
  readonly #attempt: Attempt<R>
  readonly #until: Instant
  readonly #finished: (result: R, now: Instant) => void
  #result: R | null = null
  #doneAt: Instant = 0
  #then: ((result: R, now: Instant) => void) | null = null
  #over = false
  /** Its turn to try again is coming. */
  #woken = false

  /**
   * @param until when it gives up, ms of the host's clock; NEVER: it does not
   * @param finished called once before whoever waits for the result
   */
  constructor(
    host: Host,
    files: readonly OpenFile[],
    attempt: Attempt<R>,
    until: Instant,
    finished: (result: R, now: Instant) => void,
  ) {
    this.#host = host
    this.#files = files
    this.#attempt = attempt
    this.#until = until
    this.#finished = finished
    this.deadline = until
    for (const file of files) file.watch(this)
    if (until !== NEVER) host.schedule(this)
  }

  onDone(then: (result: R, now: Instant) => void): void {
    if (this.#result !== null) then(this.#result, this.#doneAt)
    else this.#then = then
  }

  cancel(): void {
    this.#end()
  }

  woken(_file: OpenFile, _events: number, now: Instant): void {
    if (this.#over || this.#woken) return
    this.#woken = true
    if (this.#host.entered) this.#host.wake(this)
    else {
      this.deadline = now
      this.#host.schedule(this)
    }
  }

  run(now: Instant): void {
    this.#tryAgain(now)
  }

  deadlineReached(now: Instant): void {
    this.deadline = this.#until > now ? this.#until : NEVER
    this.#tryAgain(now)
  }

  #tryAgain(now: Instant): void {
    if (this.#over) return
    this.#woken = false
    const result = this.#attempt(now, now >= this.#until)
    if (result === null) return
    this.#end()
    this.#result = result
    this.#doneAt = now
    this.#finished(result, now)
    this.#then?.(result, now)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    for (const file of this.#files) file.unwatch(this)
    this.deadline = NEVER
    this.#host.schedule(this)
  }
}
