import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Mark } from '../send/send-record.js'
import { Sender } from '../testing/sender.js'

/** A peer that keeps what arrives out of order and acknowledges every segment, with SACK and DSACK (RFC 2018, 2883). */
class Peer {
  next = 1
  readonly held = new Map<number, number>()
  last: [number, number] | null = null

  /** A segment arrives; what the ACK says. */
  arrives(seq: number, end: number): { ack: number; sack: [number, number][] } {
    let duplicate: [number, number] | null = null
    if (end <= this.next) duplicate = [seq, end]
    else if ([...this.held].some(([l, r]) => l <= seq && end <= r)) duplicate = [seq, end]
    else {
      this.held.set(seq, Math.max(end, this.held.get(seq) ?? 0))
      this.last = [seq, end]
    }
    for (let moved = true; moved; ) {
      moved = false
      for (const [l, r] of this.held) {
        if (l > this.next) continue
        this.held.delete(l)
        if (r > this.next) this.next = r
        moved = true
      }
    }
    return { ack: this.next, sack: duplicate === null ? this.blocks() : [duplicate, ...this.blocks()].slice(0, 4) }
  }

  blocks(): [number, number][] {
    const sorted = [...this.held].sort((a, b) => a[0] - b[0])
    const merged: [number, number][] = []
    for (const [l, r] of sorted) {
      const before = merged.at(-1)
      if (before !== undefined && l <= before[1]) before[1] = Math.max(before[1], r)
      else merged.push([l, r])
    }
    const recent = merged.findIndex(([l, r]) => this.last !== null && l <= this.last[0] && this.last[1] <= r)
    if (recent > 0) merged.unshift(...merged.splice(recent, 1))
    return merged.slice(0, 4)
  }
}

/** What is wrong with the counts that loss recovery keeps of its records; '' : nothing. */
function wrongCounts(s: Sender, sack: boolean): string {
  const { recovery, snd } = s.c
  const { queue } = snd
  const wrong: string[] = []
  const same = (what: string, kept: number, is: number) => {
    if (kept !== is) wrong.push(`${what} is ${kept}, should be ${is}`)
  }
  // a peer may acknowledge part of a segment; it stays whole
  const early = queue.head === null ? 0 : (snd.una - queue.head.seq) | 0
  if (early < 0) wrong.push('the queue begins behind SND.UNA')
  let seq = (snd.una - early) | 0
  let packets = 0
  let sacked = 0
  let lost = 0
  let retransmitted = 0
  let octets = 0
  let inFlight = true
  for (let record = queue.head; record !== null; record = record.next) {
    same('sequence number', record.seq, seq)
    seq = record.endSeq
    if (record === queue.unsent) inFlight = false
    if (!inFlight) continue
    packets += record.segments
    octets += record.length
    if (record.marks & Mark.Sacked) sacked += record.segments
    if (record.marks & Mark.Lost) lost += record.segments
    if (record.marks & Mark.Retransmitted) retransmitted += record.segments
  }
  same('end of the queue', queue.writeSeq, seq)
  same('packetsOut', recovery.packetsOut, packets)
  if (sack) same('sackedOut', recovery.sackedOut, sacked)
  same('lostOut', recovery.lostOut, lost)
  same('retransOut', recovery.retransOut, retransmitted)
  same('octets in flight', (snd.nxt - snd.una + early) | 0, octets)
  if (recovery.sackedOut + recovery.lostOut > recovery.packetsOut) wrong.push('more is missing than was sent')
  if (s.c.congestion.cwnd < 1) wrong.push('cwnd is 0')
  for (let record = queue.earliest; record?.later != null; record = record.later) {
    if (record.later.sentAt < record.sentAt) wrong.push('not in the order of time')
  }
  return wrong.join('; ')
}

const plans = fc.record({
  profile: fc.constantFrom('rfc9293', 'freebsd', 'linux'),
  sack: fc.boolean(),
  timestamps: fc.boolean(),
  writes: fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 12 }),
  fates: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 60 }),
})

describe('any pattern of loss, reordering and duplication', () => {
  test('counts stay those of the records, and everything arrives', () => {
    fc.assert(
      fc.property(plans, ({ profile, sack, timestamps, writes, fates }) => {
        const s = new Sender(profile as 'linux', { dataRetries: 10_000, rtoMax: 4000 }, { sack, timestamps })
        const peer = new Peer()
        const flying: { at: number; seq: number; end: number; tsVal: number }[] = []
        let fate = 0
        const losses = new Map<number, number>()
        const launch = () => {
          for (const text of s.host.take()) {
            const match = /(\d+):(\d+)\((\d+)\)/.exec(text)
            if (match === null || match[3] === '0') continue
            const seq = Number(match[1])
            const end = Number(match[2])
            const tsVal = Number(/TS val (\d+)/.exec(text)?.[1] ?? 0)
            for (let from = seq; from < end; from += 1000) {
              const what = fates[fate++ % fates.length]!
              const piece = { seq: from, end: Math.min(from + 1000, end), tsVal }
              const lostBefore = losses.get(from) ?? 0
              losses.set(from, lostBefore + 1)
              if (what <= 2 && lostBefore < 2) continue
              flying.push({ ...piece, at: s.host.now + (what === 3 ? 90 : 50) })
              if (what === 4) flying.push({ ...piece, at: s.host.now + 60 })
            }
          }
        }
        let written = 0
        const total = writes.reduce((a, b) => a + b, 0)
        const pending = [...writes]
        for (let step = 0; step < 4000 && peer.next <= total; step++) {
          if (pending.length > 0 && (step & 1) === 0) {
            const taken = s.write(pending[0]!)
            written += taken
            if (taken === pending[0]) pending.shift()
            else pending[0]! -= taken
          }
          launch()
          flying.sort((a, b) => a.at - b.at)
          const first = flying[0]
          const timer = s.c.deadline
          if (first !== undefined && first.at <= timer) {
            flying.shift()
            s.wait(Math.max(0, first.at - s.host.now))
            const { ack, sack: blocks } = peer.arrives(first.seq, first.end)
            s.ack(ack, { sack: sack ? blocks : [], tsVal: 100, tsEcr: first.tsVal })
          } else if (timer !== Number.POSITIVE_INFINITY) s.wait(Math.max(0, timer - s.host.now))
          const wrong = wrongCounts(s, sack)
          if (wrong !== '') throw new Error(wrong)
        }
        launch()
        expect(written).toBe(total)
        expect(peer.next).toBe(total + 1)
      }),
      { numRuns: 100 },
    )
  })
})
