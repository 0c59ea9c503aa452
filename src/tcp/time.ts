/** A moment of the host's clock, ms with fraction. The machine never reads a clock: every entry is given `now`. */
export type Instant = number
/** A length of time, ms. */
export type Millis = number
/** A moment that never comes: a timer that is not armed. */
export const NEVER: Instant = Number.POSITIVE_INFINITY
