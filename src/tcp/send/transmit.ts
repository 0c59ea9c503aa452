import { ACK, FIN, PSH, SYN } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { after } from '../sequence.js'
import type { Instant } from '../time.js'
import { armed } from '../timeouts.js'
import { Timer } from '../timers.js'
import { startTransmitting } from './begin-sending.js'
import { noteSent } from './delivery-rate.js'
import { emit } from './emit.js'
import type { SendRecord } from './send-record.js'

/** Sends a record, for the first time or again, and notes when. Its place in the queue is the caller's business. */
export function transmitRecord(c: Connection, record: SendRecord, retransmission: boolean, now: Instant): void {
  const { snd, env } = c
  const { queue } = snd
  const { length } = record
  let flags = ACK | (record.flags & (FIN | PSH))
  // the last piece of several says PSH, so that a receiver that gathers them passes them on; else MUST-61: the end of
  // what is buffered does
  if (env.settings.pushEveryWrite ? record.segments > 1 : length > 0 && record.next === null) flags |= PSH
  noteSent(c, record, now)
  record.sentAt = now
  queue.stamp(record)
  emit(c, flags, record.seq, length, retransmission, now, record.segments > 1 ? record.mss : 0)
}

/** `queue.unsent` was sent: SND.NXT moves. True: the timer is to run, or to start anew (RFC 6298 5.1). */
export function advanceNext(c: Connection, record: SendRecord): boolean {
  const { snd, recovery } = c
  const before = recovery.packetsOut
  snd.queue.advance()
  if (after(record.endSeq, snd.nxt)) snd.nxt = record.endSeq
  if (record.flags & FIN) snd.finSent = true
  recovery.packetsOut = before + record.segments
  return before === 0 || armed(c, Timer.TailLossProbe)
}

/** The SYN, sent by handshake.ts, becomes a record in flight, and so does text behind it (RFC 7413). */
export function recordSyn(c: Connection, textLength: number, now: Instant): void {
  const { snd } = c
  const { queue } = snd
  startTransmitting(c)
  if (queue.writeSeq === snd.iss) queue.append(SYN)
  for (let record = queue.unsent; record !== null; record = queue.unsent) {
    if ((record.flags & SYN) === 0) {
      if (textLength <= 0) break
      if (record.length > textLength) queue.split(record, textLength, snd.mss)
      textLength -= record.length
    }
    if (record.segments === 0) record.cut(Math.max(1, record.length))
    noteSent(c, record, now)
    record.sentAt = now
    queue.stamp(record)
    queue.advance()
    snd.nxt = record.endSeq
    c.recovery.packetsOut += record.segments
  }
}
