import type { Connection } from '../connection.js'
import { after, atOrAfter, atOrBefore, before } from '../sequence.js'
import { Reassembly } from './reassembly.js'

/** Blocks remembered, most recent first; more than four never fit a header (RFC 2018 3). */
export const SACK_BLOCKS = 4

/**
 * What the next ACKs say of text out of order (RFC 2018 4): the block that holds the segment received last, then the
 * others by age; and, once, what arrived twice (RFC 2883).
 */
export class SackList {
  /** Left edge of block i at 2i, right edge at 2i + 1. */
  readonly edges = new Int32Array(SACK_BLOCKS * 2)
  count = 0
  /** Text that arrived twice, reported in the next ACK. */
  duplicate = false
  duplicateLeft = 0
  duplicateRight = 0

  /** The range [left, right) holds what arrived last; blocks it has swallowed are gone. */
  received(left: number, right: number): void {
    const { edges } = this
    let slot = 0
    for (let i = 0; i < this.count; i++) {
      const l = edges[i * 2]!
      const r = edges[i * 2 + 1]!
      if (atOrBefore(left, l) && atOrAfter(right, r)) continue
      edges[slot * 2] = l
      edges[slot * 2 + 1] = r
      slot++
    }
    const kept = Math.min(slot, SACK_BLOCKS - 1)
    edges.copyWithin(2, 0, kept * 2)
    edges[0] = left
    edges[1] = right
    this.count = kept + 1
  }

  /** RCV.NXT moved: blocks below it are acknowledged. */
  acknowledged(nxt: number): void {
    const { edges } = this
    let slot = 0
    for (let i = 0; i < this.count; i++) {
      const r = edges[i * 2 + 1]!
      if (atOrBefore(r, nxt)) continue
      edges[slot * 2] = edges[i * 2]!
      edges[slot * 2 + 1] = r
      slot++
    }
    this.count = slot
  }

  /** Everything out of order was thrown away (RFC 2018 8 allows it; the sender learns at its time-out). */
  forget(): void {
    this.count = 0
  }

  /** [left, right) arrived again. Of several since the last ACK the first is reported, with what adjoins it. */
  receivedTwice(left: number, right: number): void {
    if (!this.duplicate) {
      this.duplicate = true
      this.duplicateLeft = left
      this.duplicateRight = right
      return
    }
    if (after(left, this.duplicateRight) || before(right, this.duplicateLeft)) return
    if (before(left, this.duplicateLeft)) this.duplicateLeft = left
    if (after(right, this.duplicateRight)) this.duplicateRight = right
  }
}

/** RFC 2883: text [left, right) arrived that we had. */
export function duplicateArrived(c: Connection, left: number, right: number): void {
  if (!c.snd.sackOk || !c.env.settings.dsack || !before(left, right)) return
  const { rcv } = c
  rcv.reassembly ??= new Reassembly()
  c.env.counters.count(before(left, rcv.nxt) ? 'TcpExtTCPDSACKOldSent' : 'TcpExtTCPDSACKOfoSent')
  rcv.reassembly.sacks.receivedTwice(left, right)
}

/** Blocks the next segment would carry if there is room: the duplicate first, then what is held. */
export function sackBlocks(c: Connection): number {
  const { reassembly } = c.rcv
  if (reassembly === null || !c.snd.sackOk) return 0
  return reassembly.sacks.count + (reassembly.sacks.duplicate ? 1 : 0)
}

/** Edges of the blocks for the next segment; reused. */
const edgesToSend = new Int32Array((SACK_BLOCKS + 1) * 2)

/** The edges of the first `count` blocks, for `putSack`; a duplicate is reported once only. */
export function takeSackEdges(c: Connection): Int32Array {
  const { sacks } = c.rcv.reassembly!
  let at = 0
  if (sacks.duplicate) {
    edgesToSend[0] = sacks.duplicateLeft
    edgesToSend[1] = sacks.duplicateRight
    sacks.duplicate = false
    at = 2
  }
  for (let i = 0; i < sacks.count * 2; i++) edgesToSend[at++] = sacks.edges[i]!
  return edgesToSend
}
