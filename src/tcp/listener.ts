import { ANY_IPV4, type IpAddress, type Segment } from '../wire/index.js'
import type { Connection, ConnectionUser } from './connection.js'
import type { Endpoint, Environment, IcmpError } from './environment.js'
import { type ProgramOptions, defaultOptions } from './program-options.js'
import { State } from './state-name.js'
import { type Instant, NEVER } from './time.js'
import type { Timed } from './timers.js'

/** OPEN, passive. */
export interface PassiveOpen {
  /** ANY_IPV4 or ANY_IPV6 (the latter also takes IPv4 unless `ipv6Only`), or one address. */
  readonly local: IpAddress
  readonly localPort: number
  readonly ipv6Only?: boolean
  readonly backlog: number
  readonly user: ConnectionUser | null
  readonly options?: Partial<ProgramOptions>
}

/**
 * A port that listens (RFC 9293 3.10.1 passive OPEN, 3.10.7.2). `env.register` puts it into the host's table of
 * listeners (it is in LISTEN and its remote port is 0); segments that no connection takes come to it.
 * `user.notify(listener, Ready.Acceptable)` when `accept` has something.
 */
export class Listener implements Endpoint {
  readonly env: Environment
  readonly id: number
  readonly local: IpAddress
  readonly localPort: number
  readonly ipv6Only: boolean
  readonly remote = ANY_IPV4
  readonly remotePort = 0
  state: State = State.Closed
  /** What accepted connections inherit; may be changed while listening. */
  readonly options: ProgramOptions
  user: ConnectionUser | null
  deadline: Instant = NEVER
  wheelPrevious: Timed | null = null
  wheelNext: Timed | null = null
  wheelSlot = -1
  tableNext: Endpoint | null = null

  constructor(env: Environment, open: PassiveOpen, _now: Instant) {
    this.env = env
    this.id = env.nextId()
    this.local = open.local
    this.localPort = open.localPort
    this.ipv6Only = open.ipv6Only ?? false
    this.options = { ...defaultOptions(env.settings), ...open.options }
    this.user = open.user
  }

  /** listen(2) again: another backlog. */
  setBacklog(_backlog: number): void {}
  /** Connections that accept would give now. */
  get acceptable(): number {
    return 0
  }
  /** The oldest connection of the accept queue, now held by `user`; null: none yet. */
  accept(_user: ConnectionUser | null, _now: Instant): Connection | null {
    return null
  }
  /** CLOSE (RFC 9293 3.10.4): LISTEN -> CLOSED; what is queued is reset. */
  close(_now: Instant): void {}
  segmentArrives(_segment: Segment, _now: Instant): void {}
  errorArrives(_error: IcmpError, _now: Instant): void {}
  deadlineReached(_now: Instant): void {}
}
