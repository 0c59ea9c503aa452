import type { Segment } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { noteDelivered } from '../send/delivery-rate.js'
import { Mark, type SendRecord } from '../send/send-record.js'
import { after, atOrAfter, atOrBefore, before, seqAdd } from '../sequence.js'
import type { Instant } from '../time.js'
import { AckFlag, ack } from './ack-state.js'
import { highestSacked, splitSent } from './marks.js'
import { rackAdvance } from './rack.js'
import { CaState } from './recovery.js'
import { sackReordering } from './reordering.js'

/** Blocks of the ACK that are believed, in the order of sequence numbers. */
const lefts = new Int32Array(4)
const rights = new Int32Array(4)

/** The scoreboard of RFC 6675 and 2018: marks what the SACK option of an ACK says has arrived. */
export function tagSacks(c: Connection, seg: Segment, now: Instant): void {
  const { recovery, snd } = c
  const { queue } = snd
  if (recovery.sackedOut === 0) {
    recovery.highestSacked = queue.head === null ? snd.una : queue.head.seq
    recovery.sackHint = null
  }
  const duplicate = duplicateReported(c, seg)
  // an ACK of long ago: what it says may be about other text
  if (before(seg.ack, seqAdd(ack.priorUna, -snd.maxWnd))) return
  if (recovery.packetsOut === 0) return
  let used = 0
  let duplicateLeft = 0
  let duplicateRight = 0
  let hasDuplicate = false
  for (let i = 0; i < seg.sackCount; i++) {
    const left = seg.sack[2 * i]!
    const right = seg.sack[2 * i + 1]!
    const isDuplicate = i === 0 && duplicate
    if (!blockIsValid(c, isDuplicate, left, right)) {
      countInvalid(c, isDuplicate, left)
      continue
    }
    if (!after(right, ack.priorUna)) continue
    if (isDuplicate) {
      hasDuplicate = true
      duplicateLeft = left
      duplicateRight = right
    }
    let at = used++
    for (; at > 0 && after(lefts[at - 1]!, left); at--) {
      lefts[at] = lefts[at - 1]!
      rights[at] = rights[at - 1]!
    }
    lefts[at] = left
    rights[at] = right
  }
  let record: SendRecord | null = null
  for (let i = 0; i < used; i++) {
    const left = lefts[i]!
    const right = rights[i]!
    const isDuplicate = hasDuplicate && left === duplicateLeft && right === duplicateRight
    if (!isDuplicate && taggedBefore(c, left, right)) continue
    record = walk(c, startOf(c, record, left), left, right, isDuplicate, now)
    if (record === null) break
  }
  rememberBlocks(c, used)
  if (recovery.state !== CaState.Loss || recovery.undoing) sackReordering(c, ack.reorderedSeq, false)
}

/** The record where the search for `left` begins: none before it can hold it. */
function startOf(c: Connection, from: SendRecord | null, left: number): SendRecord | null {
  const hint = c.recovery.sackHint
  if (hint !== null && atOrBefore(hint.seq, left) && (from === null || before(from.seq, hint.seq))) return hint
  return from === null || after(from.seq, left) ? c.snd.queue.head : from
}

/** The last ACK had this block, or one around it, and nothing was acknowledged or retransmitted that it could tell of anew. */
function taggedBefore(c: Connection, left: number, right: number): boolean {
  const { sackSeen, sackedOut } = c.recovery
  if (sackSeen === null || sackedOut === 0) return false
  for (let i = 0; i < sackSeen.length; i += 2) {
    const seenLeft = sackSeen[i]!
    const seenRight = sackSeen[i + 1]!
    if (seenLeft !== seenRight && atOrAfter(left, seenLeft) && atOrBefore(right, seenRight)) return true
  }
  return false
}

function rememberBlocks(c: Connection, used: number): void {
  c.recovery.sackSeen ??= new Int32Array(8)
  const { sackSeen } = c.recovery
  sackSeen.fill(0)
  for (let i = 0; i < used; i++) {
    sackSeen[2 * i] = lefts[i]!
    sackSeen[2 * i + 1] = rights[i]!
  }
}

/** Marks the records in [left, right); returns the one where the next block may begin. */
function walk(
  c: Connection,
  from: SendRecord | null,
  left: number,
  right: number,
  duplicate: boolean,
  now: Instant,
): SendRecord | null {
  const { recovery } = c
  const { queue } = c.snd
  let record = from
  for (; record !== null && record !== queue.unsent; record = record.next) {
    if (!before(record.seq, right)) return record
    if (!after(record.endSeq, left)) continue
    if (!covers(c, record, left, right)) continue
    tag(c, record, duplicate, now)
    noteDelivered(c, record)
    if (record.marks & Mark.Sacked) queue.unstamp(record)
    if (atOrAfter(record.seq, highestSacked(c))) {
      recovery.highestSacked = record.endSeq
      recovery.sackHint = record
    }
  }
  return record === queue.unsent ? null : record
}

/**
 * Whether a block covers a record; a super-segment that is covered in part is cut first, at whole segments, so that only
 * those count as delivered of which every octet is.
 */
function covers(c: Connection, record: SendRecord, left: number, right: number): boolean {
  let inside = atOrBefore(left, record.seq) && atOrAfter(right, record.endSeq)
  if (inside || record.segments <= 1) return inside
  const { mss, length } = record
  inside = atOrBefore(left, record.seq)
  let cut = inside ? (right - record.seq) | 0 : (left - record.seq) | 0
  if (cut < mss) {
    if (inside) return false
    cut = mss
  }
  if (cut > mss) {
    const whole = Math.floor(cut / mss) * mss
    cut = !inside && whole < cut ? whole + mss : whole
  }
  if (cut >= length) return inside
  splitSent(c, record, cut, mss)
  return inside
}

