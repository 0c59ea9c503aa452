import {
  ACK,
  DropReason,
  FIN,
  type IpAddress,
  putNop,
  putTimestamps,
  RST,
  type Segment,
  SYN,
} from '../../wire/index.js'
import type { Endpoint, Environment, IcmpError } from '../environment.js'
import { ecnOfSyn, ecnOfSynAgain, synAckEcnFlags, synAckHasAccEcnOption } from '../options/ecn.js'
import { md5Mismatch } from '../options/md5-check.js'
import { advertisedMss } from '../options/mss.js'
import { writeSynOptions } from '../options/options.js'
import { timestampAt, timestampOffset } from '../options/timestamps.js'
import { firstWindow, synWindow, type WindowOffer } from '../receive/receive-window.js'
import { addressed, drop, sendResetFor, sign } from '../reset.js'
import { after, before, type Sequence, seqAdd, seqDiff } from '../sequence.js'
import { md5KeyFor } from '../settings/program-options.js'
import type { Settings } from '../settings/settings.js'
import { State } from '../states/state-name.js'
import { setState } from '../states/states.js'
import { type Instant, type Millis, NEVER } from '../time.js'
import { handshakeTimeout } from './handshake.js'
import type { Listener } from './listener.js'
import { SynOffer } from './syn-offer.js'

const offer = new SynOffer()

// what the SYN said and what became of the entry, in one number
const SAID_MSS = 0xffff
const SCALE_AT = 16
const SCALE_OK = 1 << 20
const SACK_OK = 1 << 21
const TS_OK = 1 << 22
/** The third segment came, but no connection was made of it yet. */
const ACKED = 1 << 23
const RESENT_AT = 24

/** What a peer's SYN and our settings settled, packed: see the constants. */
export function synTerms(settings: Settings, seg: Segment): number {
  let terms = seg.mss > 0 ? seg.mss & SAID_MSS : 0
  if (settings.windowScaling && seg.windowScale >= 0) terms |= SCALE_OK | (Math.min(seg.windowScale, 14) << SCALE_AT)
  if (settings.sack && seg.sackPermitted) terms |= SACK_OK
  if (settings.timestamps > 0 && seg.hasTimestamps) terms |= TS_OK
  return terms
}

/** Terms that a SYN cookie kept: see syn-cookies.ts. */
export function cookieTerms(mss: number, windowScale: number, sack: boolean, timestamps: boolean): number {
  let terms = mss & SAID_MSS
  if (windowScale >= 0) terms |= SCALE_OK | (windowScale << SCALE_AT)
  if (sack) terms |= SACK_OK
  if (timestamps) terms |= TS_OK
  return terms
}

/**
 * A half-open connection of a listener: in SYN-RECEIVED, with a SYN-ACK sent, until the third segment of the handshake
 * makes a TCB of it. Numbers only: a flood of SYNs fills memory with these.
 */
export class SynEntry implements Endpoint {
  readonly listener: Listener
  readonly id: number
  readonly local: IpAddress
  readonly remote: IpAddress
  readonly #ports: number
  state: State = State.Listen
  readonly irs: Sequence
  readonly iss: Sequence
  #terms: number
  /** What of ECN was agreed to: see `ecnOfSyn`. */
  ecn: number
  tsRecent: number
  readonly tsOffset: number
  /** IPv4 options of its packets: the listener's, or the way back along the SYN's source route (RFC 9293 MUST-53). */
  ipOptions: Uint8Array | null
  /** Last answer to something invalid, ms modulo 2^32; 0: none. */
  #answeredAt = 0
  deadline: Instant = NEVER
  wheelSlot = -1
  tableNext: Endpoint | null = null
  /** Neighbours in the listener's queue. */
  queuePrevious: SynEntry | null = null
  queueNext: SynEntry | null = null

