import { FIN, PSH, SYN, type TextElsewhere, type TextSource } from '../../wire/index.js'
import { giveRecord, type SendRecord, takeRecord } from './send-record.js'
import { SendText } from './send-text.js'

/**
 * What was written and is not acknowledged: the text, and a record of each segment or super-segment. Records before
 * `unsent` are in flight, the others wait for their turn.
 */
export class SendQueue implements TextSource {
  /** Sequence number after the last octet written, FIN included. */
  writeSeq: number
  head: SendRecord | null = null
  tail: SendRecord | null = null
  /** First record not sent yet. */
  unsent: SendRecord | null = null
  /** Records in flight by the time they were last sent, oldest first. */
  earliest: SendRecord | null = null
  latest: SendRecord | null = null
  /** Octets of send buffer in use, overhead included. */
  charged = 0
  /** What a record costs beyond its text, octets of send buffer. */
  readonly overhead: number
  /** null: there never was any. */
  #text: SendText | null = null

  constructor(seq: number, overhead: number) {
    this.writeSeq = seq
    this.overhead = overhead
  }

  get empty(): boolean {
    return this.head === null
  }

  /** Last record that was sent. */
  get lastSent(): SendRecord | null {
    return this.unsent === null ? this.tail : this.unsent.previous
  }

  copyText(seq: number, length: number, target: Uint8Array, at: number): void {
    this.#text!.copyText(seq, length, target, at)
  }

  findText(seq: number, length: number, into: TextElsewhere): boolean {
    return this.#text!.findText(seq, length, into)
  }

  /** A new record behind all others, of no text yet. */
  append(flags: number): SendRecord {
    const record = takeRecord()
    const seq = this.writeSeq
    const length = flags & (SYN | FIN) ? 1 : 0
    record.seq = seq
    record.endSeq = this.writeSeq = (seq + length) | 0
    record.flags = flags
    record.charge = this.overhead
    this.charged += this.overhead
    this.#linkAfter(this.tail, record)
    if (this.unsent === null) this.unsent = record
    return record
  }

  /** Text for the last record. */
  appendText(chunk: Uint8Array, from: number, length: number, keep: boolean): void {
    const record = this.tail!
    this.#text ??= new SendText()
    if (keep) this.#text.keep(chunk, from, length, this.writeSeq)
    else this.#text.append(chunk, from, length, this.writeSeq)
    record.endSeq = this.writeSeq = (this.writeSeq + length) | 0
    record.segments = 0
    record.charge += length
    this.charged += length
  }

  /** As `append` and `appendText` of an empty queue, for text of one segment that is sent now: its record is in flight. */
  sendAlone(chunk: Uint8Array, flags: number, mss: number): SendRecord {
    const record = takeRecord()
    const { length } = chunk
    const seq = this.writeSeq
    this.#text ??= new SendText()
    this.#text.append(chunk, 0, length, seq)
    record.seq = seq
    record.endSeq = this.writeSeq = (seq + length) | 0
    record.flags = flags
    record.mss = mss
    record.segments = 1
    this.charged = record.charge = this.overhead + length
    record.timed = true
    this.head = this.tail = this.earliest = this.latest = record
    return record
  }

  /** FIN on the last record. */
  appendFin(): void {
    const record = this.tail!
    record.flags |= FIN
    record.endSeq = this.writeSeq = (this.writeSeq + 1) | 0
  }

  /** Forgets a last record without text. */
  dropTail(): void {
    this.#remove(this.tail!)
  }

  /** `unsent` was sent. */
  advance(): void {
    this.unsent = this.unsent!.next
  }

