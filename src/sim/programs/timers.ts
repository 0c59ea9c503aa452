import { AsyncResource } from 'node:async_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import type { ClockEvent, VirtualClock } from '../clock.js'
import { here } from './scope.js'

/** A timer as Node makes it: `setTimeout`, `setInterval`, those of its own modules. */
export interface NodeTimer {
  _onTimeout: ((...args: unknown[]) => void) | null
  /** ms */
  _idleTimeout: number
  readonly _timerArgs?: unknown[]
  /** ms; null: once */
  readonly _repeat: number | null
  refresh(): NodeTimer
}

/** Longest delay of a timer, ms: in real time it does not come. */
const FAR = 0x7fffffff

/** A timer of Node's that sleeps in real time and comes in virtual time. */
class AdoptedTimer {
  readonly delay: number
  readonly #timer: NodeTimer
  readonly #timers: AdoptedTimers
  readonly #scope = new AsyncResource('VirtualTimeout', { requireManualDestroy: true })
  #event: ClockEvent
  #callback: NodeTimer['_onTimeout']

  constructor(timer: NodeTimer, timers: AdoptedTimers) {
    this.#timer = timer
    this.#timers = timers
    this.#callback = timer._onTimeout
    this.delay = Math.trunc(timer._idleTimeout)
    timer._idleTimeout = FAR
    // whoever clears a timer, by whatever name, takes its callback away
    Object.defineProperty(timer, '_onTimeout', {
      configurable: true,
      enumerable: true,
      get: () => this.#callback,
      set: (callback: NodeTimer['_onTimeout']) => {
        this.#callback = callback
        if (callback === null) this.release()
      },
    })
    this.#event = this.#armed()
  }

  rearm(): void {
    this.#event.cancel()
    this.#event = this.#armed()
  }

  /** It is an ordinary timer again, which does not run and may be `refresh`ed. */
  release(): void {
    this.#event.cancel()
    this.#timers.forget(this.#timer)
    const callback = this.#callback
    Object.defineProperty(this.#timer, '_onTimeout', {
      configurable: true,
      enumerable: true,
      writable: true,
      value: callback,
    })
    if (callback !== null) clearTimeout(this.#timer as unknown as NodeJS.Timeout)
    this.#timer._onTimeout = callback
    this.#timer._idleTimeout = this.delay
  }

  #armed(): ClockEvent {
    return this.#timers.clock.after(this.delay, () => this.#timers.happens(() => this.#fire()))
  }

  #fire(): void {
    const event = this.#event
    const { _timerArgs: args = [], _repeat } = this.#timer
    try {
      this.#scope.runInAsyncScope(this.#callback!, this.#timer, ...args)
    } finally {
      if (this.#event === event && this.#timers.has(this.#timer)) {
        if (_repeat === null) this.release()
        else this.#event = this.#armed()
      }
    }
  }
}

/**
 * The timers that the programs of a run have made, whichever way they came by `setTimeout`: those of Node's own modules
 * are among them. They are Node's own objects.
 */
export class AdoptedTimers {
  readonly clock: VirtualClock
  readonly happens: (happen: () => void) => void
  readonly #adopted = new Map<NodeTimer, AdoptedTimer>()
  readonly #prototype = Object.getPrototypeOf(dummyTimer()) as { refresh(this: NodeTimer): NodeTimer }
  readonly #refresh = this.#prototype.refresh

  constructor(clock: VirtualClock, happens: (happen: () => void) => void) {
    this.clock = clock
    this.happens = happens
    const timers = this
    const nodes = this.#refresh
    this.#prototype.refresh = function refresh() {
      const known = timers.#adopted.get(this)
      if (known !== undefined) known.rearm()
      else if (here() === undefined || this._onTimeout === null || this._idleTimeout < 0) return nodes.call(this)
      else {
        // from before, or through: it comes in virtual time from now on
        clearTimeoutOnly(this)
        timers.adopt(this)
      }
      return this
    }
  }

  /** From now on a timer comes in virtual time. */
  adopt(timer: NodeTimer): void {
    this.#adopted.set(timer, new AdoptedTimer(timer, this))
  }

  has(timer: NodeTimer): boolean {
    return this.#adopted.has(timer)
  }

  forget(timer: NodeTimer): void {
    this.#adopted.delete(timer)
  }

  /** Calls back after a while, in the scope of who asks. */
  after(ms: number, callback: () => void): ClockEvent {
    const scope = new AsyncResource('VirtualTimeout', { requireManualDestroy: true })
    return this.clock.after(ms, () => this.happens(() => scope.runInAsyncScope(callback)))
  }

  /** What is left does not come any more. */
  end(): void {
    this.#prototype.refresh = this.#refresh
    for (const timer of [...this.#adopted.values()]) timer.release()
  }
}

function dummyTimer(): NodeJS.Timeout {
  const timer = setTimeout(() => {}, 1)
  clearTimeout(timer)
  return timer
}

/** Takes a timer out of real time and leaves it what it is to do. */
function clearTimeoutOnly(timer: NodeTimer): void {
  const { _onTimeout, _idleTimeout } = timer
  clearTimeout(timer as unknown as NodeJS.Timeout)
  timer._onTimeout = _onTimeout
  timer._idleTimeout = _idleTimeout
}