  /** @param seg the SYN, or the ACK of a SYN cookie */
  constructor(listener: Listener, seg: Segment, irs: Sequence, iss: Sequence, terms: number) {
    const { env } = listener
    this.listener = listener
    this.id = env.nextId()
    this.local = seg.destination
    this.remote = seg.source
    this.#ports = (seg.destinationPort << 16) | seg.sourcePort
    this.ipOptions = seg.source.isIPv4 ? (listener.options.ipOptions ?? seg.ipOptions) : null
    this.irs = irs
    this.iss = iss
    this.#terms = terms
    this.ecn = ecnOfSyn(env.settings, seg)
    this.tsRecent = seg.tsVal
    this.tsOffset = terms & TS_OK ? timestampOffset(env, this.local, this.remote) : 0
  }

  get env(): Environment {
    return this.listener.env
  }

  get localPort(): number {
    return this.#ports >>> 16
  }

  get remotePort(): number {
    return this.#ports & 0xffff
  }

  /** MSS the peer named, octets; 0: none. */
  get saidMss(): number {
    return this.#terms & SAID_MSS
  }

  /** The peer's window scale; -1: not agreed. */
  get windowScale(): number {
    return this.#terms & SCALE_OK ? (this.#terms >>> SCALE_AT) & 15 : -1
  }

