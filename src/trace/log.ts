import { NEVER, type Observed, type Observer, State, stateName } from '../tcp/index.js'
import { summarizeReceived, summarizeSent } from '../wire/index.js'
import type { Subject, TraceEvent } from './events.js'
import { packetReceived, packetSent } from './packets.js'
import type { Variables } from './variables.js'

export interface TraceOptions {
  /** Keep every segment as a whole IP packet, for pcapng. */
  readonly packets?: boolean
  /** Record timers armed and cancelled; those that fire always are. */
  readonly timers?: boolean
  /** Record what changed after each entry into the machine, as this function reads it: `connectionVariables`. */
  readonly variables?: (endpoint: Observed) => Variables | null
  /** Events kept; older ones are forgotten. Unlimited when absent. */
  readonly limit?: number
}

/**
 * What happened on any number of hosts, in order. A host is watched by giving it `log.observe(name)` as its observer; a
 * host without one pays a comparison per event and nothing else.
 */
export class TraceLog {
  readonly #options: TraceOptions
  readonly #listeners = new Set<(event: TraceEvent) => void>()
  #events: TraceEvent[] = []

  constructor(options: TraceOptions = {}) {
    this.#options = options
  }

  get events(): readonly TraceEvent[] {
    return this.#events
  }

  /** Forgets everything so far. */
  clear(): void {
    this.#events = []
  }

  /** Calls `listener` with each event as it happens; returns how to stop that. */
  subscribe(listener: (event: TraceEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** An observer for one host, whose events carry its name. */
  observe(host: string): Observer {
    return new HostObserver(host, this.#options, (event) => this.#record(event))
  }

  #record(event: TraceEvent): void {
    this.#events.push(event)
    const limit = this.#options.limit ?? Number.POSITIVE_INFINITY
    // cut a quarter at once: cutting one at each event would move the whole array each time
    if (this.#events.length > limit * 1.25) this.#events = this.#events.slice(-limit)
    for (const listener of this.#listeners) listener(event)
  }
}

class HostObserver implements Observer {
  readonly #host: string
  readonly #options: TraceOptions
  readonly #record: (event: TraceEvent) => void
  /** Subjects by id, so that a connection's events share one object. */
  readonly #subjects = new Map<number, Subject>()
  readonly #variables = new Map<number, Variables>()
  /** Timers armed, as id:timer. */
  readonly #armed = new Set<string>()

  constructor(host: string, options: TraceOptions, record: (event: TraceEvent) => void) {
    this.#host = host
    this.#options = options
    this.#record = record
  }

  segmentSent: Observer['segmentSent'] = (endpoint, segment, retransmission, at) => {
    this.#record({
      type: 'sent',
      at,
      host: this.#host,
      subject: this.#subjectOf(endpoint),
      state: endpoint === null ? null : stateName(endpoint.state),
      segment: summarizeSent(segment),
      retransmission,
      packet: this.#options.packets === true ? packetSent(segment) : null,
    })
  }

  segmentReceived: Observer['segmentReceived'] = (endpoint, segment, at) => {
    this.#record({
      type: 'received',
      at,
      host: this.#host,
      subject: this.#subjectOf(endpoint),
      state: endpoint === null ? null : stateName(endpoint.state),
      segment: summarizeReceived(segment),
      packet: this.#options.packets === true ? packetReceived(segment) : null,
    })
  }

  dropped: Observer['dropped'] = (endpoint, segment, reason, at) => {
    this.#record({
      type: 'dropped',
      at,
      host: this.#host,
      subject: this.#subjectOf(endpoint),
      segment: segment === null ? null : summarizeReceived(segment),
      reason,
    })
  }

  stateChanged: Observer['stateChanged'] = (endpoint, from, to, cause, at) => {
    const subject = this.#subject(endpoint)
    this.#record({ type: 'state', at, host: this.#host, subject, from: stateName(from), to: stateName(to), cause })
    if (to === State.Closed) {
      this.#subjects.delete(endpoint.id)
      this.#variables.delete(endpoint.id)
    }
  }

  timerArmed: Observer['timerArmed'] = (endpoint, timer, due, at) => {
    if (this.#options.timers !== true) return
    const key = `${endpoint.id}:${timer}`
    const subject = this.#subject(endpoint)
    if (due !== NEVER) {
      this.#armed.add(key)
      this.#record({ type: 'timer-armed', at, host: this.#host, subject, timer, due })
    } else if (this.#armed.delete(key)) {
      this.#record({ type: 'timer-cancelled', at, host: this.#host, subject, timer })
    }
  }

  timerFired: Observer['timerFired'] = (endpoint, timer, at) => {
    this.#armed.delete(`${endpoint.id}:${timer}`)
    this.#record({ type: 'timer-fired', at, host: this.#host, subject: this.#subject(endpoint), timer })
  }

  called: Observer['called'] = (endpoint, call, result, at) => {
    this.#record({ type: 'call', at, host: this.#host, subject: this.#subjectOf(endpoint), call, result })
  }

  settled: Observer['settled'] = (endpoint, at) => {
    const variables = this.#options.variables?.(endpoint) ?? null
    if (variables === null) return
    const before = this.#variables.get(endpoint.id)
    const values: Variables = {}
    let changed = false
    for (const name in variables) {
      const value = variables[name]!
      if (before !== undefined && Object.is(before[name], value)) continue
      values[name] = value
      changed = true
    }
    if (!changed) return
    this.#variables.set(endpoint.id, variables)
    this.#record({ type: 'variables', at, host: this.#host, subject: this.#subject(endpoint), values })
  }

  #subjectOf(endpoint: Observed | null): Subject | null {
    return endpoint === null ? null : this.#subject(endpoint)
  }

  /** The addresses of a connection may be filled in after it was made: the copy is renewed when they differ. */
  #subject(endpoint: Observed): Subject {
    const { id, local, localPort, remote, remotePort } = endpoint
    const known = this.#subjects.get(id)
    if (
      known !== undefined &&
      known.localPort === localPort &&
      known.remotePort === remotePort &&
      known.local.equals(local) &&
      known.remote.equals(remote)
    ) {
      return known
    }
    const subject = { id, local, localPort, remote, remotePort }
    this.#subjects.set(id, subject)
    return subject
  }
}