/** A record is SACKed, or reported as a duplicate. */
function tag(c: Connection, record: SendRecord, duplicate: boolean, now: Instant): void {
  const { recovery, snd } = c
  const { segments, seq, endSeq, sentAt } = record
  const ever = record.everRetransmitted
  if (duplicate && ever) {
    if (recovery.undoing && recovery.undoRetrans > 0 && after(endSeq, recovery.undoMarker)) {
      recovery.undoRetrans = Math.max(0, recovery.undoRetrans - segments)
    }
    if (record.marks & Mark.Sacked && before(seq, ack.reorderedSeq)) ack.reorderedSeq = seq
  }
  if (!after(endSeq, snd.una)) return
  if ((record.marks & Mark.Sacked) === 0) {
    rackAdvance(c, record.marks, endSeq, sentAt, now)
    if (record.marks & Mark.Retransmitted) {
      // not marked lost: the retransmission is still on its way
      if (record.marks & Mark.Lost) {
        record.marks &= ~(Mark.Lost | Mark.Retransmitted)
        recovery.lostOut -= segments
        recovery.retransOut -= segments
      }
    } else {
      if (!ever) {
        // it was in a hole and never sent again: it was overtaken
        if (before(seq, highestSacked(c)) && before(seq, ack.reorderedSeq)) ack.reorderedSeq = seq
        if (!after(endSeq, recovery.highSeq)) ack.flags |= AckFlag.OriginalDelivered
        if (ack.firstSackedAt < 0) ack.firstSackedAt = sentAt
        ack.lastSackedAt = sentAt
      }
      if (record.marks & Mark.Lost) {
        record.marks &= ~Mark.Lost
        recovery.lostOut -= segments
      }
    }
    record.marks |= Mark.Sacked
    ack.flags |= AckFlag.TextSacked
    recovery.sackedOut += segments
    ack.sacked += segments
    ack.octets += record.length
  }
  if (duplicate && record.marks & Mark.Retransmitted) {
    record.marks &= ~Mark.Retransmitted
    recovery.retransOut -= segments
  }
}

/** RFC 2883: the first block is below the ACK, or inside the second: something arrived twice. */
function duplicateReported(c: Connection, seg: Segment): boolean {
  const { recovery, env } = c
  const left = seg.sack[0]!
  const right = seg.sack[1]!
  if (before(left, seg.ack)) env.counters.count('TcpExtTCPDSACKRecv')
  else if (seg.sackCount > 1 && !after(right, seg.sack[3]!) && !before(left, seg.sack[2]!)) {
    env.counters.count('TcpExtTCPDSACKOfoRecv')
  } else return false
  const segments = duplicateSeen(c, left, right)
  if (segments === 0) {
    env.counters.count('TcpExtTCPDSACKIgnoredDubious')
    return false
  }
  env.counters.count('TcpExtTCPDSACKRecvSegs', segments)
  if (
    recovery.undoing &&
    recovery.undoRetrans > 0 &&
    !after(right, ack.priorUna) &&
    after(right, recovery.undoMarker)
  ) {
    recovery.undoRetrans = Math.max(0, recovery.undoRetrans - segments)
  }
  return true
}

/** Segments that were delivered twice; 0: not by our doing. */
function duplicateSeen(c: Connection, left: number, right: number): number {
  const { recovery, snd } = c
  if (!before(left, right)) return 0
  const length = (right - left) | 0
  if (length > snd.maxWnd) return 0
  let segments = 1
  if (length > snd.mss) segments = Math.ceil(length / snd.mss)
  else if (recovery.probing && recovery.probeEnd === right) ack.flags |= AckFlag.DuplicateOfProbe
  recovery.dsackDups += segments
  // more than we ever sent again: the network duplicates
  if (recovery.dsackDups > snd.segmentsRetransmitted) return 0
  recovery.dsackSeen = true
  // a spurious retransmission after reordering: RACK must be more patient
  if (recovery.reorderingSeen > 0 && !(ack.flags & AckFlag.DuplicateOfProbe)) recovery.rackDsackSeen = true
  ack.flags |= AckFlag.Duplicate
  ack.sacked += segments
  return segments
}

/** A block makes sense: it is of what is in flight, or a duplicate of what is not long gone. */
function blockIsValid(c: Connection, duplicate: boolean, left: number, right: number): boolean {
  const { snd, recovery } = c
  if (after(right, snd.nxt) || !before(left, right) || !before(left, snd.nxt)) return false
  if (after(left, snd.una)) return true
  if (!duplicate || !recovery.undoing) return false
  if (after(right, snd.una)) return false
  if (!before(left, recovery.undoMarker)) return true
  if (!after(right, recovery.undoMarker)) return false
  return !before(left, seqAdd(right, -snd.maxWnd))
}

function countInvalid(c: Connection, duplicate: boolean, left: number): void {
  const { recovery, env, snd } = c
  if (duplicate) {
    env.counters.count(recovery.undoing ? 'TcpExtTCPDSACKIgnoredOld' : 'TcpExtTCPDSACKIgnoredNoUndo')
    return
  }
  // an old SACK that was overtaken is no sign of anything wrong
  if (before(left, snd.una)) return
  env.counters.count('TcpExtTCPSACKDiscard')
}