  /**
   * Cuts a record after `length` octets of text; the second half, which FIN, PSH and the end of a record of the program
   * go to, is returned. Its place by time is right behind the first.
   */
  split(record: SendRecord, length: number, mss: number): SendRecord {
    const rest = takeRecord()
    const at = (record.seq + (record.flags & SYN ? 1 : 0) + length) | 0
    rest.seq = at
    rest.endSeq = record.endSeq
    const moved = record.length - length
    record.endSeq = at
    rest.flags = record.flags & (FIN | PSH)
    record.flags &= SYN
    rest.marks = record.marks
    rest.endOfRecord = record.endOfRecord
    record.endOfRecord = false
    rest.sentAt = record.sentAt
    rest.delivered = record.delivered
    rest.deliveredCe = record.deliveredCe
    rest.deliveredAt = record.deliveredAt
    rest.firstSentAt = record.firstSentAt
    rest.appLimited = record.appLimited
    rest.charge = moved + this.overhead
    record.charge -= moved
    this.charged += this.overhead
    record.cut(mss)
    rest.cut(mss)
    this.#linkAfter(record, rest)
    if (record.timed) this.#timeAfter(record, rest)
    return rest
  }

  /** Moves `length` octets from the record behind `record` to it, that one with all its flags when it is used up. True: it was. */
  grow(record: SendRecord, length: number): boolean {
    const next = record.next!
    record.segments = 0
    if (length < next.length) {
      record.endSeq = (record.endSeq + length) | 0
      next.seq = record.endSeq
      next.segments = 0
      record.charge += length
      next.charge -= length
      return false
    }
    record.endSeq = next.endSeq
    record.flags |= next.flags
    record.endOfRecord = next.endOfRecord
    record.charge += length
    next.charge -= length
    this.#remove(next)
    return true
  }

  /** The first `length` octets of the oldest record are acknowledged. */
  trimHead(record: SendRecord, length: number): void {
    record.seq = (record.seq + length) | 0
    record.charge -= length
    this.charged -= length
  }

  /** A record is acknowledged as a whole. */
  remove(record: SendRecord): void {
    this.#remove(record)
  }

  /** Text before `seq` is not needed any more. */
  release(seq: number): void {
    this.#text?.release(seq)
  }

  /** Everything: the connection is closed. */
  clear(): void {
    for (let record = this.head; record !== null; ) {
      const { next } = record
      giveRecord(record)
      record = next
    }
    this.head = this.tail = this.unsent = this.earliest = this.latest = null
    this.charged = 0
    this.#text?.release(this.writeSeq)
  }

  // --- by time ---

  /** The record was just sent: it is the latest. */
  stamp(record: SendRecord): void {
    if (record.timed) {
      if (record === this.latest) return
      this.unstamp(record)
    }
    record.timed = true
    record.earlier = this.latest
    record.later = null
    if (this.latest === null) this.earliest = record
    else this.latest.later = record
    this.latest = record
  }

  /** The record is not waited for any more: SACKed, lost or acknowledged. */
  unstamp(record: SendRecord): void {
    if (!record.timed) return
    const { earlier, later } = record
    if (earlier === null) this.earliest = later
    else earlier.later = later
    if (later === null) this.latest = earlier
    else later.earlier = earlier
    record.earlier = null
    record.later = null
    record.timed = false
  }

  #timeAfter(record: SendRecord, added: SendRecord): void {
    const { later } = record
    added.timed = true
    added.earlier = record
    added.later = later
    record.later = added
    if (later === null) this.latest = added
    else later.earlier = added
  }

  #linkAfter(before: SendRecord | null, record: SendRecord): void {
    record.previous = before
    if (before === null) {
      record.next = this.head
      this.head = record
    } else {
      record.next = before.next
      before.next = record
    }
    if (record.next === null) this.tail = record
    else record.next.previous = record
  }

  #remove(record: SendRecord): void {
    const { previous, next } = record
    if (previous === null) this.head = next
    else previous.next = next
    if (next === null) this.tail = previous
    else next.previous = previous
    if (this.unsent === record) this.unsent = next
    this.unstamp(record)
    this.charged -= record.charge
    giveRecord(record)
  }
}
