export { checkOptionNames } from '../socket/index.js'

/** @throws RangeError when it is not from 0 to 1 */
export function probability(what: string, value: number | undefined): number {
  if (value === undefined) return 0
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw new RangeError(`${what}: ${value} is not a probability (expected a number from 0 to 1)`)
}

/** @throws RangeError when it is not a whole number of at least `least` */
export function wholeNumber(what: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new RangeError(`${what}: ${value} (expected a whole number, at least ${least})`)
}

/** A rate: bits per second as a number, or text: '56kbit', '10Mbit', '2.5Gbit'. */
export type Rate = number | string

const RATE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }

/**
 * A rate in bits per second; `Infinity` is no limit.
 * @throws RangeError when it is none
 */
export function bitsPerSecond(rate: Rate): number {
  if (typeof rate === 'number') {
    if (rate > 0) return rate
  } else {
    const match = /^(\d+(?:\.\d+)?)\s*([kMG]?)bit(?:\/s)?$/.exec(rate)
    if (match !== null && Number(match[1]) > 0) return Number(match[1]) * RATE_UNITS[match[2]!]!
  }
  throw new RangeError(`not a rate: '${rate}' (expected bits per second, or '56kbit', '10Mbit', '1Gbit')`)
}
