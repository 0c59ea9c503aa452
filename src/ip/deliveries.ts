import { type Instant, NEVER } from '../tcp/index.js'
import { Batch } from '../wire/index.js'
import type { RealTimeSources } from './real-time.js'

/** What a link has for the other end, with the time. */
export type Delivery = (now: Instant) => void

/** How long links may go on delivering before the platform's event loop has a turn, ms. */
const LONGEST_TURN = 1

/**
 * Lets links deliver in real time, behind what runs now. A turn of the event loop costs as much as a segment: most
 * deliveries go without, but two hosts that answer each other keep nobody else waiting for long.
 */
export class Deliveries {
  readonly #sources: RealTimeSources
  #due = new Batch<Delivery>()
  #spare = new Batch<Delivery>()
  #asked = false
  /** When the first delivery of this turn came, ms; NEVER: none did. */
  #turnBegan: Instant = NEVER
  /** The next delivery waits for another turn. */
  #turnIsLong = false
  readonly #turnOver = () => {
    this.#turnBegan = NEVER
    this.#turnIsLong = false
  }
  readonly #deliver = () => {
    this.#asked = false
    const due = this.#due
    this.#due = this.#spare
    this.#spare = due
    const now = this.#sources.now()
    if (this.#turnBegan === NEVER) this.#turnBegins(now)
    else if (now - this.#turnBegan >= LONGEST_TURN) this.#turnIsLong = true
    let done = 0
    try {
      while (done < due.count) due.items[done++]!(now)
    } finally {
      while (done < due.count) this.soon(due.items[done++]!)
      due.clear()
    }
  }

  constructor(sources: RealTimeSources) {
    this.#sources = sources
  }

  soon(deliver: Delivery): void {
    this.#due.push(deliver)
    if (this.#asked) return
    this.#asked = true
    const { next, soon } = this.#sources
    if (next === undefined || this.#turnIsLong) soon(this.#deliver)
    else next(this.#deliver)
  }

  #turnBegins(now: Instant): void {
    if (this.#sources.next === undefined) return
    this.#turnBegan = now
    this.#sources.soon(this.#turnOver)
  }
}
