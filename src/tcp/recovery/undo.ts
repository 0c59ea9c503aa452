import type { Connection } from '../connection.js'
import { reductionUndone } from '../options/ecn.js'
import { timestampAt } from '../options/timestamps.js'
import { before } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'
import { ack } from './ack-state.js'
import { setCaState } from './cwnd-control.js'
import { anyRetransmitted, unmarkLost } from './marks.js'
import { WINDOW_PERSISTS } from './rack.js'
import { CaState } from './recovery.js'
import { sackReordering } from './reordering.js'

/** From now on a reduction can be undone: counts the retransmissions that may turn out duplicates. */
export function beginUndo(c: Connection): void {
  const { recovery } = c
  recovery.undoing = c.env.settings.undo
  recovery.undoMarker = c.snd.una
  recovery.undoRetrans = recovery.retransOut
  if (recovery.probing && recovery.probeRetransmitted) recovery.undoRetrans++
  // none yet is not the same as all of them duplicates
  if (recovery.undoRetrans === 0) recovery.undoRetrans = -1
}

/** What this ACK acknowledges was only delayed: it echoes a timestamp from before the first retransmission (RFC 3522). */
function wasDelayed(c: Connection): boolean {
  const { snd, recovery } = c
  if (snd.retransmitStamp !== null) {
    return ack.hasEcho && ack.echo !== 0 && before(ack.echo, timestampAt(snd.retransmitStamp, c.tsOffset))
  }
  // nothing has been retransmitted yet, unless the stamp was cleared at the end of recovery
  if (!snd.sackOk && !before(snd.una, recovery.highSeq)) return false
  return c.state !== State.SynSent
}

const mayUndo = (c: Connection): boolean => c.recovery.undoing && (c.recovery.undoRetrans === 0 || wasDelayed(c))

/** The reduction was a mistake: the windows of before. */
function undoReduction(c: Connection, unmark: boolean, now: Instant): void {
  const { recovery, congestion } = c
  if (unmark) unmarkLost(c)
  if (recovery.priorSsthresh > 0) {
    congestion.cwnd = congestion.undoneCwnd(c)
    if (recovery.priorSsthresh > congestion.ssthresh) {
      congestion.ssthresh = recovery.priorSsthresh
      reductionUndone(c)
    }
  }
  c.snd.usage.since = now
  recovery.undoing = false
  recovery.rackAdvanced = true
}

/** Without SACK the state is kept until something above `highSeq` is acknowledged, lest duplicates of ours begin another recovery (RFC 6582 4). */
function keepsState(c: Connection): boolean {
  const { snd, recovery } = c
  if (snd.sackOk || snd.una !== recovery.highSeq) return false
  if (!anyRetransmitted(c)) snd.retransmitStamp = null
  return true
}

/** All sent before the loss is acknowledged. True: the state is kept nevertheless. */
export function tryUndoRecovery(c: Connection, now: Instant): boolean {
  const { recovery, env } = c
  if (mayUndo(c)) {
    undoReduction(c, false, now)
    env.counters.count(recovery.state === CaState.Loss ? 'TcpExtTCPLossUndo' : 'TcpExtTCPFullUndo')
  } else if (recovery.rackPersist > 0) recovery.rackPersist--
  if (keepsState(c)) return true
  setCaState(c, CaState.Open, now)
  recovery.reneged = false
  return false
}

/** Every retransmission was a duplicate (RFC 3708). */
export function tryUndoByDuplicates(c: Connection, now: Instant): boolean {
  const { recovery } = c
  if (!recovery.undoing || recovery.undoRetrans !== 0) return false
  recovery.rackPersist = Math.min(WINDOW_PERSISTS, recovery.rackPersist + 1)
  undoReduction(c, false, now)
  c.env.counters.count('TcpExtTCPDSACKUndo')
  return true
}

/** A time-out was spurious (RFC 4015), as `frto` or timestamps or duplicates say. */
export function tryUndoLoss(c: Connection, frto: boolean, now: Instant): boolean {
  const { recovery, snd, env } = c
  if (!frto && !mayUndo(c)) return false
  undoReduction(c, true, now)
  env.counters.count('TcpExtTCPLossUndo')
  if (frto) env.counters.count('TcpExtTCPSpuriousRTOs')
  snd.retransmits = 0
  if (keepsState(c)) return true
  if (frto || snd.sackOk) {
    setCaState(c, CaState.Open, now)
    recovery.reneged = false
  }
  return true
}

/** A partial ACK of something that was only delayed. True: retransmissions are out, wait what becomes of them. */
export function tryUndoPartial(c: Connection, now: Instant): boolean {
  const { recovery, snd } = c
  if (!recovery.undoing || !wasDelayed(c)) return false
  sackReordering(c, ack.priorUna, true)
  if (recovery.retransOut > 0) return true
  if (!anyRetransmitted(c)) snd.retransmitStamp = null
  undoReduction(c, true, now)
  c.env.counters.count('TcpExtTCPPartialUndo')
  tryKeepOpen(c, now)
  return false
}

/** Open, or Disorder while something is SACKed, lost or sent again. */
export function tryKeepOpen(c: Connection, now: Instant): void {
  const { recovery } = c
  const disorder = recovery.sackedOut + recovery.lostOut > 0 || anyRetransmitted(c)
  const state = disorder ? CaState.Disorder : CaState.Open
  if (recovery.state === state) return
  setCaState(c, state, now)
  recovery.highSeq = c.snd.nxt
}
