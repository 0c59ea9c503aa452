import { type Instant, NEVER } from './time.js'

/** The named timers of a connection (RFC 9293 3.10.8, RFC 6298, 8985, 9293 3.8.4, 3.8.6.1 …). Each is a slot in `Timers`. */
export const Timer = {
  /** Retransmission of the oldest unacknowledged octet (RFC 6298 5); also of SYN and SYN-ACK. */
  Retransmit: 0,
  /** Tail loss probe (RFC 8985 7). */
  TailLossProbe: 1,
  /** RACK reordering window (RFC 8985 6.3). */
  Reorder: 2,
  /** Zero-window probe (RFC 9293 3.8.6.1). */
  Persist: 3,
  /** Delayed acknowledgment (RFC 9293 3.8.6.3). */
  DelayedAck: 4,
  /** Keepalive (RFC 9293 3.8.4). */
  Keepalive: 5,
  /** FIN-WAIT-2 that no program holds (Linux tcp_fin_timeout). */
  FinWait2: 6,
  /** TIME-WAIT, 2 MSL (RFC 9293 3.6.1). */
  TimeWait: 7,
  /** USER TIMEOUT (RFC 9293 3.10.8) and connect time-outs. */
  User: 8,
  /** Nagle/cork/pacing: held-back data is sent after all. */
  Hold: 9,
} as const

export type Timer = (typeof Timer)[keyof typeof Timer]

export const TIMER_NAMES = [
  'retransmit',
  'tail-loss-probe',
  'reorder',
  'persist',
  'delayed-ack',
  'keepalive',
  'fin-wait-2',
  'time-wait',
  'user',
  'hold',
] as const

export type TimerName = (typeof TIMER_NAMES)[number]

/** The deadlines of one connection by timer; a plain array of doubles, which V8 stores unboxed. */
export type Timers = Instant[]

/** None is set. What connections share that have set none since their handshake was complete; nobody changes it. */
export const NO_TIMERS: Timers = [NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER]

/** Anything that wants to be woken at a time. The host keeps all of them by their `deadline`. */
export interface Timed {
  /** The earliest of its timers; NEVER: nothing. `Environment.schedule` is called when it may be earlier than it was. */
  deadline: Instant
  /** The host's own bookkeeping: where it stands among the deadlines, -1: nowhere. The machine never touches it. */
  wheelSlot: number
  /** Called when `deadline` has come; fires every timer that is due and sets the next deadline. */
  deadlineReached(now: Instant): void
}
