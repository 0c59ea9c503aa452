import { copyOctets } from '../../wire/index.js'
import { after, atOrAfter, atOrBefore, before, seqAdd, seqDiff } from '../sequence.js'
import { type Chunk, freeChunk, newChunk, type ReceiveQueue } from './receive-queue.js'
import { SackList } from './sack.js'

/** A stretch of text without holes, beyond RCV.NXT. */
interface Range {
  left: number
  right: number
  head: Chunk
  tail: Chunk
  charge: number
}

/**
 * Text that arrived out of order (RFC 9293 3.10.7.4, seventh: it may be held), as ranges in order of sequence numbers.
 * Of text that arrives twice the first copy is kept. Made when a connection first needs it.
 */
export class Reassembly {
  readonly sacks = new SackList()
  /** Octets held, and what they cost of the receive buffer. */
  octets = 0
  charged = 0
  /** Segments taken, for a limit on how many are held. */
  segments = 0
  /** A FIN that came out of order: its sequence number; valid while `hasFin`. */
  finSeq = 0
  hasFin = false
  readonly #ranges: Range[] = []
  #latest: Range | null = null

  get isEmpty(): boolean {
    return this.#ranges.length === 0 && !this.hasFin
  }

  /** Edges of the ranges, for tests and for those who watch: left and right of each in order. */
  edges(): number[] {
    return this.#ranges.flatMap(({ left, right }) => [left, right])
  }

  /** Right end of what is held; valid unless it is empty. */
  get rightEdge(): number {
    const last = this.#ranges[this.#ranges.length - 1]
    if (last === undefined) return this.hasFin ? seqAdd(this.finSeq, 1) : 0
    return last.right
  }

  /**
   * Holds text [seq, seq + length) found at `start` of `bytes`, copied. What of it is held already is reported to the
   * SACK list as a duplicate when `reportDuplicates`. Returns how many octets were new.
   */
  insert(bytes: Uint8Array, start: number, seq: number, length: number, reportDuplicates: boolean): number {
    const end = seqAdd(seq, length)
    const ranges = this.#ranges
    let first = this.#firstNotBefore(seq)
    // the range before may reach into it or adjoin it
    if (first > 0 && atOrAfter(ranges[first - 1]!.right, seq)) first--
    let beyond = first
    let from = seq
    let fresh = 0
    let head: Chunk | null = null
    let tail: Chunk | null = null
    let left = seq
    let right = end
    let cost = 0
    while (beyond < ranges.length && atOrBefore(ranges[beyond]!.left, end)) {
      const range = ranges[beyond]!
      if (reportDuplicates) this.#reportOverlap(range, seq, end)
      const gap = seqDiff(range.left, from)
      if (gap > 0) {
        const piece = ownCopy(bytes, start + seqDiff(from, seq), gap)
        head ??= piece
        if (tail !== null) tail.next = piece
        tail = piece
        fresh += gap
      }
      head ??= range.head
      if (tail !== null) tail.next = range.head
      tail = range.tail
      cost += range.charge
      if (before(range.left, left)) left = range.left
      if (after(range.right, right)) right = range.right
      if (after(range.right, from)) from = range.right
      beyond++
    }
    const rest = seqDiff(end, from)
    if (rest > 0) {
      const piece = ownCopy(bytes, start + seqDiff(from, seq), rest)
      head ??= piece
      if (tail !== null) tail.next = piece
      tail = piece
      fresh += rest
    }
    this.octets += fresh
    const merged: Range = { left, right, head: head!, tail: tail!, charge: cost }
    this.#latest = merged
    if (beyond === first + 1) ranges[first] = merged
    else ranges.splice(first, beyond - first, merged)
    this.sacks.received(left, right)
    return fresh
  }

  /** What the segment inserted last costs of the receive buffer. */
  charge(cost: number): void {
    const range = this.#latest!
    range.charge += cost
    range.tail.charge += cost
    this.charged += cost
    this.segments++
  }

