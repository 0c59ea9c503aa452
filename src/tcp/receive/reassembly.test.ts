import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seqAdd, seqDiff } from '../sequence.js'
import { Reassembly } from './reassembly.js'
import { ReceiveQueue } from './receive-queue.js'

const octetAt = (offset: number): number => (offset * 31 + (offset >>> 8) * 7) & 255

function stream(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => octetAt(from + i))
}

/** What a receiver does with a segment at `offset` of the stream, as text-arrives.ts does it. */
class Receiver {
  readonly queue = new ReceiveQueue()
  readonly reassembly = new Reassembly()
  readonly first: number
  nxt: number
  constructor(first: number) {
    this.first = first
    this.nxt = first
  }
  arrives(offset: number, length: number): void {
    const bytes = stream(offset, length)
    const seq = seqAdd(this.first, offset)
    const old = seqDiff(this.nxt, seq)
    if (old >= length) return
    if (old < 0) {
      if (this.reassembly.insert(bytes, 0, seq, length, true) > 0) this.reassembly.charge(length)
      return
    }
    this.queue.append(bytes, old, length - old, length - old, 100_000)
    const from = this.nxt
    this.nxt = seqAdd(seq, length)
    this.nxt = this.reassembly.drain(this.queue, this.nxt, from, true)
  }
}

const segments = fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 1500 })), { minLength: 1, maxLength: 60 })

test('text that arrives in any order, with any overlaps, is the stream, once and in order [SHLD-31]', () => {
  fc.assert(
    fc.property(segments, fc.integer(), fc.array(fc.nat(2000)), (arrivals, first, reads) => {
      const receiver = new Receiver(first | 0)
      const read: number[] = []
      let last = 0
      for (const [i, [offset, length]] of arrivals.entries()) {
        receiver.arrives(offset, length)
        last = Math.max(last, offset + length)
        const target = new Uint8Array(reads[i % Math.max(reads.length, 1)] ?? 0)
        const n = receiver.queue.read(target, target.length)
        read.push(...target.subarray(0, n))
      }
      // what is missing comes at the end
      receiver.arrives(0, last)
      expect(seqDiff(receiver.nxt, receiver.first)).toBe(last)
      const rest = new Uint8Array(last)
      read.push(...rest.subarray(0, receiver.queue.read(rest, last)))
      expect(read).toEqual(Array.from(stream(0, last)))
      expect(receiver.queue.octets).toBe(0)
      expect(receiver.queue.charged).toBe(0)
      expect(receiver.reassembly.isEmpty).toBe(true)
      expect(receiver.reassembly.octets).toBe(0)
      expect(receiver.reassembly.charged).toBe(0)
    }),
    { numRuns: 300 },
  )
})

test('ranges are sorted, never touch, and count exactly the octets held', () => {
  fc.assert(
    fc.property(segments, (arrivals) => {
      const reassembly = new Reassembly()
      const held = new Set<number>()
      for (const [offset, length] of arrivals) {
        const before = held.size
        for (let i = 0; i < length; i++) held.add(offset + 1 + i)
        const fresh = reassembly.insert(stream(offset + 1, length), 0, offset + 1, length, false)
        if (fresh > 0) reassembly.charge(fresh)
        expect(fresh).toBe(held.size - before)
      }
      expect(reassembly.octets).toBe(held.size)
      const edges = reassembly.edges()
      for (let i = 1; i < edges.length; i++) expect(edges[i]!).toBeGreaterThan(edges[i - 1]!)
    }),
    { numRuns: 200 },
  )
})

test('when memory is short the text farthest from RCV.NXT goes first', () => {
  const reassembly = new Reassembly()
  for (const left of [100, 300, 500]) {
    reassembly.insert(stream(left, 100), 0, left, 100, false)
    reassembly.charge(100)
  }
  expect(reassembly.prune(50, () => reassembly.charged <= 150)).toBe(true)
  expect(reassembly.edges()).toEqual([100, 200])
  expect(reassembly.charged).toBe(100)
})

test('text that is to be taken now is not pruned for', () => {
  const reassembly = new Reassembly()
  reassembly.insert(stream(100, 100), 0, 100, 100, false)
  reassembly.charge(100)
  expect(reassembly.prune(400, () => false)).toBe(false)
  expect(reassembly.edges()).toEqual([100, 200])
})
