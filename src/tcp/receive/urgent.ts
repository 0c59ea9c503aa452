import { type Segment, URG } from '../../wire/index.js'
import { type Connection, Ready } from '../connection.js'
import { after, atOrBefore, before, seqAdd, seqDiff } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'

/** What `rcv.urgentOctet` says when it is not the octet. */
const NOT_ARRIVED = -1
const WAS_READ = -2

/** Sequence number of the first octet the program has not read. */
export function unreadSeq(c: Connection): number {
  const { rcv } = c
  return seqAdd(rcv.nxt, -rcv.queue.octets - (rcv.finReceived ? 1 : 0))
}

/**
 * Sixth check: the URG bit (RFC 9293 3.10.7.4). RCV.UP only grows; the program is told at once, text before the urgent
 * octets or not (MUST-32). The pointer is to the octet after the urgent text (MUST-62, RFC 6093 3.1), which may be of
 * any length (MUST-31).
 */
export function urgentArrives(c: Connection, seg: Segment, now: Instant): void {
  if (!(seg.flags & URG)) return
  const { rcv, state } = c
  if (state !== State.Established && state !== State.FinWait1 && state !== State.FinWait2) return
  const up = seqAdd(seg.seq, seg.urgentPointer)
  // the urgent octet has arrived before: an old duplicate
  if (atOrBefore(up, rcv.nxt)) return
  if (rcv.urgent && !after(up, rcv.up)) return
  // the octet that was urgent and not read is ordinary text now, unless the program stands before it: it is passed over
  if (rcv.urgent && !c.options.oobInline && markDistance(c) === 0 && rcv.queue.octets > 0) rcv.queue.skip(1)
  rcv.urgent = true
  rcv.up = up
  rcv.urgentOctet = NOT_ARRIVED
  c.user?.notify(c, Ready.Urgent, now)
}

/** Text was queued while urgent text is announced: keeps the urgent octet aside, as systems do that call it out of band. */
export function captureUrgentOctet(c: Connection): void {
  const { rcv } = c
  if (rcv.urgentOctet !== NOT_ARRIVED) return
  const distance = markDistance(c)
  if (distance >= 0 && distance < rcv.queue.octets) rcv.urgentOctet = rcv.queue.octetAt(distance)
}

/** Octets the program has to read until it stands before the urgent octet (the last before RCV.UP); negative: behind it. */
function markDistance(c: Connection): number {
  return seqDiff(seqAdd(c.rcv.up, -1), unreadSeq(c))
}

/** True when the next octet to be read is the urgent one (SIOCATMARK, MUST-33). */
export function atMark(c: Connection): boolean {
  return c.rcv.urgent && markDistance(c) === 0
}

/**
 * How many octets may be read in one go: not across the mark, so that a program can find it (MUST-33). An urgent octet
 * out of band is passed over when it is next.
 */
export function readableInOneGo(c: Connection): number {
  const { rcv } = c
  if (!rcv.urgent) return rcv.queue.octets
  const distance = markDistance(c)
  if (distance > 0) return Math.min(distance, rcv.queue.octets)
  if (distance === 0 && !c.options.oobInline && rcv.queue.octets > 0) {
    rcv.queue.skip(1)
    rcv.urgent = false
  }
  return rcv.queue.octets
}

/** Octets that can be read before the mark or at all (SIOCINQ, FIONREAD). */
export function readable(c: Connection): number {
  const { rcv } = c
  if (!rcv.urgent || c.options.oobInline) return rcv.queue.octets
  const distance = markDistance(c)
  return distance >= 0 && distance < rcv.queue.octets ? distance : rcv.queue.octets
}

/** The program read past the mark: nothing is urgent any more. */
export function noteRead(c: Connection): void {
  const { rcv } = c
  if (rcv.urgent && before(rcv.up, seqAdd(unreadSeq(c), 1))) rcv.urgent = false
}

/** The urgent octet (MSG_OOB); 'EINVAL': nothing urgent, or it is in line or was read; 'EAGAIN': it is announced. */
export function readUrgent(c: Connection, peek: boolean): number | 'EINVAL' | 'EAGAIN' {
  const { rcv } = c
  if (c.options.oobInline || !rcv.urgent || rcv.urgentOctet === WAS_READ) return 'EINVAL'
  if (rcv.urgentOctet === NOT_ARRIVED) return 'EAGAIN'
  const octet = rcv.urgentOctet
  if (!peek) rcv.urgentOctet = WAS_READ
  return octet
}
