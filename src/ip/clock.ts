import type { Instant, Millis } from '../tcp/index.js'
import type { Driver, Host } from './host.js'

/** What a host lives by, real time or virtual: it says what time it is, and wakes the host when a deadline has come. */
export interface Clock extends Driver {
  /** ms; never goes back. */
  readonly now: Instant
  /** From now on the host lives by this clock. */
  drive(host: Host): void
  /** The host's time stands still from now on. */
  release(host: Host): void
  /** Calls `happen` after a while, ms. */
  after(delay: Millis, happen: () => void): { cancel(): void }
}
