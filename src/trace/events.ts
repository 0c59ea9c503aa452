import type { StateName, TimerName } from '../tcp/index.js'
import type { DropReason, IpAddress, SegmentSummary } from '../wire/index.js'

/** Whom an event is about, copied: a connection, a listener, a SYN-queue entry or a TIME-WAIT record. */
export interface Subject {
  /** Unique in its host; shared by all records of one connection's life. */
  readonly id: number
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
}

interface Happened {
  /** Virtual or host time, ms. */
  readonly at: number
  /** Name of the host it happened on. */
  readonly host: string
  /** null: about no connection of this host, such as a RST for a stranger. */
  readonly subject: Subject | null
}

/** A segment left. */
export interface SegmentSent extends Happened {
  readonly type: 'sent'
  readonly segment: SegmentSummary
  /** It had been sent before. */
  readonly retransmission: boolean
  /** The state of the subject then; null without a subject. */
  readonly state: StateName | null
  /** The whole IP packet, when the log keeps packets. */
  readonly packet: Uint8Array | null
}

/** A segment arrived and was about to be processed. */
export interface SegmentReceived extends Happened {
  readonly type: 'received'
  readonly segment: SegmentSummary
  readonly state: StateName | null
  readonly packet: Uint8Array | null
}

/** Something received was not processed. */
export interface Dropped extends Happened {
  readonly type: 'dropped'
  /** null: it was not even a segment. */
  readonly segment: SegmentSummary | null
  readonly reason: DropReason
}

export interface StateChanged extends Happened {
  readonly type: 'state'
  readonly subject: Subject
  readonly from: StateName
  readonly to: StateName
  /** The event of the transition table: 'rcv FIN', 'CLOSE', 'timeout: time-wait'. */
  readonly cause: string
}

export interface TimerArmed extends Happened {
  readonly type: 'timer-armed'
  readonly subject: Subject
  readonly timer: TimerName
  /** When it will fire, ms on the same clock as `at`. */
  readonly due: number
}

export interface TimerFired extends Happened {
  readonly type: 'timer-fired' | 'timer-cancelled'
  readonly subject: Subject
  readonly timer: TimerName
}

/** A program's call and what it returned. */
export interface Called extends Happened {
  readonly type: 'call'
  /** Like 'write(4, …, 1000)'. */
  readonly call: string
  /** Like '1000' or '-1 EPIPE'. */
  readonly result: string
}

/** Variables of a TCB that are not what they were. */
export interface VariablesChanged extends Happened {
  readonly type: 'variables'
  readonly subject: Subject
  /** New values by name, only of those that changed: 'snd.una', 'cwnd', … */
  readonly values: Readonly<Record<string, number>>
}

export type TraceEvent =
  | SegmentSent
  | SegmentReceived
  | Dropped
  | StateChanged
  | TimerArmed
  | TimerFired
  | Called
  | VariablesChanged
