import { after, type Instant, seqDiff } from '../tcp/index.js'
import type { TcpSocket } from './socket.js'

/** struct sock_extended_err by its field names; numbers are Linux's. A type, so that it is a record of numbers. */
export type ExtendedError = {
  readonly ee_errno: number
  readonly ee_origin: number
  readonly ee_type: number
  readonly ee_code: number
  readonly ee_info: number
  readonly ee_data: number
}

/** What MSG_ERRQUEUE gives: an error, and for time stamps the time. */
export interface QueuedError {
  readonly error: ExtendedError
  /** SCM_TIMESTAMPING, ms of the host's clock; null: it is not about time. */
  readonly timestamp: Instant | null
  /** There was text that the program did not want (MSG_TRUNC). */
  readonly truncated: boolean
}

const ORIGIN_TIMESTAMPING = 4
const ORIGIN_ZEROCOPY = 5
const ZEROCOPY_COPIED = 1
const ENOMSG = 42

/** SOF_TIMESTAMPING_ bits. */
const Stamping = {
  TxSoftware: 0x2,
  Software: 0x10,
  OptId: 0x80,
  TxSched: 0x100,
  TxAck: 0x200,
  OptTsOnly: 0x800,
  OptIdTcp: 0x10000,
}
/** ee_info of a time stamp. */
const Stamp = { Sent: 0, Scheduled: 1, Acknowledged: 2 } as const

/** A write whose last octet is watched on its way. */
interface Mark {
  /** Sequence number after it. */
  readonly end: number
  /** ee_data: octets before its last one since stamps are counted. */
  readonly key: number
  readonly wants: number
  sent: boolean
}

/** A write with MSG_ZEROCOPY whose text is not all acknowledged. */
interface ZeroCopy {
  readonly end: number
  readonly id: number
}

/**
 * What a socket tells by MSG_ERRQUEUE (Linux): completions of MSG_ZEROCOPY writes, neighbours joined to ranges, and the
 * times when the last octet of a write was sent and acknowledged (SO_TIMESTAMPING). Text is always copied here, and the
 * completions say so (SO_EE_CODE_ZEROCOPY_COPIED).
 */
export class ErrorQueue {
  readonly #queue: QueuedError[] = []
  readonly #marks: Mark[] = []
  readonly #zeroCopies: ZeroCopy[] = []
  #nextId = 0
  #countedFrom = 0

  get empty(): boolean {
    return this.#queue.length === 0
  }

  /** The oldest entry, which is taken out; null: none. */
  take(): QueuedError | null {
    return this.#queue.shift() ?? null
  }

  /** SO_TIMESTAMPING was set: ee_data counts octets from here (SOF_TIMESTAMPING_OPT_ID). */
  countTextFrom(s: TcpSocket, flags: number): void {
    const c = s.connection
    if ((flags & Stamping.OptId) === 0 || c === null) return
    this.#countedFrom = (flags & Stamping.OptIdTcp) !== 0 ? c.snd.queue.writeSeq : c.snd.una
  }

  /** A write that took `octets` was made with MSG_ZEROCOPY. */
  wroteZeroCopy(s: TcpSocket, octets: number, now: Instant): void {
    if (octets === 0 || s.connection === null) return
    this.#zeroCopies.push({ end: s.connection.snd.queue.writeSeq, id: this.#nextId++ })
    s.connection.snd.tellsAcks = true
    this.progress(s, now)
  }

  /** A write was made on a socket with SO_TIMESTAMPING. */
  wrote(s: TcpSocket, octets: number, now: Instant): void {
    const { timestamping } = s.own
    const c = s.connection
    if (
      octets === 0 ||
      c === null ||
      (timestamping & (Stamping.TxSoftware | Stamping.TxSched | Stamping.TxAck)) === 0
    ) {
      return
    }
    if (this.#countedFrom === 0) this.#countedFrom = (c.snd.iss + 1) | 0
    const end = c.snd.queue.writeSeq
    const key = (timestamping & Stamping.OptId) === 0 ? 0 : seqDiff(end, this.#countedFrom) - 1
    this.#marks.push({ end, key, wants: timestamping, sent: false })
    c.snd.tellsAcks = true
    this.progress(s, now)
  }

  /** Something was sent or acknowledged. True: there is something new in the queue. */
  progress(s: TcpSocket, now: Instant): boolean {
    const c = s.connection
    if (c === null || (this.#marks.length === 0 && this.#zeroCopies.length === 0)) return false
    const before = this.#queue.length
    const { una, nxt } = c.snd
    for (const mark of this.#marks) {
      if (mark.sent || after(mark.end, nxt)) continue
      mark.sent = true
      if (mark.wants & Stamping.TxSched) this.#stamp(mark, Stamp.Scheduled, now)
      if (mark.wants & Stamping.TxSoftware) this.#stamp(mark, Stamp.Sent, now)
    }
    while (this.#marks.length > 0 && !after(this.#marks[0]!.end, una)) {
      const mark = this.#marks.shift()!
      if (mark.wants & Stamping.TxAck) this.#stamp(mark, Stamp.Acknowledged, now)
    }
    while (this.#zeroCopies.length > 0 && (s.gone || !after(this.#zeroCopies[0]!.end, una))) {
      this.#complete(this.#zeroCopies.shift()!.id)
    }
    if (this.#marks.length === 0 && this.#zeroCopies.length === 0) c.snd.tellsAcks = false
    return this.#queue.length > before
  }

  #stamp(mark: Mark, info: number, now: Instant): void {
    if ((mark.wants & Stamping.Software) === 0) return
    this.#queue.push({
      error: {
        ee_errno: ENOMSG,
        ee_origin: ORIGIN_TIMESTAMPING,
        ee_type: 0,
        ee_code: 0,
        ee_info: info,
        ee_data: mark.key >>> 0,
      },
      timestamp: now,
      truncated: (mark.wants & Stamping.OptTsOnly) === 0,
    })
  }

  /** A completion; it is joined to the one before it if that ends right before it. */
  #complete(id: number): void {
    const last = this.#queue.at(-1)
    if (last !== undefined && last.error.ee_origin === ORIGIN_ZEROCOPY && last.error.ee_data === id - 1) {
      this.#queue[this.#queue.length - 1] = { ...last, error: { ...last.error, ee_data: id } }
      return
    }
    this.#queue.push({
      error: {
        ee_errno: 0,
        ee_origin: ORIGIN_ZEROCOPY,
        ee_type: 0,
        ee_code: ZEROCOPY_COPIED,
        ee_info: id,
        ee_data: id,
      },
      timestamp: null,
      truncated: false,
    })
  }
}
