import { type State, stateName } from '../tcp/index.js'
import type { IpAddress, Segment } from '../wire/index.js'
import type { SegmentReceived, SegmentSent, Subject, TraceEvent } from './events.js'

/** Where a segment was seen, from whom and to whom: one object for many events. */
export interface Passage {
  readonly host: string
  readonly subject: Subject | null
  readonly source: IpAddress
  readonly destination: IpAddress
}

/** Words of an event about a segment. */
const Word = {
  Flags: 0,
  Ports: 1,
  Seq: 2,
  Ack: 3,
  Window: 4,
  UrgentPointer: 5,
  TextLength: 6,
  Sizes: 7,
  Count: 8,
} as const

/** Bits beside the TCP flags in the first word: ECN field, state of the subject (0: none, else one more), what it was. */
const ECN_SHIFT = 16
const STATE_SHIFT = 18
const SENT = 1 << 24
const RETRANSMISSION = 1 << 25

const MOST_OPTIONS = 40

/**
 * Room for events in columns of numbers: a segment costs no object until somebody wants to see it as an event. Other
 * events, which are few, stand in the same order as the objects they are.
 */
export class SegmentRecords {
  readonly capacity: number
  count = 0
  readonly #at: Float64Array
  readonly #words: Int32Array
  readonly #options: Uint8Array
  /** Of a segment its passage, of anything else the event. */
  readonly #objects: (Passage | TraceEvent | null)[]
  /** Whole packets, if the log keeps them. */
  readonly #packets: (Uint8Array | null)[] = []

  constructor(capacity: number) {
    this.capacity = capacity
    this.#at = new Float64Array(capacity)
    this.#words = new Int32Array(capacity * Word.Count)
    this.#options = new Uint8Array(capacity * MOST_OPTIONS)
    this.#objects = new Array<Passage | TraceEvent | null>(capacity).fill(null)
  }

  addOther(event: TraceEvent): void {
    this.#objects[this.count++] = event
  }

  addSent(
    passage: Passage,
    state: State | null,
    segment: Segment,
    again: boolean,
    packet: Uint8Array | null,
    at: number,
  ) {
    const { optionBytes, optionBytesLength } = segment
    // with the padding they will get
    const length = (optionBytesLength + 3) & ~3
    const index = this.#add(passage, state, segment, length, again ? SENT | RETRANSMISSION : SENT, packet, at)
    const to = index * MOST_OPTIONS
    for (let i = 0; i < length; i++) this.#options[to + i] = i < optionBytesLength ? optionBytes[i]! : 0
  }

  addReceived(passage: Passage, state: State | null, segment: Segment, packet: Uint8Array | null, at: number): void {
    const { bytes, optionsStart, optionsLength } = segment
    const index = this.#add(passage, state, segment, optionsLength, 0, packet, at)
    const to = index * MOST_OPTIONS
    for (let i = 0; i < optionsLength; i++) this.#options[to + i] = bytes[optionsStart + i]!
  }

  #add(
    passage: Passage,
    state: State | null,
    segment: Segment,
    optionsLength: number,
    bits: number,
    packet: Uint8Array | null,
    at: number,
  ): number {
    const index = this.count++
    const words = this.#words
    const word = index * Word.Count
    const about = state === null ? 0 : state + 1
    words[word + Word.Flags] = segment.flags | (segment.ecn << ECN_SHIFT) | (about << STATE_SHIFT) | bits
    words[word + Word.Ports] = (segment.sourcePort << 16) | segment.destinationPort
    words[word + Word.Seq] = segment.seq
    words[word + Word.Ack] = segment.ack
    words[word + Word.Window] = segment.window
    words[word + Word.UrgentPointer] = segment.urgentPointer
    words[word + Word.TextLength] = segment.textLength
    words[word + Word.Sizes] = (optionsLength << 16) | segment.gsoSize
    this.#at[index] = at
    this.#objects[index] = passage
    if (packet !== null) this.#packets[index] = packet
    return index
  }

  /** The events, as objects, behind those in `events`; then there is room again. */
  moveTo(events: TraceEvent[]): void {
    for (let i = 0; i < this.count; i++) {
      const object = this.#objects[i]!
      events.push('type' in object ? object : this.#segmentEvent(i, object))
    }
    this.clear()
  }

  clear(): void {
    this.#objects.fill(null, 0, this.count)
    this.#packets.length = 0
    this.count = 0
  }

  #segmentEvent(index: number, { host, subject, source, destination }: Passage): SegmentSent | SegmentReceived {
    const words = this.#words
    const word = index * Word.Count
    const first = words[word + Word.Flags]!
    const ports = words[word + Word.Ports]!
    const sizes = words[word + Word.Sizes]!
    const about = (first >>> STATE_SHIFT) & 0x3f
    const options = index * MOST_OPTIONS
    const segment = {
      source,
      sourcePort: ports >>> 16,
      destination,
      destinationPort: ports & 0xffff,
      ecn: (first >>> ECN_SHIFT) & 3,
      seq: words[word + Word.Seq]! >>> 0,
      ack: words[word + Word.Ack]! >>> 0,
      flags: first & 0xffff,
      window: words[word + Word.Window]!,
      urgentPointer: words[word + Word.UrgentPointer]!,
      textLength: words[word + Word.TextLength]!,
      gsoSize: sizes & 0xffff,
      options: this.#options.slice(options, options + (sizes >>> 16)),
    }
    const at = this.#at[index]!
    const state = about === 0 ? null : stateName((about - 1) as State)
    const packet = this.#packets[index] ?? null
    if ((first & SENT) === 0) return { type: 'received', at, host, subject, state, segment, packet }
    const retransmission = (first & RETRANSMISSION) !== 0
    return { type: 'sent', at, host, subject, state, segment, retransmission, packet }
  }
}
