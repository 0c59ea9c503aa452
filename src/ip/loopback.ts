import { type Instant, NEVER, type Timed } from '../tcp/index.js'
import type { Frame } from '../wire/index.js'
import type { FrameReceiver, Link } from './network-interface.js'

/** MTU of Linux's lo as far as IPv4 goes, whose total length has 16 bits (IP_MAX_MTU), octets. */
const LOOPBACK_MTU = 65_535

/** The way of a host to itself. What is sent arrives at the same time, after the current entry into the host. */
export class Loopback implements Link, Timed {
  readonly mtu = LOOPBACK_MTU
  readonly maxSuperSegment = LOOPBACK_MTU - 120
  readonly checksumOffload = true
  receiver: FrameReceiver | null = null
  deadline: Instant = NEVER
  wheelSlot = -1
  readonly #schedule: (timed: Timed) => void
  #waiting: Frame[] = []
  #arriving: Frame[] = []

  constructor(schedule: (timed: Timed) => void) {
    this.#schedule = schedule
  }

  transmit(frames: readonly Frame[], count: number, now: Instant): void {
    for (let i = 0; i < count; i++) this.#waiting.push(frames[i]!)
    if (this.deadline !== NEVER) return
    this.deadline = now
    this.#schedule(this)
  }

  deadlineReached(now: Instant): void {
    this.deadline = NEVER
    const arrived = this.#waiting
    this.#waiting = this.#arriving
    this.#arriving = arrived
    this.receiver?.receive(arrived, arrived.length, now)
    arrived.length = 0
  }

  /** Loses everything on the way. */
  clear(): void {
    this.#waiting.length = 0
    this.deadline = NEVER
  }
}
