import type { DropReason, IpAddress, Segment } from '../wire/index.js'
import type { State } from './states/state-name.js'
import type { Instant } from './time.js'
import type { TimerName } from './timers.js'

/** Whoever an event is about: a connection, a listener, an entry of the SYN queue, a TIME-WAIT record. */
export interface Observed {
  /** Unique in its host, small, never reused; all records of one connection's life (SYN-queue entry, TCB, TIME-WAIT record) share it. */
  readonly id: number
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
  readonly state: State
}

/**
 * What a host tells whoever watches it. A host without an observer (`null`) pays one comparison per event. The segment
 * objects are reused: copy what is needed before returning. Observers must not call back into the machine.
 */
export interface Observer {
  /** A segment leaves; `endpoint` null: sent for no connection (RST in CLOSED). `retransmission`: sent before. */
  segmentSent(endpoint: Observed | null, segment: Segment, retransmission: boolean, now: Instant): void
  /** A segment arrived and is about to be processed. */
  segmentReceived(endpoint: Observed | null, segment: Segment, now: Instant): void
  /** Something received is not processed; `segment` null when it was not even a segment. */
  dropped(endpoint: Observed | null, segment: Segment | null, reason: DropReason, now: Instant): void
  /** `cause`: the event of the transition table, e.g. 'rcv FIN', 'CLOSE', 'timeout: time-wait'. */
  stateChanged(endpoint: Observed, from: State, to: State, cause: string, now: Instant): void
  timerArmed(endpoint: Observed, timer: TimerName, at: Instant, now: Instant): void
  timerFired(endpoint: Observed, timer: TimerName, now: Instant): void
  /** A user call and its result, from the socket room: `call` like 'write(4, …, 1000)', `result` like '1000' or '-1 EPIPE'. */
  called(endpoint: Observed | null, call: string, result: string, now: Instant): void
  /** After each entry into the machine that touched this connection: read its variables from it if they are of interest. */
  settled(endpoint: Observed, now: Instant): void
}
