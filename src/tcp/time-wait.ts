import {
  ACK,
  DropReason,
  ECT0,
  FIN,
  type IpAddress,
  putNop,
  putTimestamps,
  RST,
  type Segment,
  SYN,
} from '../wire/index.js'
import type { Connection } from './connection.js'
import type { Endpoint, Environment, IcmpError } from './environment.js'
import { continueIsn } from './open/isn.js'
import { md5Mismatch } from './options/md5-check.js'
import { timestampAt } from './options/timestamps.js'
import { windowToOffer } from './receive/receive-window.js'
import { addressed, drop, finish, invalidAnswerAllowed, leaveOrphans, sendResetFor, sign } from './reset.js'
import { endSending } from './send/output.js'
import { after, before, type Sequence, seqAdd, seqDiff } from './sequence.js'
import { State } from './states/state-name.js'
import { setState } from './states/states.js'
import { type Instant, type Millis, NEVER } from './time.js'
import { arm, disarmAll } from './timeouts.js'
import { Timer } from './timers.js'

/**
 * What a closed connection leaves behind (RFC 9293 3.6.1): just enough to acknowledge the peer's FIN again and to tell
 * old segments from a new SYN. Also an orphan in FIN-WAIT-2, where the settings say so. Kept small: there may be a million.
 */
export class TimeWait implements Endpoint {
  readonly env: Environment
  readonly id: number
  readonly local: IpAddress
  readonly remote: IpAddress
  readonly #ports: number
  state: State
  /** RCV.NXT and SND.NXT. */
  #rcvNxt: Sequence
  readonly #sndNxt: Sequence
  /** RCV.WND, octets, and its shift in the low 4 bits of `#look`. */
  readonly #window: number
  /** TTL, DSCP and ECT of its packets, timestamps agreed, window shift. */
  readonly #look: number
  readonly #flowLabel: number
  readonly #ipOptions: Uint8Array | null
  #tsRecent = 0
  readonly #tsOffset: number
  readonly md5Key: Uint8Array | null
  lastInvalidAt: Instant | null = null
  /** The TCB, while a program still holds it: its state follows. */
  holder: Connection | null
  deadline: Instant = NEVER
  wheelSlot = -1
  tableNext: Endpoint | null = null

  constructor(c: Connection, now: Instant) {
    const { settings } = c.env
    this.env = c.env
    this.id = c.id
    this.local = c.local
    this.remote = c.remote
    this.#ports = (c.localPort << 16) | c.remotePort
    this.state = c.state
    this.#rcvNxt = c.rcv.nxt
    this.#sndNxt = c.snd.nxt
    const offered = windowToOffer(c, now)
    this.#window = offered
    const ttl = c.options.ttl < 0 ? settings.ttl : c.options.ttl
    this.#look = (ttl << 16) | (c.options.dscp << 8) | (c.snd.tsOk ? 0x10 : 0) | ectBit(c) | c.rcv.wscale
    this.#flowLabel = c.options.flowLabel
    this.#ipOptions = c.ipOptions
    this.#tsRecent = c.rcv.tsRecent
    this.#tsOffset = c.tsOffset
    this.md5Key = c.md5Key
    this.holder = c.user === null ? null : c
  }

  get localPort(): number {
    return this.#ports >>> 16
  }

  get remotePort(): number {
    return this.#ports & 0xffff
  }

  get ttl(): number {
    return this.#look >>> 16
  }

  get dscp(): number {
    return (this.#look >>> 8) & 0xff
  }

  get #timestamps(): boolean {
    return (this.#look & 0x10) !== 0
  }

  get #windowOctets(): number {
    return this.#window << (this.#look & 15)
  }