  get sackOk(): boolean {
    return (this.#terms & SACK_OK) !== 0
  }

  get tsOk(): boolean {
    return (this.#terms & TS_OK) !== 0
  }

  get acked(): boolean {
    return (this.#terms & ACKED) !== 0
  }

  get resent(): number {
    return this.#terms >>> RESENT_AT
  }

  get md5Key(): Uint8Array | null {
    return md5KeyFor(this.listener.options.md5Keys, this.remote)
  }

  /** MSS to advertise, octets. */
  get advertised(): number {
    const { env, options } = this.listener
    return advertisedMss(env.settings, env.interfaceMtu(this.remote), this.remote, options.maxSegment)
  }

  /** What of receiving is offered. */
  windowOffer(): WindowOffer {
    const { env, options } = this.listener
    const buffer = options.receiveBuffer > 0 ? options.receiveBuffer : env.settings.receiveBuffer[1]
    const mss = this.advertised - (this.tsOk ? 12 : 0)
    return firstWindow(env.settings, buffer, options.receiveBuffer > 0, options.windowClamp, mss, this.windowScale >= 0)
  }

  /** Time between SYN-ACK and its ACK, ms; -1: it was sent again, nobody knows which was answered (Karn). */
  roundTrip(now: Instant): Millis {
    if (this.resent > 0 || this.deadline === NEVER) return -1
    return now - (this.deadline - handshakeTimeout(this.env.settings, 0, 0))
  }

  // --- SEGMENT ARRIVES in SYN-RECEIVED after a passive OPEN (RFC 9293 3.10.7.4) ---

  segmentArrives(seg: Segment, now: Instant): void {
    const { env, listener } = this
    const { settings } = env
    const { flags } = seg
    if (this.state !== State.SynReceived) return
    const mismatch = md5Mismatch(seg, this.md5Key)
    if (mismatch !== null) return drop(env, this, seg, mismatch, now)
    if (settings.dropSynFin && (flags & (SYN | FIN)) === (SYN | FIN))
      return drop(env, this, seg, DropReason.SynFin, now)
    if (flags & RST) return this.#resetArrives(seg, now)
    if ((flags & (SYN | ACK)) === SYN && this.#isSameSyn(seg)) return this.#synAgain(seg, now)
    if (flags & ACK && seg.ack !== seqAdd(this.iss, 1)) {
      drop(env, this, seg, DropReason.AckOfUnsent, now)
      return sendResetFor(env, seg, now, this.look(), this)
    }
    // the SYN of a simultaneous open that brings something behind it
    const crossed = (flags & SYN) !== 0 && seg.seq === this.irs && seg.length > 1
    if (this.#isOld(seg) || !(crossed || this.#inWindow(seg))) {
      drop(env, this, seg, DropReason.OutOfWindow, now)
      return this.#acknowledge(now)
    }
    if (flags & SYN && !crossed) return this.#otherSynArrives(seg, now)
    if (!(flags & ACK)) return drop(env, this, seg, DropReason.NoAck, now)
    if (this.tsOk && !seg.hasTimestamps && !settings.tolerateMissingTimestamps) {
      return drop(env, this, seg, DropReason.Paws, now)
    }
    listener.thirdSegmentArrives(this, seg, now)
  }

  /** A connection that waits for text before it is accepted, or for room in the accept queue. */
  markAcked(): void {
    this.#terms |= ACKED
  }

  /** ICMP: RFC 5461 4.1, and only about the SYN-ACK itself. */
  errorArrives(error: IcmpError, now: Instant): void {
    const { settings, counters } = this.env
    if (error.quotedSeq !== this.iss) return counters.count('TcpExtOutOfWindowIcmps')
    if (!settings.icmpAbortsSynQueue[error.version].includes(error.kind)) return
    this.remove(State.Closed, 'icmp: hard error', now)
  }

  /** The SYN-ACK's timer. */
  deadlineReached(now: Instant): void {
    if (this.state !== State.SynReceived) return
    const { env, listener } = this
    if (env.observer !== null) env.observer.timerFired(this, 'retransmit', now)
    const limit = listener.synAckLimit()
    const patience = listener.deferredSynAcks
    const expired = this.resent >= limit && (patience === 0 || !this.acked || this.resent >= patience)
    env.counters.count('TcpExtTCPTimeouts')
    if (expired) return this.remove(State.Closed, 'timeout: retransmission', now)
    // with TCP_DEFER_ACCEPT the peer has answered already; it is asked again only at the end
    const resend = patience === 0 || !this.acked || this.resent >= patience - 1
    this.#terms += 1 << RESENT_AT
    if (this.resent === 1) listener.youngEntries--
    if (resend) this.sendSynAck(true, now)
    this.#arm(now)
  }

  /** Sends the SYN-ACK for the first time and waits for its ACK. */
  begin(now: Instant): void {
    setState(this, State.SynReceived, 'rcv SYN', this.env.observer, now)
    this.env.register(this)
    this.sendSynAck(false, now)
    this.#arm(now)
  }

  /** Out of queue and table. */
  remove(to: State, event: string, now: Instant): void {
    this.listener.forget(this)
    setState(this, to, event, this.env.observer, now)
    this.deadline = NEVER
    this.env.unschedule(this)
    this.env.unregister(this)
  }

  /** @param tsVal our timestamp when it is not the clock (SYN cookies); 0: the clock */
  sendSynAck(retransmission: boolean, now: Instant, tsVal = 0): void {
    const { env, listener } = this
    const { out, settings } = env
    const { options } = listener
    // also when the peer's SYN came again, not only our timer's doing
    const resent = retransmission ? Math.max(1, this.resent) : 0
    this.#begin(out)
    out.seq = this.iss
    out.ack = seqAdd(this.irs, 1)
    out.flags = SYN | ACK | synAckEcnFlags(settings, this.ecn, resent)
    const window = this.windowOffer()
    out.window = synWindow(window.window)
    offer.reset()
    offer.answer = true
    offer.md5Key = this.md5Key
    if (!options.noOptions) {
      offer.mss = this.advertised
      if (this.windowScale >= 0) offer.windowScale = window.shift
      offer.sackPermitted = this.sackOk
      if (this.tsOk) {
        offer.timestamps = true
        offer.tsVal = tsVal !== 0 ? tsVal : timestampAt(now, this.tsOffset)
        offer.tsEcr = this.tsRecent
      }
      const answer = listener.cookieAnswer
      if (!retransmission && answer !== null && answer.cookie !== null) {
        offer.fastOpenCookie = answer.cookie
        offer.fastOpenExperimental = answer.experimental
      }
      offer.accEcn = synAckHasAccEcnOption(settings, this.ecn, resent)
    }
    writeSynOptions(out, offer, settings)
    env.transmit(this, out, retransmission, now)
  }

  /** TTL, DSCP and key of its packets. */
  look(): { ttl: number; dscp: number; md5Key: Uint8Array | null } {
    const { ttl, dscp } = this.listener.options
    return { ttl, dscp, md5Key: this.md5Key }
  }

  #arm(now: Instant): void {
    this.deadline = now + handshakeTimeout(this.env.settings, this.resent, 0)
    this.env.schedule(this, this.deadline)
    if (this.env.observer !== null) this.env.observer.timerArmed(this, 'retransmit', this.deadline, now)
  }

  #isSameSyn(seg: Segment): boolean {
    return seg.seq === this.irs || this.env.settings.synInSynReceived === 'answer'
  }

  /** The SYN-ACK, or the peer's patience, was lost. Text that comes with the SYN now is not taken. */
  #synAgain(seg: Segment, now: Instant): void {
    this.ecn = ecnOfSynAgain(this.ecn, seg)
    if (seg.ipOptions !== null) this.ipOptions = this.listener.options.ipOptions ?? seg.ipOptions
    if (this.tsOk && seg.hasTimestamps && !before(seg.tsVal, this.tsRecent)) this.tsRecent = seg.tsVal
    if (!this.#mayAnswer(now)) return
    this.sendSynAck(true, now)
    this.#arm(now)
  }

  #resetArrives(seg: Segment, now: Instant): void {
    const { env } = this
    const { settings } = env
    if (!this.#inWindow(seg)) return drop(env, this, seg, DropReason.RstOutOfWindow, now)
    if (settings.insecureRst || seg.seq === seqAdd(this.irs, 1)) {
      env.counters.count('TcpExtEmbryonicRsts')
      return this.remove(State.Listen, 'rcv RST', now)
    }
    drop(env, this, seg, DropReason.ChallengedRst, now)
    this.#acknowledge(now)
  }

  /** A SYN that is not the one we answered, but lies in the window. */
  #otherSynArrives(seg: Segment, now: Instant): void {
    if (this.env.settings.synInSynReceived === 'reset') sendResetFor(this.env, seg, now, this.look(), this)
    this.remove(State.Listen, 'rcv SYN', now)
  }

  #isOld(seg: Segment): boolean {
    return this.tsOk && seg.hasTimestamps && before(seg.tsVal, this.tsRecent)
  }

