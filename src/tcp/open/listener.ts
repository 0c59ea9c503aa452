import { ACK, ANY_IPV4, DropReason, FIN, type IpAddress, RST, type Segment, SYN } from '../../wire/index.js'
import { type Connection, type ConnectionUser, Ready } from '../connection.js'
import type { Endpoint, Environment, IcmpError } from '../environment.js'
import { md5Mismatch } from '../options/md5-check.js'
import { drop, fail, sendReset, sendResetFor } from '../reset.js'
import { md5KeyFor, type ProgramOptions, sharedOptions } from '../settings/program-options.js'
import { State } from '../states/state-name.js'
import { setState } from '../states/states.js'
import { type Instant, type Millis, NEVER } from '../time.js'
import { answerWithCookie, synCookiesWanted, synEntryOfCookie } from './cookie-entries.js'
import { type FastOpenAnswer, FastOpenBits, fastOpenSynArrives } from './fast-open.js'
import { initialSequence } from './isn.js'
import { connectionFromEntry, connectionFromFastOpen } from './passive-open.js'
import { SynEntry, synTerms } from './syn-queue.js'

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
  /** What accepted connections get; `ask` changes it. */
  options: Readonly<ProgramOptions>
  user: ConnectionUser | null
  /** Entries of the SYN queue that were sent one SYN-ACK only. */
  youngEntries = 0
  /** Fast-open connections whose handshake is not complete. */
  fastOpenQueued = 0
  /** What fast open says of the SYN being answered; null: nothing. */
  cookieAnswer: FastOpenAnswer | null = null
  deadline: Instant = NEVER
  wheelSlot = -1
  tableNext: Endpoint | null = null
  #backlog = 0
  #firstEntry: SynEntry | null = null
  #entries = 0
  readonly #accept: Connection[] = []
  /** When the SYN queue was last too full: SYN cookies are looked for from then on, for a while. */
  #overflowedAt: Instant = -NEVER

  constructor(env: Environment, open: PassiveOpen, now: Instant) {
    this.env = env
    this.id = env.nextId()
    this.local = open.local
    this.localPort = open.localPort
    this.ipv6Only = open.ipv6Only ?? false
    this.options = sharedOptions(env.settings, open.options)
    this.user = open.user
    this.setBacklog(open.backlog)
    setState(this, State.Listen, 'passive OPEN', env.observer, now)
    env.register(this)
  }

  /** listen(2) again: another backlog. */
  setBacklog(backlog: number): void {
    const { settings } = this.env
    this.#backlog = Math.min(backlog < 0 ? settings.somaxconn : backlog, settings.somaxconn)
    const everyListener = FastOpenBits.Server | FastOpenBits.EveryListener
    if ((settings.fastOpen & everyListener) === everyListener && this.options.fastOpenQueue === 0) {
      this.ask({ fastOpenQueue: this.#backlog })
    }
  }

  /** The program asks for something else for the connections to come. */
  ask(change: Partial<ProgramOptions>): void {
    this.options = { ...this.options, ...change }
  }

  get backlog(): number {
    return this.#backlog
  }

  /** Connections that accept would give now. */
  get acceptable(): number {
    return this.#accept.length
  }

  /** Half-open connections. */
  get halfOpen(): number {
    return this.#entries
  }

  /** The accept queue holds this many. */
  get #capacity(): number {
    const { backlogFactor, backlogExtra } = this.env.settings
    return Math.floor(this.#backlog * backlogFactor) + backlogExtra
  }

  get #acceptQueueFull(): boolean {
    return this.#accept.length >= Math.max(1, this.#capacity)
  }

  get #synQueueFull(): boolean {
    const { synQueueByBacklog, maxSynBacklog } = this.env.settings
    if (synQueueByBacklog && this.#entries >= this.#backlog) return true
    return this.#entries >= maxSynBacklog
  }

  /** The oldest connection of the accept queue, now held by `user`; null: none yet. */
  accept(user: ConnectionUser | null, _now: Instant): Connection | null {
    const c = this.#accept.shift()
    if (c === undefined) return null
    c.user = user
    c.listener = null
    return c
  }

  /** CLOSE (RFC 9293 3.10.4): LISTEN -> CLOSED; what is queued is reset. */
  close(now: Instant): void {
    this.#end('CLOSE', now)
  }

  /** ABORT (RFC 9293 3.10.5). */
  abort(now: Instant): void {
    this.#end('ABORT', now)
  }

  #end(event: string, now: Instant): void {
    if (this.state !== State.Listen) return
    setState(this, State.Closed, event, this.env.observer, now)
    this.release(now)
  }

  /** Lets go of the port and of everything queued; the state is the caller's. */
  release(now: Instant): void {
    const { env } = this
    env.unregister(this)
    while (this.#firstEntry !== null) this.#firstEntry.remove(State.Closed, 'listener closed', now)
    for (const c of this.#accept.splice(0)) {
      c.listener = null
      if (c.state === State.Closed || c.state === State.TimeWait) continue
      if (env.settings.resetOnListenerClose) sendReset(c, now)
      fail(c, 'ECONNABORTED', 'listener closed', now)
    }
    this.user = null
  }

  // --- SEGMENT ARRIVES in LISTEN (RFC 9293 3.10.7.2), in the RFC's order ---

  segmentArrives(seg: Segment, now: Instant): void {
    const { env } = this
    const { settings } = env
    const { flags } = seg
    if (settings.dropSynFin && (flags & (SYN | FIN)) === (SYN | FIN))
      return drop(env, this, seg, DropReason.SynFin, now)
    // first, check for a RST
    if (flags & RST) return drop(env, this, seg, DropReason.ListenRst, now)
    const mismatch = md5Mismatch(seg, md5KeyFor(this.options.md5Keys, seg.source))
    if (mismatch !== null) return drop(env, this, seg, mismatch, now)
    // second, check for an ACK
    if (flags & ACK) return this.#ackArrives(seg, now)
    // third, check for a SYN
    if (flags & SYN) return this.#synArrives(seg, now)
    // fourth, other data or control
    drop(env, this, seg, DropReason.ListenNoSyn, now)
  }

  /** "Any acknowledgment is bad if it arrives on a connection still in the LISTEN state" -- unless it acknowledges a cookie. */
  #ackArrives(seg: Segment, now: Instant): void {
    const { env } = this
    if (!(seg.flags & SYN) && synCookiesWanted(env, this.#overflowedAt, now)) {
      const entry = synEntryOfCookie(this, seg, now)
      if (entry !== null) {
        env.counters.count('TcpExtSyncookiesRecv')
        if (this.#acceptQueueFull) return this.#overflows(entry, seg, now)
        return this.#opens(connectionFromEntry(entry, seg, now), seg, now)
      }
      env.counters.count('TcpExtSyncookiesFailed')
    }
    if (seg.flags & SYN && !env.settings.resetSynAckToListener) return drop(env, this, seg, DropReason.ListenNoSyn, now)
    drop(env, this, seg, DropReason.NoConnection, now)
    const { ttl, dscp } = this.options
    sendResetFor(env, seg, now, { ttl, dscp, md5Key: md5KeyFor(this.options.md5Keys, seg.source) })
  }

  #synArrives(seg: Segment, now: Instant): void {
    const { env } = this
    const { settings } = env
    if (settings.listenDropsSynFin && seg.flags & FIN) return drop(env, this, seg, DropReason.SynFin, now)
    if (settings.dropSynWhenAcceptQueueFull && this.#acceptQueueFull) {
      env.counters.count('TcpExtListenOverflows')
      env.counters.count('TcpExtListenDrops')
      return drop(env, this, seg, DropReason.AcceptQueueFull, now)
    }
    if (settings.synCookies === 2 || this.#synQueueFull) return this.#synWithoutRoom(seg, now)
    const { local, remote } = { local: seg.destination, remote: seg.source }
    const iss = env.shared.nextIsn ?? initialSequence(env, local, this.localPort, remote, seg.sourcePort, now)
    const answer = fastOpenSynArrives(this, seg)
    const entry = new SynEntry(this, seg, seg.seq, iss, this.options.noOptions ? 0 : synTerms(settings, seg))
    if (answer.accept && !this.#acceptQueueFull) {
      const c = connectionFromFastOpen(entry, seg, answer, now)
      this.#queue(c, now)
      return
    }
    this.#add(entry)
    this.cookieAnswer = answer
    entry.begin(now)
    this.cookieAnswer = null
  }

  #synWithoutRoom(seg: Segment, now: Instant): void {
    const { env } = this
    this.#overflowedAt = now
    if (env.settings.synCookies === 0) {
      env.counters.count('TcpExtTCPReqQFullDrop')
      env.counters.count('TcpExtListenDrops')
      return drop(env, this, seg, DropReason.SynQueueFull, now)
    }
    env.counters.count('TcpExtTCPReqQFullDoCookies')
    env.counters.count('TcpExtSyncookiesSent')
    answerWithCookie(this, seg, now)
  }

  /** The handshake of an entry is complete, as far as the peer goes. */
  thirdSegmentArrives(entry: SynEntry, seg: Segment, now: Instant): void {
    const { env } = this
    if (this.options.deferAccept > 0 && seg.textLength === 0 && !(seg.flags & FIN)) {
      if (entry.resent < this.deferredSynAcks) {
        entry.markAcked()
        env.counters.count('TcpExtTCPDeferAcceptDrop')
        return drop(env, entry, seg, DropReason.UserGone, now)
      }
    }
    if (this.#acceptQueueFull) return this.#overflows(entry, seg, now)
    this.forget(entry)
    this.#opens(connectionFromEntry(entry, seg, now), seg, now)
  }

  #overflows(entry: SynEntry, seg: Segment, now: Instant): void {
    const { env } = this
    env.counters.count('TcpExtListenOverflows')
    drop(env, entry, seg, DropReason.AcceptQueueFull, now)
    if (!env.settings.abortOnOverflow) return entry.markAcked()
    sendResetFor(env, seg, now, entry.look(), entry)
    if (entry.state === State.SynReceived) entry.remove(State.Closed, 'accept queue full', now)
  }

  #opens(c: Connection, _seg: Segment, now: Instant): void {
    if (c.state !== State.Closed) this.#queue(c, now)
  }

  #queue(c: Connection, now: Instant): void {
    this.#accept.push(c)
    if (this.user !== null) this.user.notify(this, Ready.Acceptable, now)
  }

  // --- the SYN queue ---

  #add(entry: SynEntry): void {
    entry.queueNext = this.#firstEntry
    if (this.#firstEntry !== null) this.#firstEntry.queuePrevious = entry
    this.#firstEntry = entry
    this.#entries++
    this.youngEntries++
  }

  /** Takes an entry out of the queue. */
  forget(entry: SynEntry): void {
    const { queuePrevious: previous, queueNext: next } = entry
    if (previous === null && this.#firstEntry !== entry) return
    if (previous === null) this.#firstEntry = next
    else previous.queueNext = next
    if (next !== null) next.queuePrevious = previous
    entry.queuePrevious = null
    entry.queueNext = null
    this.#entries--
    if (entry.resent === 0) this.youngEntries--
  }

  /** SYN-ACKs sent again before an entry is given up; fewer when old entries fill the queue (Linux). */
  synAckLimit(): number {
    const { settings } = this.env
    let limit = this.options.synRetries > 0 ? this.options.synRetries : settings.synAckRetries
    if (!settings.pruneSynQueue || this.#entries * 2 <= Math.max(8, this.#backlog)) return limit
    for (let young = this.youngEntries * 2; limit > 2 && this.#entries >= young; young *= 2) limit--
    return limit
  }

  /** TCP_DEFER_ACCEPT as a number of SYN-ACK time-outs; 0: off. */
  get deferredSynAcks(): number {
    const wait: Millis = this.options.deferAccept
    if (wait <= 0) return 0
    const { initialRto, rtoMax } = this.env.settings
    let count = 1
    for (let timeout = initialRto, period = initialRto; wait > period && count < 255; count++) {
      timeout = Math.min(timeout * 2, rtoMax)
      period += timeout
    }
    return count
  }

  errorArrives(_error: IcmpError, _now: Instant): void {}

  deadlineReached(_now: Instant): void {}
}
