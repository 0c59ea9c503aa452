import type { Action, EventTime, Micros } from './language/ast.js'

/** The time of an event, counted from the start of the script. */
export interface EventMoment {
  /** `any`: whenever it happens. */
  readonly kind: 'exact' | 'range' | 'any'
  readonly at: Micros
  /** The end of a range, else the same as `at`. */
  readonly to: Micros
  /** What relative times were added to. */
  readonly base: Micros
}

/** How far things may be from their time: this long, or this share of the time since the event before, if that is more. */
export interface Tolerance {
  readonly micros: Micros
  readonly percent: number
}

/** The moments of events, as packetdrill finds them. */
export class Timeline {
  readonly #tolerance: Tolerance
  /** Of the event before the one last placed; null: there was none. */
  #previousAt: Micros | null = null
  #last: { readonly moment: EventMoment; readonly injection: boolean } | null = null

  constructor(tolerance: Tolerance) {
    this.#tolerance = tolerance
  }

  /**
   * Places the next event. Relative times count from now, which is when the event before was over; but from packet to
   * packet that the script sends they count from the time in the script, so that no errors pile up.
   * @param now from the start of the script
   */
  place(time: EventTime, action: Action, now: Micros): EventMoment {
    const injection = action.kind === 'packet' && action.direction === 'inbound'
    const base = this.#last?.injection && injection ? this.#last.moment.at : now
    const moment = momentOf(time, base)
    this.#previousAt = this.#last?.moment.at ?? null
    this.#last = { moment, injection }
    return moment
  }

  /** How far from its time the event last placed may happen. */
  get tolerance(): Micros {
    return this.toleranceAfter(this.#last!.moment.at, this.#previousAt)
  }

  /** The tolerance of something at `at` after something at `since`; both from the start of the script. */
  toleranceAfter(at: Micros, since: Micros | null): Micros {
    const { micros, percent } = this.#tolerance
    return since === null ? micros : Math.max(micros, (percent / 100) * (at - since))
  }

  /** Why what happened `now` did not happen when it should; null: it did. */
  objection(moment: EventMoment, now: Micros, what: string): string | null {
    return lateOrEarly(moment, now, this.tolerance, what)
  }

  /** The same for the end of a blocking call that was to end at `end`. */
  endObjection(moment: EventMoment, end: Micros, now: Micros, what: string): string | null {
    const exact = { ...moment, at: end, to: end }
    return lateOrEarly(exact, now, this.toleranceAfter(end, moment.at), what)
  }
}

/** Nothing measured in microseconds is that far off: doubles of milliseconds are not exact. */
const ROUNDING: Micros = 0.5

function lateOrEarly(moment: EventMoment, now: Micros, tolerance: Micros, what: string): string | null {
  if (moment.kind === 'any') return null
  const slack = tolerance + ROUNDING
  if (now >= moment.at - slack && now <= moment.to + slack) return null
  const when =
    moment.kind === 'range' ? `between ${seconds(moment.at)} and ${seconds(moment.to)}` : `at ${seconds(moment.at)}`
  const off = now < moment.at ? moment.at - now : now - moment.to
  const direction = now < moment.at ? 'early' : 'late'
  return `expected ${what} ${when} s, happened at ${seconds(now)} s: ${seconds(off)} s too ${direction} (tolerance ${seconds(tolerance)} s)`
}

function momentOf(time: EventTime, base: Micros): EventMoment {
  switch (time.kind) {
    case 'absolute':
      return { kind: 'exact', at: time.at, to: time.at, base: 0 }
    case 'relative':
      return { kind: 'exact', at: base + time.after, to: base + time.after, base }
    case 'any':
      return { kind: 'any', at: base, to: Number.POSITIVE_INFINITY, base }
    case 'absolute-range':
      return { kind: 'range', at: time.from, to: time.to, base: 0 }
    case 'relative-range':
      return { kind: 'range', at: base + time.from, to: base + time.to, base }
  }
}

/** Microseconds as seconds: whole milliseconds with three digits, all others with six, so that they stand in columns. */
export function seconds(micros: Micros): string {
  const text = (micros / 1e6).toFixed(6)
  return text.replace(/000$/, '')
}
