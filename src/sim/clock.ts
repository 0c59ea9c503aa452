import { type Clock, Deadlines, type Host } from '../ip/index.js'
import { type Instant, NEVER, type Timed } from '../tcp/index.js'
import { type Duration, milliseconds } from './duration.js'

/** Something that will happen at a time; `cancel` prevents it. */
export class ClockEvent implements Timed {
  deadline: Instant
  wheelSlot = -1
  readonly #clock: VirtualClock
  readonly #happen: () => void

  constructor(clock: VirtualClock, at: Instant, happen: () => void) {
    this.#clock = clock
    this.deadline = at
    this.#happen = happen
  }

  cancel(): void {
    this.deadline = NEVER
    this.#clock.schedule(this)
  }

  deadlineReached(): void {
    this.deadline = NEVER
    this.#happen()
  }
}

/** A host in the queue of a clock: woken at the earliest of its own deadlines. */
class HostTime implements Timed {
  wheelSlot = -1
  driven = true
  changed = false
  readonly host: Host

  constructor(host: Host) {
    this.host = host
  }

  /** Asked for when it matters: hosts do not tell of deadlines that are given up. */
  get deadline(): Instant {
    return this.driven ? this.host.nextDeadline() : NEVER
  }

  deadlineReached(now: Instant): void {
    this.host.advance(now)
  }
}

/**
 * Virtual time, ms from 0. It stands still while anything happens and jumps to whatever comes next: a thousand seconds
 * in which nothing is to be done take no time at all. Of events at the same time, the one asked for first comes first.
 */
export class VirtualClock implements Clock {
  #now: Instant = 0
  readonly #queue = new Deadlines()
  readonly #hosts = new Map<Host, HostTime>()
  readonly #changed: HostTime[] = []

  /** Virtual time, ms. */
  get now(): Instant {
    return this.#now
  }

  /** Calls `happen` at a time; at once, in its turn, when that time has passed. */
  at(time: Instant, happen: () => void): ClockEvent {
    const event = new ClockEvent(this, Math.max(time, this.#now), happen)
    this.#queue.schedule(event)
    return event
  }

  /** Calls `happen` after a while: `200`, `'1.5s'`. */
  after(duration: Duration, happen: () => void): ClockEvent {
    return this.at(this.#now + milliseconds(duration), happen)
  }

  /** `timed.deadline` changed. For what keeps its own deadline: a link, an event. */
  schedule(timed: Timed): void {
    this.#queue.schedule(timed)
  }

  /** From now on the host lives by this clock. */
  drive(host: Host): void {
    const time = new HostTime(host)
    this.#hosts.set(host, time)
    host.driver = this
    this.deadlineChanged(host)
  }

  release(host: Host): void {
    const time = this.#hosts.get(host)
    if (time === undefined) return
    this.#hosts.delete(host)
    if (host.driver === this) host.driver = null
    time.driven = false
    this.#queue.schedule(time)
  }

  deadlineChanged(host: Host): void {
    const time = this.#hosts.get(host)
    if (time === undefined || time.changed) return
    time.changed = true
    this.#changed.push(time)
  }

  /** When something happens next; NEVER: everything is idle. */
  next(): Instant {
    for (let time = this.#changed.pop(); time !== undefined; time = this.#changed.pop()) {
      time.changed = false
      if (!this.#hosts.has(time.host)) continue
      this.#queue.schedule(time)
    }
    return this.#queue.next()
  }

  /** Goes to what happens next and lets it happen. False: there is nothing, or not before `limit`. */
  step(limit: Instant = NEVER): boolean {
    const next = this.next()
    if (next === NEVER || next > limit) return false
    if (next > this.#now) this.#now = next
    this.#queue.now = this.#now
    const due = this.#queue.take(this.#now)!
    due.deadlineReached(this.#now)
    if (due instanceof HostTime) this.deadlineChanged(due.host)
    return true
  }

  /** Lets a while pass, and everything in it happen, what is due at its end too. */
  advance(duration: Duration): void {
    this.advanceTo(this.#now + milliseconds(duration))
  }

  advanceTo(time: Instant): void {
    while (this.step(time)) {
      // everything until then
    }
    if (time > this.#now) this.#now = time
  }

  /** Lets time pass until nothing is left to happen, or `limit` has passed. */
  run(limit: Duration = NEVER): void {
    const end = this.#now + milliseconds(limit)
    while (this.step(end)) {
      // until idle
    }
  }

  /** Lets time pass until `done()` holds; false: it did not within `limit`, or everything is idle before. */
  runUntil(done: () => boolean, limit: Duration = '1h'): boolean {
    const end = this.#now + milliseconds(limit)
    while (!done()) {
      if (!this.step(end)) return done()
    }
    return true
  }
}
