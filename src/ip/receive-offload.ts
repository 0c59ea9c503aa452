import type { Endpoint, Instant } from '../tcp/index.js'
import {
  checksumAdd,
  checksumFold,
  type Frame,
  IPPROTO_TCP,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  PSH,
  pseudoHeaderSum,
  read16,
  read32,
  type Segment,
  TCP_HEADER_LENGTH,
} from '../wire/index.js'

/** Most text of segments joined, octets: what fits an IP packet with any headers (Linux GRO_LEGACY_MAX_SIZE). */
const MOST_TEXT = 65_535 - 40 - 60

/** Where things are in a TCP header: the sequence number, the flags below the data offset. */
const SEQ = 4
const FLAGS = 13

/**
 * What must be the same in the headers of segments that are joined, as masks of their words: not length, identification,
 * checksums, sequence number, PSH and urgent pointer.
 */
const SAME_IN_TCP = [
  ...[0xff, 0xff, 0xff, 0xff],
  ...[0, 0, 0, 0],
  ...[0xff, 0xff, 0xff, 0xff],
  ...[0xff, 0xff & ~PSH, 0xff, 0xff],
  ...[0, 0, 0, 0],
  ...new Array<number>(40).fill(0xff),
]
const SAME_IN_IPV4 = wordsOf([
  ...[0xff, 0xff, 0, 0],
  ...[0, 0, 0xff, 0xff],
  ...[0xff, 0xff, 0, 0],
  ...new Array<number>(8).fill(0xff),
  ...SAME_IN_TCP,
])
const SAME_IN_IPV6 = wordsOf([
  ...[0xff, 0xff, 0xff, 0xff],
  ...[0, 0, 0xff, 0xff],
  ...new Array<number>(32).fill(0xff),
  ...SAME_IN_TCP,
])

function wordsOf(octets: readonly number[]): Int32Array {
  return new Int32Array(Uint8Array.from(octets).buffer)
}

/**
 * Receive offload (Linux's GRO): segments of one connection that arrive together, each the continuation of the one
 * before, are given to the machine as one. They must be in order, have the same acknowledgment, window, flags and options
 * and the same IP header but for length and identification, each with right checksums, and text as long as the first's;
 * a shorter one or one with PSH is the last.
 */
export class ReceiveOffload {
  /** Whose segment is held back; null: none is. */
  endpoint: Endpoint | null = null
  /** The frame that brought it. */
  first: Frame | null = null
  readonly #segment: Segment
  #same = SAME_IN_IPV4
  /** Octets of IP header, and of both, that each of them has. */
  #ipLength = 0
  headerLength = 0
  /** Sum of the pseudo-header without a length. */
  #pseudo = 0
  /** Octets of text that may still be joined. */
  #room = 0
  /** Sequence number that continues what is held. */
  #next = 0

  /** @param segment what is held, as it is given to the machine */
  constructor(segment: Segment) {
    this.#segment = segment
  }

  /** Holds the segment back that `frame` brought, if others may be joined to it. True: it, and the frame, are held. */
  holds(endpoint: Endpoint, frame: Frame): boolean {
    const segment = this.#segment
    const { textLength } = segment
    if (textLength === 0 || endpoint.joinableText === undefined || frame.gsoSize !== 0) return false
    const { isIPv4 } = segment.destination
    const ipLength = isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
    // nothing between the headers
    if (!atWord(frame) || segment.optionsStart !== frame.start + ipLength + TCP_HEADER_LENGTH) return false
    const room = Math.min(endpoint.joinableText(segment), MOST_TEXT) - textLength
    if (room < textLength) return false
    this.endpoint = endpoint
    this.first = frame
    this.#same = isIPv4 ? SAME_IN_IPV4 : SAME_IN_IPV6
    this.#ipLength = ipLength
    this.headerLength = segment.textStart - frame.start
    this.#pseudo = pseudoHeaderSum(segment.source, segment.destination, IPPROTO_TCP, 0)
    this.#room = room
    this.#next = (segment.seq + textLength) | 0
    segment.gsoSize = textLength
    return true
  }

  /** True: `frame` continued what is held, and is part of it now. */
  joins(frame: Frame): boolean {
    const segment = this.#segment
    const { bytes, start, end } = frame
    const tcp = start + this.#ipLength
    const text = end - start - this.headerLength
    if (text <= 0 || text > segment.gsoSize || text > this.#room || frame.gsoSize !== 0 || !atWord(frame)) return false
    if (!this.#sameHeaders(frame) || read32(bytes, tcp + SEQ) !== this.#next) return false
    if (!this.#lengthAndChecksumsRight(frame)) return false
    const pushed = (bytes[tcp + FLAGS]! & PSH) !== 0
    if (pushed) segment.flags |= PSH
    this.#room = pushed || text < segment.gsoSize ? 0 : this.#room - text
    segment.textLength += text
    this.#next = (this.#next + text) | 0
    frame.start += this.headerLength
    segment.joined.push(frame)
    return true
  }

  #sameHeaders(frame: Frame): boolean {
    const first = this.first!
    const words = frame.words!
    const firstWords = first.words!
    const at = frame.start >>> 2
    const firstAt = first.start >>> 2
    const same = this.#same
    let different = 0
    for (let i = 0; i < this.headerLength >>> 2; i++) {
      different |= (words[at + i]! ^ firstWords[firstAt + i]!) & same[i]!
    }
    return different === 0
  }

  #lengthAndChecksumsRight(frame: Frame): boolean {
    const { bytes, start, end } = frame
    const tcp = start + this.#ipLength
    if (this.#ipLength === IPV4_HEADER_LENGTH) {
      if (read16(bytes, start + 2) !== end - start) return false
      if (!ipv4HeaderIsRight(frame.words!, start >>> 2)) return false
    } else if (read16(bytes, start + 4) !== end - tcp) return false
    if (frame.checksumPartial) return true
    return checksumFold(checksumAdd(this.#pseudo + end - tcp, bytes, tcp, end)) === 0
  }

  /** Gives what is held to the machine. */
  deliver(now: Instant): void {
    const { endpoint } = this
    if (endpoint === null) return
    const segment = this.#segment
    const { joined } = segment
    this.endpoint = null
    if (joined.count === 0) segment.gsoSize = 0
    endpoint.segmentArrives(segment, now)
    this.first!.release()
    this.first = null
    for (let i = 0; i < joined.count; i++) joined.items[i]!.release()
    joined.clear()
  }
}

/** Its headers can be looked at word by word. */
const atWord = ({ words, start }: Frame): boolean => words !== null && (start & 3) === 0

/** The sum of an IPv4 header of 20 octets, in words of this machine: the order of octets does not matter (RFC 1071 2 B). */
function ipv4HeaderIsRight(words: Uint32Array, at: number): boolean {
  let sum = 0
  for (let i = at; i < at + 5; i++) sum += (words[i]! >>> 16) + (words[i]! & 0xffff)
  sum = (sum >>> 16) + (sum & 0xffff)
  return (sum >>> 16) + (sum & 0xffff) === 0xffff
}
