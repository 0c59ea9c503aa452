/** A length of time: a number of ms, or text with a unit: '250us', '20ms', '1.5s', '10m', '2h', '1d'. */
export type Duration = number | string

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * A duration in ms.
 * @throws RangeError when it is none, or negative
 */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number') {
    if (duration >= 0) return duration
    throw new RangeError(`not a duration: ${duration} (expected a number of ms, not negative)`)
  }
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(ns|us|ms|s|m|h|d)$/.exec(duration)
  if (match === null) {
    throw new RangeError(
      `not a duration: '${duration}' (expected a number of ms, or '250us', '20ms', '1.5s', '10m', '2h')`,
    )
  }
  return Number(match[1]) * UNITS[match[2]!]!
}