  segmentArrives(seg: Segment, now: Instant): void {
    const mismatch = md5Mismatch(seg, this.md5Key)
    if (mismatch !== null) return drop(this.env, this, seg, mismatch, now)
    if (this.env.settings.dropSynFin && (seg.flags & (SYN | FIN)) === (SYN | FIN)) {
      return drop(this.env, this, seg, DropReason.SynFin, now)
    }
    if (this.state === State.FinWait2) this.#finWait2(seg, now)
    else this.#timeWait(seg, now)
  }

  /** ICMP errors say nothing that matters here. */
  errorArrives(_error: IcmpError, _now: Instant): void {}

  deadlineReached(now: Instant): void {
    if (this.state === State.Closed) return
    const event = this.state === State.TimeWait ? 'timeout: time-wait' : 'timeout: fin-wait-2'
    if (this.env.observer !== null) {
      this.env.observer.timerFired(this, this.state === State.TimeWait ? 'time-wait' : 'fin-wait-2', now)
    }
    this.end(event, now)
  }

  /** To CLOSED: the ports are free. */
  end(event: string, now: Instant): void {
    setState(this, State.Closed, event, this.env.observer, now)
    this.deadline = NEVER
    this.env.unschedule(this)
    this.env.unregister(this)
    this.env.shared.timeWaits--
    if (this.holder !== null) {
      this.holder.state = State.Closed
      this.holder.ended = null
      this.holder = null
    }
  }

