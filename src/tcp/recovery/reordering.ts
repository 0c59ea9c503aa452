import type { Connection } from '../connection.js'
import { before } from '../sequence.js'
import { highestSacked } from './marks.js'

/** Text from `seq` on was overtaken by what was SACKed: so many segments may overtake one another on this path. */
export function sackReordering(c: Connection, seq: number, byTimestamp: boolean): void {
  const { recovery, snd, env } = c
  const high = highestSacked(c)
  if (!before(seq, high)) return
  const distance = (high - seq) | 0
  if (distance > recovery.reordering * snd.mss && snd.mss > 0) {
    recovery.reordering = Math.min(Math.ceil(distance / snd.mss), env.settings.maxReordering)
  }
  recovery.reorderingSeen++
  env.counters.count(byTimestamp ? 'TcpExtTCPTSReorder' : 'TcpExtTCPSACKReorder')
}

// --- without SACK: duplicate ACKs stand for SACKed segments (RFC 5681 3.2) ---

/** More duplicate ACKs than could be: at least one segment is missing. */
export function limitRenoSacks(c: Connection): boolean {
  const { recovery } = c
  const holes = Math.min(Math.max(recovery.lostOut, 1), recovery.packetsOut)
  if (recovery.sackedOut + holes <= recovery.packetsOut) return false
  recovery.sackedOut = recovery.packetsOut - holes
  return true
}

function renoReordering(c: Connection, more: number): void {
  const { recovery, env } = c
  if (!limitRenoSacks(c)) return
  recovery.reordering = Math.min(recovery.packetsOut + more, env.settings.maxReordering)
  recovery.reorderingSeen++
  env.counters.count('TcpExtTCPRenoReorder')
}

/** A duplicate ACK: one segment has arrived out of order. */
export function addRenoSack(c: Connection, duplicates: number, marked: boolean): void {
  if (duplicates === 0) return
  const { recovery } = c
  const prior = recovery.sackedOut
  recovery.sackedOut += duplicates
  renoReordering(c, 0)
  const delivered = recovery.sackedOut - prior
  if (delivered > 0) deliver(c, delivered, marked)
}

/** An ACK of `acked` segments: one filled the hole, the others are the duplicates counted before. */
export function removeRenoSacks(c: Connection, acked: number, marked: boolean): void {
  const { recovery } = c
  if (acked > 0) {
    deliver(c, Math.max(acked - recovery.sackedOut, 1), marked)
    recovery.sackedOut = acked - 1 >= recovery.sackedOut ? 0 : recovery.sackedOut - (acked - 1)
  }
  renoReordering(c, acked)
}

function deliver(c: Connection, segments: number, marked: boolean): void {
  c.snd.delivered += segments
  if (marked && c.ecn !== null && !c.ecn.accurate) c.snd.deliveredCe += segments
}
