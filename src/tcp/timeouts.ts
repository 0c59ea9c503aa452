import type { Connection } from './connection.js'
import type { Timer } from './timers.js'
import type { Instant } from './time.js'

/** Sets a timer of a connection; an earlier setting of it is forgotten. */
export declare function arm(c: Connection, timer: Timer, at: Instant, now: Instant): void
export declare function disarm(c: Connection, timer: Timer, now: Instant): void
/** All timers off: CLOSED. */
export declare function disarmAll(c: Connection, now: Instant): void
/** Whether a timer is set. */
export declare function armed(c: Connection, timer: Timer): boolean
/** Fires every timer that is due (RFC 9293 3.10.8). */
export declare function deadlineReached(c: Connection, now: Instant): void
