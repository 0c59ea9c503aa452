import { type Instant, NEVER, type Timed } from '../tcp/index.js'
import type { Frame } from '../wire/index.js'
import type { VirtualClock } from './clock.js'
import type { Port } from './link.js'

/** Places in a queue at first; powers of two. */
const FIRST_PLACES = 64

/**
 * Everything one port has sent that keeps its order: frames that wait for its rate, and frames on their way. Queues in
 * rings of columns, so that a frame on its way costs no object and no place in the clock's heap: the clock knows when
 * the first of them arrives.
 */
export class InFlight implements Timed {
  deadline: Instant = NEVER
  wheelSlot = -1
  readonly #clock: VirtualClock
  readonly #from: Port
  /** On their way: three columns from `#head` on. */
  #frames: (Frame | null)[] = new Array<Frame | null>(FIRST_PLACES).fill(null)
  #ports: (Port | null)[] = new Array<Port | null>(FIRST_PLACES).fill(null)
  #arrivals = new Float64Array(FIRST_PLACES)
  #head = 0
  #count = 0
  #lastArrival: Instant = 0
  /** Those that wait: when the sending of each begins, and its octets; two columns from `#waitingHead` on. */
  #starts = new Float64Array(FIRST_PLACES)
  #lengths = new Int32Array(FIRST_PLACES)
  #waitingHead = 0
  #waitingCount = 0
  #waitingOctets = 0
  readonly #batch: Frame[] = []
  #delivering = false

  constructor(clock: VirtualClock, from: Port) {
    this.#clock = clock
    this.#from = from
  }

  /** Whether one more frame may wait, where at most `packets` and `octets` may. */
  hasRoom(packets: number, octets: number, length: number, now: Instant): boolean {
    const last = this.#starts.length - 1
    while (this.#waitingCount > 0 && this.#starts[this.#waitingHead]! <= now) {
      this.#waitingOctets -= this.#lengths[this.#waitingHead]!
      this.#waitingHead = (this.#waitingHead + 1) & last
      this.#waitingCount--
    }
    return this.#waitingCount < packets && this.#waitingOctets + length <= octets
  }

  /** A frame waits until `start`. */
  waits(start: Instant, length: number): void {
    if (this.#waitingCount === this.#starts.length) this.#growWaiting()
    const at = (this.#waitingHead + this.#waitingCount++) & (this.#starts.length - 1)
    this.#starts[at] = start
    this.#lengths[at] = length
    this.#waitingOctets += length
  }

  /** A frame is on its way; it does not overtake those before it. */
  travels(frame: Frame, to: Port, arrival: Instant): void {
    if (arrival > this.#lastArrival) this.#lastArrival = arrival
    if (this.#count === this.#frames.length) this.#grow()
    const at = (this.#head + this.#count++) & (this.#frames.length - 1)
    this.#frames[at] = frame
    this.#ports[at] = to
    this.#arrivals[at] = this.#lastArrival
    if (this.deadline !== NEVER || this.#delivering) return
    this.deadline = this.#lastArrival
    this.#clock.schedule(this)
  }

  /** Delivers what has arrived, in batches to the same port. */
  deadlineReached(now: Instant): void {
    this.#delivering = true
    const batch = this.#batch
    while (this.#count > 0 && this.#arrivals[this.#head]! <= now) {
      const to = this.#ports[this.#head]!
      let count = 0
      do {
        batch[count++] = this.#frames[this.#head]!
        this.#frames[this.#head] = null
        this.#head = (this.#head + 1) & (this.#frames.length - 1)
        this.#count--
      } while (this.#count > 0 && this.#arrivals[this.#head]! <= now && this.#ports[this.#head] === to)
      this.#from.link.deliver(this.#from, to, batch, count, now)
      batch.fill(NOTHING, 0, count)
    }
    this.#delivering = false
    this.deadline = this.#count === 0 ? NEVER : this.#arrivals[this.#head]!
    if (this.deadline !== NEVER) this.#clock.schedule(this)
  }

  #grow(): void {
    const places = this.#frames.length
    const frames = new Array<Frame | null>(places * 2).fill(null)
    const ports = new Array<Port | null>(places * 2).fill(null)
    const arrivals = new Float64Array(places * 2)
    for (let i = 0; i < places; i++) {
      const at = (this.#head + i) & (places - 1)
      frames[i] = this.#frames[at]!
      ports[i] = this.#ports[at]!
      arrivals[i] = this.#arrivals[at]!
    }
    this.#frames = frames
    this.#ports = ports
    this.#arrivals = arrivals
    this.#head = 0
  }

  #growWaiting(): void {
    const places = this.#starts.length
    const starts = new Float64Array(places * 2)
    const lengths = new Int32Array(places * 2)
    for (let i = 0; i < places; i++) {
      const at = (this.#waitingHead + i) & (places - 1)
      starts[i] = this.#starts[at]!
      lengths[i] = this.#lengths[at]!
    }
    this.#starts = starts
    this.#lengths = lengths
    this.#waitingHead = 0
  }
}

/** Keeps the kind of the batch's elements what it is: only `count` of them are ever read. */
const NOTHING = null as unknown as Frame
