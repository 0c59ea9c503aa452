import type { Connection } from '../connection.js'
import { windowReduced } from '../options/ecn.js'
import { currentSsthresh } from '../send/cwnd-validation.js'
import { Mark } from '../send/send-record.js'
import { after } from '../sequence.js'
import type { Instant } from '../time.js'
import { beginReduction, setCaState } from './cwnd-control.js'
import { anyRetransmitted, markLost } from './marks.js'
import { rackTimeLeft, usesRack } from './rack.js'
import { CaState } from './recovery.js'
import { beginUndo } from './undo.js'

/** Fast recovery begins (RFC 6582 3.2, RFC 6675 5). `marked`: the peer reports congestion too; then it is not undone. */
export function enterRecovery(c: Connection, marked: boolean, now: Instant): void {
  const { recovery, env } = c
  env.counters.count(c.snd.sackOk ? 'TcpExtTCPSackRecovery' : 'TcpExtTCPRenoRecovery')
  if (!anyRetransmitted(c)) c.snd.retransmitStamp = null
  recovery.priorSsthresh = 0
  beginUndo(c)
  if (!recovery.reducing) {
    if (!marked) recovery.priorSsthresh = currentSsthresh(c)
    beginReduction(c, now)
  }
  setCaState(c, CaState.Recovery, now)
}

/** The RTO passed: everything in flight is taken for lost, and cwnd is one segment (RFC 5681 3.1, RFC 6298 5). */
export function enterLoss(c: Connection, now: Instant): void {
  const { recovery, congestion, snd } = c
  const { settings } = c.env
  const anew = recovery.state < CaState.Recovery
  markAllLost(c, now)
  // ssthresh is lowered once per window
  if (
    recovery.state <= CaState.Disorder ||
    !after(recovery.highSeq, snd.una) ||
    (recovery.state === CaState.Loss && snd.retransmits === 0)
  ) {
    recovery.priorSsthresh = currentSsthresh(c)
    recovery.priorCwnd = congestion.cwnd
    congestion.ssthresh = congestion.ssthreshAfterLoss(c, now)
    beginUndo(c)
  }
  congestion.cwnd = recovery.inFlight + 1
  congestion.credit = 0
  snd.usage.since = now
  // SACKs came, and yet a time-out was needed: reordering is believed in too much
  if (recovery.state <= CaState.Disorder && recovery.sackedOut >= settings.dupAckThreshold) {
    recovery.reordering = Math.min(recovery.reordering, settings.dupAckThreshold)
  }
  setCaState(c, CaState.Loss, now)
  recovery.highSeq = snd.nxt
  recovery.probing = false
  windowReduced(c)
  // RFC 5682 2.1 step 1
  recovery.frto = settings.frto && (anew || snd.retransmits > 0)
}

function markAllLost(c: Connection, now: Instant): void {
  const { recovery, snd, env } = c
  const { queue } = snd
  const first = queue.head
  const reneged = first !== null && first !== queue.unsent && (first.marks & Mark.Sacked) !== 0
  if (reneged) {
    // RFC 2018 8: what was SACKed may have been thrown away
    env.counters.count('TcpExtTCPSACKReneging')
    recovery.sackedOut = 0
    recovery.reneged = true
  } else if (!snd.sackOk) recovery.sackedOut = 0
  const recentSpared = usesRack(c) && !reneged
  for (let record = first; record !== null && record !== queue.unsent; record = record.next) {
    if (reneged) record.marks &= ~Mark.Sacked
    // sent a moment ago: not overdue yet (RFC 8985 6.3)
    else if (recentSpared && record !== first && rackTimeLeft(c, record, 0, now) > 0) continue
    markLost(c, record)
  }
  recovery.retransmitFrom = null
}
