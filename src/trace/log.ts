import { NEVER, type Observed, type Observer, State, stateName } from '../tcp/index.js'
import { type Segment, summarizeReceived } from '../wire/index.js'
import type { Subject, TraceEvent } from './events.js'
import { packetReceived, packetSent } from './packets.js'
import { type Passage, SegmentRecords } from './segment-records.js'
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

/** Events for which room is made at once: few at first. */
const FIRST_ROOM = 64
const MOST_ROOM = 4096

/**
 * What happened on any number of hosts, in order. A host is watched by giving it `log.observe(name)` as its observer; a
 * host without one pays a comparison per event and nothing else. What is recorded becomes objects when it is looked at.
 */
export class TraceLog {
  readonly #options: TraceOptions
  readonly #listeners = new Set<(event: TraceEvent) => void>()
  /** Those that were looked at, or wanted by a subscriber. */
  #events: TraceEvent[] = []
  /** Those behind, in the order of time; the last one has room. */
  #records: SegmentRecords[] = []
  #recorded = 0
  #spare: SegmentRecords | null = null

  constructor(options: TraceOptions = {}) {
    this.#options = options
  }

  /** All so far; what comes later is in what this gives later. */
  get events(): readonly TraceEvent[] {
    for (const records of this.#records) {
      records.moveTo(this.#events)
      this.#spare = records
    }
    this.#records = []
    this.#recorded = 0
    const limit = this.#options.limit ?? Number.POSITIVE_INFINITY
    if (this.#events.length > limit * 1.25) this.#events = this.#events.slice(-limit)
    return this.#events
  }

  /** Forgets everything so far. */
  clear(): void {
    this.#events = []
    this.#records = []
    this.#recorded = 0
  }

  /** Calls `listener` with each event as it happens; returns how to stop that. */
  subscribe(listener: (event: TraceEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** An observer for one host, whose events carry its name. */
  observe(host: string): Observer {
    return new HostObserver(host, this.#options, this)
  }

  /** Where the next event is recorded; call `recorded` then. For observers. */
  room(): SegmentRecords {
    const last = this.#records[this.#records.length - 1]
    return last !== undefined && last.count < last.capacity ? last : this.#makeRoom(last)
  }

  /** The last record is complete. */
  recorded(): void {
    this.#recorded++
    if (this.#listeners.size === 0) return
    const event = this.events.at(-1)!
    for (const listener of this.#listeners) listener(event)
  }

  #makeRoom(last: SegmentRecords | undefined): SegmentRecords {
    const limit = this.#options.limit ?? Number.POSITIVE_INFINITY
    // a quarter is forgotten at once: what is forgotten gives its room
    const most = Math.min(MOST_ROOM, Math.max(1, Math.floor(limit / 4)))
    this.#forget(limit)
    const wanted = Math.min(most, last === undefined ? FIRST_ROOM : last.capacity * 2)
    const made = this.#spare !== null && this.#spare.capacity >= wanted ? this.#spare : new SegmentRecords(wanted)
    this.#spare = null
    this.#records.push(made)
    return made
  }

  #forget(limit: number): void {
    while (this.#records.length > 0 && this.#recorded - this.#records[0]!.count >= limit) {
      this.#events = []
      const first = this.#records.shift()!
      this.#recorded -= first.count
      first.clear()
      this.#spare = first
    }
    if (this.#events.length + this.#recorded > limit * 1.25) {
      this.#events = this.#recorded >= limit ? [] : this.#events.slice(this.#recorded - limit)
    }
  }
}

class HostObserver implements Observer {
  readonly #host: string
  readonly #options: TraceOptions
  readonly #log: TraceLog
  /** Subjects by id, so that a connection's events share one object. */
  readonly #subjects = new Map<number, Subject>()
  readonly #variables = new Map<number, Variables>()
  /** Timers armed, as id:timer. */
  readonly #armed = new Set<string>()
  /** Of the last segment sent and received, and about whom it was: most often those of the next. */
  #sent: Passage | null = null
  #sentBy: Observed | null = null
  #received: Passage | null = null
  #receivedBy: Observed | null = null

  constructor(host: string, options: TraceOptions, log: TraceLog) {
    this.#host = host
    this.#options = options
    this.#log = log
  }

  #record(event: TraceEvent): void {
    this.#log.room().addOther(event)
    this.#log.recorded()
  }

  segmentSent: Observer['segmentSent'] = (endpoint, segment, retransmission, at) => {
    let passage = this.#sent
    if (passage === null || endpoint !== this.#sentBy || !isSame(passage, endpoint, segment)) {
      passage = this.#sent = this.#passage(endpoint, segment)
      this.#sentBy = endpoint
    }
    const packet = this.#options.packets === true ? packetSent(segment) : null
    this.#log.room().addSent(passage, endpoint === null ? null : endpoint.state, segment, retransmission, packet, at)
    this.#log.recorded()
  }

  segmentReceived: Observer['segmentReceived'] = (endpoint, segment, at) => {
    let passage = this.#received
    if (passage === null || endpoint !== this.#receivedBy || !isSame(passage, endpoint, segment)) {
      passage = this.#received = this.#passage(endpoint, segment)
      this.#receivedBy = endpoint
    }
    const packet = this.#options.packets === true ? packetReceived(segment) : null
    this.#log.room().addReceived(passage, endpoint === null ? null : endpoint.state, segment, packet, at)
    this.#log.recorded()
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

  #passage(endpoint: Observed | null, { source, destination }: Segment): Passage {
    return { host: this.#host, subject: this.#subjectOf(endpoint), source, destination }
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

/** The addresses of a connection may be filled in after it was made. */
function isSame({ subject, source, destination }: Passage, endpoint: Observed | null, segment: Segment): boolean {
  if (source !== segment.source || destination !== segment.destination) return false
  return (
    endpoint === null ||
    (subject !== null &&
      subject.id === endpoint.id &&
      subject.local === endpoint.local &&
      subject.remote === endpoint.remote &&
      subject.localPort === endpoint.localPort &&
      subject.remotePort === endpoint.remotePort)
  )
}
