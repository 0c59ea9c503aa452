import { type Instant, type Millis, NEVER } from '../tcp/index.js'
import type { Clock } from './clock.js'
import type { Host } from './host.js'

/** What real time is made of; the platform's own functions when not given. */
export interface RealTimeSources {
  /** A clock that never goes back, ms: `performance.now`. */
  readonly now: () => Instant
  readonly setTimeout: (callback: () => void, delay: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  /** Calls back soon, behind what runs now: `setImmediate`, `queueMicrotask`. */
  readonly soon: (callback: () => void) => void
  /**
   * Calls back behind what the program does now, without a turn of the platform's event loop. When not given, what links
   * deliver takes such a turn every time.
   */
  readonly next?: (callback: () => void) => void
}

/** What every platform this runs on has, and nothing declares in common. */
interface Platform {
  readonly performance: { now(): number }
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
  queueMicrotask(callback: () => void): void
  readonly setImmediate?: (callback: () => void) => unknown
}

/** The sources of the platform this runs on. */
export function platformTime(): RealTimeSources {
  const platform = globalThis as unknown as Platform
  const { setImmediate } = platform
  return {
    now: () => platform.performance.now(),
    setTimeout: (callback, delay) => platform.setTimeout(callback, delay),
    clearTimeout: (timer) => platform.clearTimeout(timer),
    soon:
      setImmediate === undefined
        ? (callback) => platform.queueMicrotask(callback)
        : (callback) => void setImmediate(callback),
  }
}

/**
 * As `platformTime`, but where timers keep a process running (Node, Bun, Deno) these do not: the TIME-WAIT and keepalive
 * of connections that no program waits for any more are no reason to stay.
 */
export function backgroundTime(): RealTimeSources {
  const sources = platformTime()
  return {
    ...sources,
    setTimeout: (callback, delay) => {
      const timer = sources.setTimeout(callback, delay)
      if (isObject(timer)) timer.unref?.()
      return timer
    },
  }
}

const isObject = (timer: unknown): timer is { unref?(): void } => typeof timer === 'object' && timer !== null

/** Longest delay setTimeout takes, ms. */
const LONGEST_DELAY = 0x7fffffff

/** How long links may go on delivering before the platform's event loop has a turn, ms. */
const LONGEST_TURN = 1

/** Hosts that live in real time: one timer of the platform for all of them, set to the earliest deadline. */
export class RealTime implements Clock {
  readonly #sources: RealTimeSources
  readonly #hosts = new Set<Host>()
  readonly #tick = () => this.#look()
  /** Timers of platforms may fire before their time: then the same one is set once more. */
  readonly #timerFired = () => {
    this.#timer = null
    this.#timerAt = NEVER
    this.#advance()
  }
  #timer: unknown = null
  #timerAt: Instant = NEVER
  #soon = false
  /** What is to be delivered behind what runs now. */
  #due: ((now: Instant) => void)[] = []
  #spare: ((now: Instant) => void)[] = []
  #delivering = false
  /** When the first delivery of this turn of the event loop was asked for, ms; NEVER: there was none. */
  #turnBegan: Instant = NEVER
  readonly #turnOver = () => {
    this.#turnBegan = NEVER
  }
  readonly #deliver = () => {
    this.#delivering = false
    const due = this.#due
    this.#due = this.#spare
    this.#spare = due
    const { now } = this
    let done = 0
    try {
      while (done < due.length) due[done++]!(now)
    } finally {
      for (; done < due.length; done++) this.soon(due[done]!)
      due.length = 0
    }
  }

  constructor(sources: RealTimeSources = platformTime()) {
    this.#sources = sources
  }

  /** ms. To be given to every entry into a host that lives by this clock. */
  get now(): Instant {
    return this.#sources.now()
  }

  drive(host: Host): void {
    this.#hosts.add(host)
    host.driver = this
    this.deadlineChanged()
  }

  /** The host's time stands still from now on. */
  release(host: Host): void {
    this.#hosts.delete(host)
    if (host.driver === this) host.driver = null
    if (this.#hosts.size === 0) this.#arm(NEVER)
  }

  /** When the timer fires, ms: deadlines after it are looked at then. */
  get looksAt(): Instant {
    return this.#timerAt
  }

  after(delay: Millis, happen: () => void): { cancel(): void } {
    const timer = this.#sources.setTimeout(happen, delay)
    return { cancel: () => this.#sources.clearTimeout(timer) }
  }

  /** Deadlines are looked at when the program is through with what it does: many changes, one timer. */
  deadlineChanged(): void {
    if (this.#soon) return
    this.#soon = true
    this.#sources.soon(this.#tick)
  }

  /** Calls `deliver` behind what runs now, with the time; for memory pipes. */
  soon(deliver: (now: Instant) => void): void {
    this.#due.push(deliver)
    if (this.#delivering) return
    this.#delivering = true
    const { next, soon } = this.#sources
    if (next === undefined) return soon(this.#deliver)
    const { now } = this
    if (this.#turnBegan === NEVER) {
      this.#turnBegan = now
      soon(this.#turnOver)
    }
    // two hosts that answer each other keep nobody else waiting
    if (now - this.#turnBegan < LONGEST_TURN) next(this.#deliver)
    else soon(this.#deliver)
  }

  /** Some deadline is before the timer. Most are given up before their time comes, so which one it is need not be known. */
  #look(): void {
    this.#soon = false
    let earliest = NEVER
    for (const host of this.#hosts) earliest = Math.min(earliest, host.earliestDeadline())
    if (earliest <= this.now) this.#advance()
    else if (earliest < this.#timerAt) this.#arm(earliest)
  }

  #advance(): void {
    const now = this.now
    let next = NEVER
    for (const host of this.#hosts) {
      if (host.nextDeadline() <= now) host.advance(now)
      const deadline = host.nextDeadline()
      if (deadline < next) next = deadline
    }
    if (next <= now) this.deadlineChanged()
    else this.#arm(next)
  }

  #arm(at: Instant): void {
    if (at === this.#timerAt) return
    if (this.#timer !== null) this.#sources.clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = null
    if (at === NEVER) return
    const delay = Math.min(Math.max(0, Math.ceil(at - this.now)), LONGEST_DELAY)
    this.#timer = this.#sources.setTimeout(this.#timerFired, delay)
  }
}