  /** An ISS for a connection that takes over the ports: beyond anything this one sent (RFC 9293 3.6.1, MAY-2). */
  get nextIsn(): Sequence {
    return continueIsn(this.#sndNxt)
  }

  /** Whether an active OPEN may take the ports: what it sends has newer timestamps (RFC 6191). */
  mayBeReused(_now: Instant): boolean {
    if (this.state !== State.TimeWait || !this.#timestamps) return false
    const mode = this.env.settings.timeWaitReuseOnConnect
    return mode === 1 || (mode === 2 && isLoopback(this.local) && isLoopback(this.remote))
  }

  /** FIN-WAIT-2 without a program (RFC 9293 3.10.7.4): only a FIN is waited for. */
  #finWait2(seg: Segment, now: Instant): void {
    const end = seqAdd(seg.seq, seg.length)
    if (this.#isOld(seg) || !this.#inWindow(seg)) return this.#answer(seg, now)
    if (seg.flags & RST) return this.#resetArrives(seg, now)
    if (seg.flags & SYN) return this.#abort(seg, 'rcv SYN', now)
    if (!(seg.flags & ACK) || seg.length === 0 || !after(end, this.#rcvNxt)) {
      return drop(this.env, this, seg, DropReason.OldDuplicate, now)
    }
    // SHLD-3: text for a program that is gone
    if (!(seg.flags & FIN) || end !== seqAdd(this.#rcvNxt, 1)) {
      this.env.counters.count('TcpExtTCPAbortOnData')
      return this.#abort(seg, 'rcv text after CLOSE', now)
    }
    this.#rcvNxt = end
    if (seg.hasTimestamps) this.#tsRecent = seg.tsVal
    setState(this, State.TimeWait, 'rcv FIN', this.env.observer, now)
    this.restart(2 * this.env.settings.msl, now)
    this.#acknowledge(now)
  }

  #timeWait(seg: Segment, now: Instant): void {
    const { settings } = this.env
    const isOld = this.#isOld(seg)
    const isSyn = (seg.flags & (SYN | ACK | RST)) === SYN
    if (isSyn && !isOld && this.#synIsNewer(seg)) return this.#reopen(seg, now)
    if (seg.flags & RST) {
      if (!isOld && settings.resetEndsTimeWait) return this.#resetArrives(seg, now)
      return drop(this.env, this, seg, DropReason.TimeWait, now)
    }
    if (isSyn && settings.insecureSyn && settings.timeWaitAnswers !== 'acks' && this.#inWindow(seg)) {
      this.#send(RST | ACK, 0, now)
      return this.end('rcv SYN', now)
    }
    if (!(seg.flags & ACK) && settings.timeWaitAnswers !== 'everything') {
      if (!isSyn || settings.timeWaitAnswers === 'acks') return drop(this.env, this, seg, DropReason.NoAck, now)
    }
    if (seg.seq === this.#rcvNxt && seg.length === 0 && !isOld) {
      // a bare ACK where it should be: nothing to say
      if (seg.hasTimestamps) this.#tsRecent = seg.tsVal
      if (settings.timeWaitAnswers === 'everything') this.restart(2 * settings.msl, now)
      else if (seg.ack !== this.#sndNxt) this.#acknowledge(now)
      return
    }
    const again = settings.timeWaitAnswers === 'everything' ? isOld || (seg.flags & ACK) !== 0 : this.#isFinAgain(seg)
    // "Acknowledge it, and restart the 2 MSL timeout" (RFC 9293 3.10.7.4)
    if (again) this.restart(2 * settings.msl, now)
    this.#answer(seg, now)
  }

  /** RFC 6191, RFC 1122 4.2.2.13 (MAY-2): a SYN that cannot be an old duplicate. */
  #synIsNewer(seg: Segment): boolean {
    if (!this.env.settings.timeWaitReuseOnSyn) return false
    if (after(seg.seq, this.#rcvNxt)) return true
    return this.#timestamps && seg.hasTimestamps && after(seg.tsVal, this.#tsRecent)
  }

  #reopen(seg: Segment, now: Instant): void {
    const listener = this.env.findListener(this.local, this.localPort, this.remote, this.remotePort)
    if (listener === null && this.env.settings.timeWaitAnswers === 'everything') return this.#answer(seg, now)
    const isn = this.nextIsn
    this.end('rcv SYN', now)
    if (listener === null) return sendResetFor(this.env, seg, now, this, this)
    const shared = this.env.shared
    shared.nextIsn = isn
    listener.segmentArrives(seg, now)
    shared.nextIsn = null
  }

  #resetArrives(seg: Segment, now: Instant): void {
    // RFC 1337: a RST does not end TIME-WAIT; RFC 5961 3.2: and only the exact one counts
    const protectedState = this.state === State.TimeWait && this.env.settings.rfc1337
    if (protectedState || (seg.seq !== this.#rcvNxt && !this.env.settings.insecureRst) || !this.#inWindow(seg)) {
      return drop(this.env, this, seg, DropReason.TimeWait, now)
    }
    this.end('rcv RST', now)
  }

  #abort(seg: Segment, event: string, now: Instant): void {
    sendResetFor(this.env, seg, now, this, this)
    this.end(event, now)
  }

  #isFinAgain(seg: Segment): boolean {
    return (seg.flags & FIN) !== 0 && seqAdd(seg.seq, seg.length) === this.#rcvNxt
  }

  /** PAWS (RFC 7323 5.3) as far as a record can. */
  #isOld(seg: Segment): boolean {
    return this.#timestamps && seg.hasTimestamps && before(seg.tsVal, this.#tsRecent) && !(seg.flags & RST)
  }

  #inWindow(seg: Segment): boolean {
    const window = Math.max(this.#windowOctets, 1)
    const start = seqDiff(seg.seq, this.#rcvNxt)
    if (start >= 0) return start < window || (start === 0 && seg.length === 0)
    const end = seqAdd(seg.seq, seg.length)
    return seg.length > 0 && after(end, this.#rcvNxt)
  }

  /** An ACK for what is not acceptable, not too often (Linux). */
  #answer(seg: Segment, now: Instant): void {
    if (seg.flags & RST) return drop(this.env, this, seg, DropReason.TimeWait, now)
    if (seg.textLength === 0 && this.env.settings.invalidRateLimit > 0 && !invalidAnswerAllowed(this, now)) {
      this.env.counters.count('TcpExtTCPACKSkippedTimeWait')
      return drop(this.env, this, seg, DropReason.TimeWait, now)
    }
    this.#acknowledge(now)
  }

  #acknowledge(now: Instant): void {
    this.#send(ACK, this.#window, now)
  }

  #send(flags: number, window: number, now: Instant): void {
    const { out } = this.env
    out.reset()
    addressed(out, this.local, this.localPort, this.remote, this.remotePort)
    out.ttl = this.ttl
    out.dscp = this.dscp
    out.flowLabel = this.#flowLabel
    out.ipOptions = this.#ipOptions
    if (this.#look & 0x20) out.ecn = ECT0
    out.seq = this.#sndNxt
    out.ack = this.#rcvNxt
    out.flags = flags
    out.window = window
    let at = 0
    if (this.#timestamps) {
      const bytes = out.optionBytes
      at = putTimestamps(bytes, putNop(bytes, putNop(bytes, 0)), timestampAt(now, this.#tsOffset), this.#tsRecent)
      out.optionBytesLength = at
    }
    if (this.md5Key !== null) sign(out, at, this.md5Key)
    this.env.transmit(this, out, false, now)
  }

  /** (Re)starts its only timer. */
  restart(length: Millis, now: Instant): void {
    this.deadline = now + length
    this.env.schedule(this, this.deadline)
    const { observer } = this.env
    if (observer === null) return
    observer.timerArmed(this, this.state === State.TimeWait ? 'time-wait' : 'fin-wait-2', this.deadline, now)
  }
}

/** With AccECN ACKs are ECT, this record's too, though it counts nothing any more (Linux). */
const ectBit = (c: Connection): number => (c.ecn?.accurate && !c.ecn.aceBroken ? 0x20 : 0)

const isLoopback = (address: IpAddress): boolean =>
  address.isIPv4
    ? address.w3 >>> 24 === 127
    : address.w0 === 0 && address.w1 === 0 && address.w2 === 0 && address.w3 === 1

/** The connection goes to TIME-WAIT and leaves a record in its place. The ACK of the peer's FIN has been sent. */
export function enterTimeWait(c: Connection, event: string, now: Instant): void {
  const { env } = c
  setState(c, State.TimeWait, event, env.observer, now)
  if (env.shared.timeWaits >= env.settings.maxTimeWait || isWaste(c)) {
    env.counters.count('TcpExtTCPTimeWaitOverflow')
    return finish(c, 'too many', now)
  }
  env.counters.count('TcpExtTW')
  leaveRecord(c, 2 * env.settings.msl, now)
}

/** An orphan in FIN-WAIT-2: it waits for the peer's FIN no longer than the settings say, as a record if they say so. */
export function limitFinWait2(c: Connection, now: Instant): void {
  const { settings } = c.env
  const limit = c.options.finWait2 >= 0 ? c.options.finWait2 : settings.orphanFinWait2
  if (limit === Number.POSITIVE_INFINITY) return
  // long enough for a FIN that is lost to be sent again (Linux tcp_fin_time)
  const length = settings.finWait2Record ? Math.max(limit, c.rtt.rto * 3.5) : limit
  if (settings.finWait2Record) leaveRecord(c, length, now)
  else arm(c, Timer.FinWait2, now + length, now)
}

/** Timer.FinWait2 of a connection fired. */
export function finWait2Expired(c: Connection, now: Instant): void {
  if (c.state === State.FinWait2) finish(c, 'timeout: fin-wait-2', now)
}

function leaveRecord(c: Connection, length: Millis, now: Instant): void {
  const { env } = c
  const record = new TimeWait(c, now)
  disarmAll(c, now)
  endSending(c)
  leaveOrphans(c)
  env.replace(c, record)
  env.shared.timeWaits++
  if (record.holder !== null) c.ended = record
  record.restart(length, now)
}

/** FreeBSD `nolocaltimewait`: the peer is on this host, nothing can be under way. */
function isWaste(c: Connection): boolean {
  const { env } = c
  if (!env.settings.noLocalTimeWait) return false
  return env.find(c.remote, c.remotePort, c.local, c.localPort) !== null
}
