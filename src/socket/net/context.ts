import type { Host } from '../../ip/index.js'
import type { Instant, Observed } from '../../tcp/index.js'
import type { Alive } from '../alive.js'
import type { SocketSpace } from '../socket.js'
import type { Turns } from './turns.js'

/** As `dns.lookup` calls back. */
export type LookupCallback = (
  error: Error | null,
  address: string | { address: string; family: number }[],
  family?: number,
) => void

export interface LookupOptions {
  /** 4, 6; 0: either. */
  family: number
  hints: number
  /** Every address, not the first. */
  all?: boolean
}

/** Finds the addresses of a name, as `dns.lookup`. */
export type Lookup = (name: string, options: LookupOptions, callback: LookupCallback) => void

/** Timers for idle time-outs and connection attempts; those of `node:timers` when not given. */
export interface TimerSource {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

/** Connection attempts to the addresses of a name (Happy Eyeballs, RFC 8305), where a program does not say. */
export interface FamilySelection {
  on: boolean
  /** How long the next attempt waits for the one before it, ms. */
  attemptTimeout: number
}

/** What the sockets and servers of one `net` share. */
export interface NetContext {
  readonly host: Host
  readonly space: SocketSpace
  readonly now: () => Instant
  readonly timers: TimerSource
  readonly lookup: Lookup
  readonly turns: Turns
  readonly alive: Alive
  readonly selection: FamilySelection
}

/** Runs user calls inside the host, so that what they send leaves in one batch. */
export function entered<T>({ host, now }: NetContext, act: (now: Instant) => T): T {
  const at = now()
  host.enter(at)
  try {
    return act(at)
  } finally {
    host.leave(at)
  }
}

/** Tells the host's observer of a call. `text` is only made when somebody looks. */
export function observed({ host }: NetContext, about: Observed | null, text: () => string, said: unknown): void {
  const { observer } = host
  if (observer === null) return
  observer.called(about, text(), String(said ?? 0), host.now)
  if (about !== null) observer.settled(about, host.now)
}
