import { FIN, SYN } from '../../wire/index.js'

/** What loss recovery knows of a record (RFC 6675's scoreboard), as bits. */
export const Mark = {
  /** SACKed. */
  Sacked: 1,
  /** Sent again and that copy is believed in flight. */
  Retransmitted: 2,
  /** Believed lost. */
  Lost: 4,
  /** Sent again at some time. */
  EverRetransmitted: 8,
} as const

const RETRANSMITTED_EVER = Mark.Retransmitted | Mark.EverRetransmitted

/**
 * A piece of sequence space that is sent, timed, SACKed and retransmitted as a whole: one segment, or a super-segment of
 * several. Records form one list by sequence number, from SND.UNA to the end of what was written, and those in flight a
 * second one by the time they were last sent (RFC 8985 6.2).
 */
export class SendRecord {
  seq = 0
  /** After the last octet; SYN and FIN count. */
  endSeq = 0
  /** SYN, FIN and PSH of the segments made of it. */
  flags = 0
  /** Segments it makes at `mss`. 0: not cut yet. */
  segments = 0
  /** Octets of text per segment. */
  mss = 0
  /** Bits of `Mark`. */
  marks = 0
  /** Nothing is appended to it nor joined with it (MSG_EOR). */
  endOfRecord = false
  /** Octets of send buffer it is charged, overhead included. */
  charge = 0
  /** When it was last sent, ms. */
  sentAt = -0.5
  // --- delivery rate (what was known when it was last sent) ---
  delivered = 0
  deliveredCe = 0
  /** -1: does not make a rate sample (any more). */
  deliveredAt = -0.5
  firstSentAt = -0.5
  appLimited = false

  previous: SendRecord | null = null
  next: SendRecord | null = null
  earlier: SendRecord | null = null
  later: SendRecord | null = null
  timed = false

  /** Octets of text. */
  get length(): number {
    const { flags } = this
    return ((this.endSeq - this.seq) | 0) - (flags & FIN ? 1 : 0) - (flags & SYN ? 1 : 0)
  }

  get everRetransmitted(): boolean {
    return (this.marks & RETRANSMITTED_EVER) !== 0
  }

  /** Counts the segments it makes of `mss` octets. */
  cut(mss: number): void {
    const { length } = this
    this.mss = mss
    this.segments = length <= mss ? 1 : Math.ceil(length / mss)
  }
}

/** Records not in use; their number is bounded, the rest is left to the garbage collector. */
const pool: SendRecord[] = []
const POOL_LIMIT = 4096

export function takeRecord(): SendRecord {
  return pool.pop() ?? new SendRecord()
}

export function giveRecord(record: SendRecord): void {
  if (pool.length >= POOL_LIMIT) return
  record.flags = 0
  record.segments = 0
  record.mss = 0
  record.marks = 0
  record.endOfRecord = false
  record.charge = 0
  record.sentAt = -1
  record.deliveredAt = -1
  record.appLimited = false
  record.previous = null
  record.next = null
  record.earlier = null
  record.later = null
  record.timed = false
  pool.push(record)
}