  #inWindow(seg: Segment): boolean {
    const next = seqAdd(this.irs, 1)
    const window = synWindow(this.windowOffer().window)
    const offset = seqDiff(seg.seq, next)
    if (offset === 0) return true
    if (offset > 0) return offset < window
    return after(seqAdd(seg.seq, seg.length), next)
  }

  #mayAnswer(now: Instant): boolean {
    const limit = this.env.settings.invalidRateLimit
    const at = Math.floor(now) | 1
    if (limit > 0 && this.#answeredAt !== 0 && ((at - this.#answeredAt) | 0) < limit) {
      this.env.counters.count('TcpExtTCPACKSkippedSynRecv')
      return false
    }
    this.#answeredAt = at
    return true
  }

  /** An ACK with what the SYN-ACK said. */
  #acknowledge(now: Instant): void {
    if (!this.#mayAnswer(now)) return
    const { out } = this.env
    this.#begin(out)
    out.seq = seqAdd(this.iss, 1)
    out.ack = seqAdd(this.irs, 1)
    out.flags = ACK
    const { window, shift } = this.windowOffer()
    out.window = Math.min(65535, window >> shift)
    let at = 0
    if (this.tsOk) {
      const bytes = out.optionBytes
      at = putTimestamps(bytes, putNop(bytes, putNop(bytes, 0)), timestampAt(now, this.tsOffset), this.tsRecent)
      out.optionBytesLength = at
    }
    const key = this.md5Key
    if (key !== null) sign(out, at, key)
    this.env.transmit(this, out, false, now)
  }

  #begin(out: Segment): void {
    const { options, env } = this.listener
    out.reset()
    addressed(out, this.local, this.localPort, this.remote, this.remotePort)
    out.ttl = options.ttl < 0 ? env.settings.ttl : options.ttl
    out.dscp = options.dscp
    out.flowLabel = options.flowLabel
    out.ipOptions = this.ipOptions
  }
}