  /**
   * Moves what has come in order to `queue` and returns RCV.NXT after it. Text below `nxt` that is held too is left out
   * and reported as a duplicate when `reportDuplicates`: [segmentStart, nxt) has just arrived.
   */
  drain(queue: ReceiveQueue, nxt: number, segmentStart: number, reportDuplicates: boolean): number {
    const ranges = this.#ranges
    let reached = nxt
    let done = 0
    while (done < ranges.length && atOrBefore(ranges[done]!.left, reached)) {
      const range = ranges[done]!
      if (reportDuplicates) this.#reportOverlap(range, segmentStart, nxt)
      const octets = seqDiff(range.right, range.left)
      this.octets -= octets
      this.charged -= range.charge
      const keep = seqDiff(range.right, reached)
      if (keep > 0) {
        const head = this.#dropFront(range, octets - keep)
        queue.appendChunks(head, range.tail, keep, range.charge)
        reached = range.right
      } else freeChunks(range.head)
      done++
    }
    if (done > 0) ranges.splice(0, done)
    if (ranges.length === 0) this.segments = 0
    this.sacks.acknowledged(reached)
    return reached
  }

  /** Remembers a FIN out of order. */
  holdFin(seq: number): void {
    this.hasFin = true
    this.finSeq = seq
  }

  /**
   * Throws away ranges from the far end, which the sender will send again last, until `enough` says so. Not those at or
   * before `keep`, the segment for which room is made. True: something was thrown away.
   */
  prune(keep: number, enough: () => boolean): boolean {
    const ranges = this.#ranges
    let pruned = false
    while (ranges.length > 0 && !enough()) {
      const range = ranges[ranges.length - 1]!
      if (after(keep, range.left)) break
      ranges.pop()
      this.octets -= seqDiff(range.right, range.left)
      this.charged -= range.charge
      freeChunks(range.head)
      pruned = true
    }
    if (pruned) {
      this.sacks.forget()
      this.hasFin = false
      if (ranges.length === 0) this.segments = 0
    }
    return pruned
  }

  /** Throws away everything. */
  clear(): void {
    for (const range of this.#ranges) freeChunks(range.head)
    this.#ranges.length = 0
    this.octets = 0
    this.charged = 0
    this.segments = 0
    this.hasFin = false
    this.sacks.forget()
  }

  /** Index of the first range whose left edge is at or after `seq`. Mostly what arrives goes to the end. */
  #firstNotBefore(seq: number): number {
    const ranges = this.#ranges
    let high = ranges.length
    if (high === 0 || after(seq, ranges[high - 1]!.left)) return high
    let low = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      if (before(ranges[middle]!.left, seq)) low = middle + 1
      else high = middle
    }
    return low
  }

  #reportOverlap(range: Range, seq: number, end: number): void {
    const left = after(range.left, seq) ? range.left : seq
    const right = before(range.right, end) ? range.right : end
    if (before(left, right)) this.sacks.receivedTwice(left, right)
  }

  /** Takes `octets` off the front of a range; returns its new head. The charge of what is freed passes to the head. */
  #dropFront(range: Range, octets: number): Chunk {
    let head = range.head
    let left = octets
    while (left > 0) {
      const size = head.end - head.start
      if (size > left) {
        head.start += left
        break
      }
      left -= size
      const next = head.next!
      next.charge += head.charge
      freeChunk(head)
      head = next
    }
    return head
  }
}

/** Out of order is rare and may wait long: a copy of its own size holds no more than it needs. */
function ownCopy(bytes: Uint8Array, start: number, length: number): Chunk {
  const own = new Uint8Array(length)
  copyOctets(bytes, start, length, own, 0)
  return newChunk(own, 0, length, 0)
}

function freeChunks(head: Chunk): void {
  for (let chunk: Chunk | null = head; chunk !== null; ) {
    const next: Chunk | null = chunk.next
    freeChunk(chunk)
    chunk = next
  }
}
