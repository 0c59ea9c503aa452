import type { Connection } from '../connection.js'
import { Mark, type SendRecord } from '../send/send-record.js'
import { atOrAfter, before } from '../sequence.js'

/** Takes `less` segments of a record out of the counts it is in. */
export function adjustCounts(c: Connection, record: SendRecord, less: number): void {
  if (less === 0) return
  const { recovery } = c
  recovery.packetsOut -= less
  if (record.marks & Mark.Sacked) recovery.sackedOut -= less
  if (record.marks & Mark.Retransmitted) recovery.retransOut -= less
  if (record.marks & Mark.Lost) recovery.lostOut -= less
  // duplicate ACKs were counted in segments that have become fewer
  if (!c.snd.sackOk && less > 0) recovery.sackedOut -= Math.min(recovery.sackedOut, less)
}

/** Cuts a record in flight after `length` octets of text, and counts its segments anew. */
export function splitSent(c: Connection, record: SendRecord, length: number, mss: number): void {
  const segments = record.segments
  const rest = c.snd.queue.split(record, length, mss)
  adjustCounts(c, record, segments - record.segments - rest.segments)
}

/** A record is believed lost, or its retransmission is. */
export function markLost(c: Connection, record: SendRecord): void {
  const { recovery } = c
  const { marks, segments } = record
  if (marks & Mark.Sacked) return
  noteRetransmittable(c, record)
  if (marks & Mark.Lost) {
    if (marks & Mark.Retransmitted) {
      record.marks &= ~Mark.Retransmitted
      recovery.retransOut -= segments
      c.snd.lostSegments += segments
    }
    return
  }
  record.marks |= Mark.Lost
  recovery.lostOut += segments
  c.snd.lostSegments += segments
}

/** Keeps `retransmitFrom` at or before every record that may have to go again. */
function noteRetransmittable(c: Connection, record: SendRecord): void {
  const { recovery } = c
  const from = recovery.retransmitFrom
  if (from === null) {
    if (recovery.retransOut >= recovery.lostOut) recovery.retransmitFrom = record
  } else if (before(record.seq, from.seq)) recovery.retransmitFrom = record
}

/** End of the highest text SACKed: SND.UNA while nothing is. */
export function highestSacked(c: Connection): number {
  const { recovery, snd } = c
  if (recovery.sackedOut === 0) return snd.una
  return atOrAfter(recovery.highestSacked, snd.una) ? recovery.highestSacked : snd.una
}

/** Nothing is marked lost any more. */
export function unmarkLost(c: Connection): void {
  const { queue } = c.snd
  const { recovery } = c
  for (let record = queue.head; record !== null && record !== queue.unsent; record = record.next) {
    record.marks &= ~Mark.Lost
  }
  recovery.lostOut = 0
  recovery.retransmitFrom = null
}

/** Something that was sent again is still not acknowledged. */
export function anyRetransmitted(c: Connection): boolean {
  const { recovery } = c
  if (recovery.retransOut > 0) return true
  const { head, unsent } = c.snd.queue
  return head !== null && head !== unsent && (head.marks & Mark.EverRetransmitted) !== 0
}
