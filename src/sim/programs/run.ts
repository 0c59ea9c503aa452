import { AsyncResource } from 'node:async_hooks'
import { setImmediate, setTimeout } from 'node:timers'
import { closeLeftOpen, contextOf, type Teller, Turns } from '../../socket/net/index.js'
import { type Instant, NEVER } from '../../tcp/index.js'
import { type Duration, milliseconds } from '../duration.js'
import type { Network } from '../network.js'
import { putInPlace } from './in-place.js'
import { RealWork } from './real-work.js'
import { at, type Place } from './scope.js'
import { AdoptedTimers } from './timers.js'
import { Errors } from './uncaught.js'
import { whoWaits } from './who-waits.js'

export interface RunOptions {
  /** Name of the host that the program itself lives on; 'client' when not given. */
  readonly on?: string
  /** Longest time the program may take, virtual; '24h' when not given. */
  readonly limit?: Duration
  /** What `Date` says when virtual time is 0; 2000-01-01T00:00:00Z when not given. */
  readonly date?: Date | number | string
}

/** 2000-01-01T00:00:00Z */
const DATE = 946_684_800_000
/** Events of a network that no program hears of, between two looks at the real machine. */
const MOST_UNHEARD = 4096
/** Turns of the real event loop that a program may fill with immediates before time passes all the same. */
const MOST_IMMEDIATES = 100
/** How long something may yet come from where it cannot be seen (another thread, another process), real ms. */
const PATIENCE = 1000
const LOOK_EVERY = 10

/** One program, or several, on the hosts of a network, while virtual time passes. */
export class Run {
  readonly network: Network
  readonly date: number
  readonly timers: AdoptedTimers
  readonly work: RealWork
  /** Nothing of it runs any more. */
  over = false
  /** Whatever calls for a turn, it is not a program's. */
  readonly #outside = new AsyncResource('Run', { requireManualDestroy: true })
  readonly #began: Instant
  readonly #limit: Instant
  readonly #places = new Map<string, Place>()
  /** A program was told something since the last turn of the real event loop. */
  #heard = false
  /** How it ended; null: it has not. */
  #end: { readonly error: unknown } | { readonly value: unknown } | null = null
  /** Turns in a row that immediates have filled. */
  #immediates = 0
  /** A turn is coming. */
  #isDue = false
  #settle!: () => void

  constructor(network: Network, { limit = '24h', date = DATE }: RunOptions) {
    this.network = network
    this.date = new Date(date).getTime()
    if (Number.isNaN(this.date)) throw new RangeError(`run: not a date: ${String(date)}`)
    this.#began = network.now
    this.#limit = network.now + milliseconds(limit)
    this.timers = new AdoptedTimers(network.clock, (happen) => this.happens(happen))
    this.work = new RealWork(
      () => this.#soon(),
      () => this.heard(),
    )
  }

  /** Runs a program on a host and lets time pass until it is done. */
  async live<T>(host: string, program: () => T | PromiseLike<T>): Promise<T> {
    const putBack = putInPlace(this)
    const errors = new Errors(this)
    try {
      const settled = new Promise<void>((resolve) => {
        this.#settle = resolve
      })
      const result = at(this.place(host), async () => program())
      result.then(
        (value) => this.#ends({ value }),
        (error) => this.fail(error),
      )
      this.#soon()
      await settled
    } finally {
      this.over = true
      for (const { net } of this.#places.values()) closeLeftOpen(net)
      putBack()
      this.timers.end()
      errors.end()
    }
    const end = this.#end!
    if ('error' in end) throw end.error
    return end.value as T
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    this.#ends({ error })
  }

  /** The place on a host, made when there is no host of that name. */
  place(name: string): Place {
    let place = this.#places.get(name)
    if (place === undefined) {
      const host = this.network.host(name)
      const net = contextOf(host, {
        timers: {
          setTimeout: (callback, ms) => this.timers.after(ms, callback),
          clearTimeout: (timer) => (timer as { cancel(): void }).cancel(),
        },
        turns: new HeardTurns(this),
      })
      place = { run: this, host, net }
      this.#places.set(name, place)
    }
    return place
  }

  /** Lets a program do something that the network or a timer calls for. */
  happens(happen: () => void): void {
    this.#heard = true
    try {
      happen()
    } catch (error) {
      this.fail(error)
    }
  }

  /** A program was told something, or has something to do. */
  heard(): void {
    this.#heard = true
  }

  #ends(end: { readonly error: unknown } | { readonly value: unknown }): void {
    if (this.#end !== null) return
    this.#end = end
    this.#soon()
  }

  /** The next turn, behind everything that the programs and the machine have to do by then. */
  #soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#outside.runInAsyncScope(setImmediate, null, this.#turn)
  }

  /** One turn of the real event loop: time passes until a program hears of something, and everybody runs. */
  readonly #turn = (): void => {
    this.#isDue = false
    if (this.over) return
    if (this.#end !== null) return this.#settle()
    if (this.work.underWay) return
    if (this.work.immediates && this.#immediates++ < MOST_IMMEDIATES) return this.#soon()
    this.#immediates = 0
    try {
      if (this.#pass()) this.#soon()
      else this.#beStuck()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Lets time pass until a program hears of something. False: nothing is left to happen. */
  #pass(): boolean {
    const { clock } = this.network
    this.#heard = false
    for (let i = 0; i < MOST_UNHEARD && !this.#heard; i++) {
      if (clock.step(this.#limit)) continue
      if (clock.next() === NEVER) return false
      const passed = `${(this.#limit - this.#began) / 1000} s`
      throw stuck('ERR_SIM_LIMIT', `the program did not end within ${passed} of virtual time`, this)
    }
    return true
  }

  /** Nothing is left to happen, unless something comes from where it cannot be seen. */
  #beStuck(): void {
    let looks = 0
    const look = () => {
      if (this.over) return
      if (this.#end !== null || this.work.underWay || this.work.immediates || this.network.clock.next() !== NEVER) {
        return this.#soon()
      }
      if (++looks * LOOK_EVERY < PATIENCE) setTimeout(look, LOOK_EVERY)
      else this.fail(stuck('ERR_SIM_DEADLOCK', 'the program waits and nothing is left to happen', this))
    }
    setTimeout(look, LOOK_EVERY)
  }
}

function stuck(code: string, what: string, { network }: Run): Error {
  const error = new Error(`${what} (virtual time ${network.now / 1000} s)\n${whoWaits(network)}`)
  return Object.assign(error, { code })
}

/** Turns that the run knows of. */
class HeardTurns extends Turns {
  readonly #run: Run

  constructor(run: Run) {
    super()
    this.#run = run
  }

  override add(teller: Teller): void {
    if (this.#run.over) return
    this.#run.heard()
    super.add(teller)
  }

  protected override failed(error: unknown): void {
    this.#run.fail(error)
  }
}
