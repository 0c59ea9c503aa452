import { type Instant, NEVER, type Timed } from '../tcp/index.js'
import type { Frame } from '../wire/index.js'
import type { VirtualClock } from './clock.js'
import type { Port } from './link.js'

/** Everything one port has sent that keeps its order: frames that wait for its rate, and frames on their way. */
export class InFlight implements Timed {
  deadline: Instant = NEVER
  wheelSlot = -1
  readonly #clock: VirtualClock
  readonly #from: Port
  /** Three columns of a queue; entries before `#head` are through. */
  readonly #frames: (Frame | null)[] = []
  readonly #ports: Port[] = []
  readonly #arrivals: Instant[] = []
  #head = 0
  #lastArrival: Instant = 0
  /** When the sending of each frame that waits begins, and its octets; entries before `#waitingHead` are through. */
  readonly #starts: Instant[] = []
  readonly #lengths: number[] = []
  #waitingHead = 0
  #waitingOctets = 0
  readonly #batch: Frame[] = []
  #delivering = false

  constructor(clock: VirtualClock, from: Port) {
    this.#clock = clock
    this.#from = from
  }

  /** Whether one more frame may wait, where at most `packets` and `octets` may. */
  hasRoom(packets: number, octets: number, length: number, now: Instant): boolean {
    while (this.#waitingHead < this.#starts.length && this.#starts[this.#waitingHead]! <= now) {
      this.#waitingOctets -= this.#lengths[this.#waitingHead]!
      this.#waitingHead++
    }
    if (this.#waitingHead > 256 && this.#waitingHead * 2 > this.#starts.length) {
      this.#starts.splice(0, this.#waitingHead)
      this.#lengths.splice(0, this.#waitingHead)
      this.#waitingHead = 0
    }
    return this.#starts.length - this.#waitingHead < packets && this.#waitingOctets + length <= octets
  }

  /** A frame waits until `start`. */
  waits(start: Instant, length: number): void {
    this.#starts.push(start)
    this.#lengths.push(length)
    this.#waitingOctets += length
  }

  /** A frame is on its way; it does not overtake those before it. */
  travels(frame: Frame, to: Port, arrival: Instant): void {
    if (arrival > this.#lastArrival) this.#lastArrival = arrival
    this.#frames.push(frame)
    this.#ports.push(to)
    this.#arrivals.push(this.#lastArrival)
    if (this.deadline !== NEVER || this.#delivering) return
    this.deadline = this.#lastArrival
    this.#clock.schedule(this)
  }

  /** Delivers what has arrived, in batches to the same port. */
  deadlineReached(now: Instant): void {
    this.#delivering = true
    while (this.#head < this.#frames.length && this.#arrivals[this.#head]! <= now) {
      const to = this.#ports[this.#head]!
      const batch = this.#batch
      while (this.#head < this.#frames.length && this.#arrivals[this.#head]! <= now && this.#ports[this.#head] === to) {
        batch.push(this.#frames[this.#head]!)
        this.#frames[this.#head] = null
        this.#head++
      }
      this.#from.link.deliver(this.#from, to, batch, batch.length, now)
      batch.length = 0
    }
    this.#delivering = false
    if (this.#head === this.#frames.length || (this.#head > 256 && this.#head * 2 > this.#frames.length))
      this.#compact()
    this.deadline = this.#frames.length === this.#head ? NEVER : this.#arrivals[this.#head]!
    if (this.deadline !== NEVER) this.#clock.schedule(this)
  }

  /** Forgets the entries that are through. */
  #compact(): void {
    this.#frames.splice(0, this.#head)
    this.#ports.splice(0, this.#head)
    this.#arrivals.splice(0, this.#head)
    this.#head = 0
  }
}
