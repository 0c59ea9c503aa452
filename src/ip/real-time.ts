import { type Instant, type Millis, NEVER } from '../tcp/index.js'
import type { Clock } from './clock.js'
import { Deliveries, type Delivery } from './deliveries.js'
import type { Host } from './host.js'

/** What real time is made of; the platform's own functions when not given. */
export interface RealTimeSources {
  /** A clock that never goes back, ms: `performance.now`. */
  readonly now: () => Instant
  readonly setTimeout: (callback: () => void, delay: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  /** Calls back soon, after a turn of the platform's event loop: `setImmediate`. */
  readonly soon: (callback: () => void) => void
  /** Calls back behind what the program does now, without such a turn; `soon` when not given. */
  readonly next?: (callback: () => void) => void
}

/** What the platforms this runs on have, and nothing declares in common. */
interface Platform {
  readonly performance: { now(): number }
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
  queueMicrotask(callback: () => void): void
  readonly setImmediate?: (callback: () => void) => unknown
  readonly process?: { readonly nextTick?: (callback: () => void) => void }
  readonly MessageChannel: new () => { port1: Port; port2: Port }
}

interface Port {
  onmessage: (() => void) | null
  postMessage(message: unknown): void
  close(): void
}

/** The sources of the platform this runs on. */
export function platformTime(): RealTimeSources {
  const platform = globalThis as unknown as Platform
  const { setImmediate } = platform
  const nextTick = platform.process?.nextTick
  const settled = Promise.resolve()
  return {
    now: () => platform.performance.now(),
    setTimeout: (callback, delay) => platform.setTimeout(callback, delay),
    clearTimeout: (timer) => platform.clearTimeout(timer),
    soon: setImmediate === undefined ? byMessage(platform) : (callback) => void setImmediate(callback),
    // behind the ticks and promises there are
    next:
      nextTick === undefined
        ? (callback) => platform.queueMicrotask(callback)
        : (callback) => void settled.then(() => nextTick(callback)),
  }
}

/** A turn of a browser's event loop, which its timers would wait 4 ms for. The channel is closed again: it would keep others running. */
function byMessage({ MessageChannel }: Platform): RealTimeSources['soon'] {
  return (callback) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      callback()
    }
    port2.postMessage(null)
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

/** Hosts that live in real time: one timer of the platform for all of them, set to the earliest deadline. */
export class RealTime implements Clock {
  readonly #sources: RealTimeSources
  readonly #deliveries: Deliveries
  readonly #hosts = new Set<Host>()
  readonly #tick = () => this.#look()
  /**
   * A platform that was busy, or was not given the processor, fires its timers before it reads what arrived meanwhile. What
   * is due waits for that: an ACK that is here already is not to find its segment sent again. (It may also fire before the
   * time: then the same timer is set once more.)
   */
  readonly #timerFired = () => {
    this.#timer = null
    this.#timerAt = NEVER
    this.#due = true
    this.deadlineChanged()
  }
  #timer: unknown = null
  #timerAt: Instant = NEVER
  #soon = false
  /** Something was due a turn of the event loop ago: all that had arrived by then has been received. */
  #due = false

  constructor(sources: RealTimeSources = platformTime()) {
    this.#sources = sources
    this.#deliveries = new Deliveries(sources)
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
  soon(deliver: Delivery): void {
    this.#deliveries.soon(deliver)
  }

  /** Some deadline is before the timer. Most are given up before their time comes, so which one it is need not be known. */
  #look(): void {
    this.#soon = false
    let earliest = NEVER
    for (const host of this.#hosts) earliest = Math.min(earliest, host.earliestDeadline())
    const hasWaited = this.#due
    this.#due = false
    if (earliest > this.now) {
      if (earliest < this.#timerAt) this.#arm(earliest)
    } else if (hasWaited) {
      this.#advance()
    } else {
      this.#due = true
      this.deadlineChanged()
    }
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
