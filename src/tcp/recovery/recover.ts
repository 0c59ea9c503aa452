import type { Connection } from '../connection.js'
import { Mark, type SendRecord } from '../send/send-record.js'
import { armRetransmit } from '../send/transmit-timers.js'
import { after, atOrAfter, before } from '../sequence.js'
import { type Instant, NEVER } from '../time.js'
import { AckFlag, ack, Resend } from './ack-state.js'
import { endReduction, enterCwr, setCaState } from './cwnd-control.js'
import { enterRecovery } from './enter.js'
import { anyRetransmitted, highestSacked, markLost, splitSent } from './marks.js'
import { noteLostRetransmissions, rackMarkLost, usesRack } from './rack.js'
import { CaState } from './recovery.js'
import { addRenoSack } from './reordering.js'
import { tryKeepOpen, tryUndoByDuplicates, tryUndoLoss, tryUndoPartial, tryUndoRecovery } from './undo.js'

/** SACKed text at the left edge: wait a little for the ACK that was overtaken, ms. */
const RENEGING_DELAY_MIN = 10

/**
 * An ACK that is not just progress: duplicate, SACK, ECN-Echo, or any while not Open. Marks what it shows to be lost,
 * enters and leaves recovery (RFC 6582, 6675, 8985, 5682), and says what is to be sent.
 */
export function recover(c: Connection, duplicates: number, now: Instant): void {
  const { recovery, snd } = c
  const marked = (ack.flags & AckFlag.EcnEcho) !== 0
  if (recovery.packetsOut === 0 && recovery.sackedOut > 0) recovery.sackedOut = 0
  if (marked) recovery.priorSsthresh = 0
  if (reneging(c, now)) return
  // states end when what was in flight at their beginning is acknowledged
  if (recovery.state === CaState.Open) snd.retransmitStamp = null
  else if (atOrAfter(snd.una, recovery.highSeq)) {
    if (recovery.state === CaState.Cwr) {
      // something above it must be, so that CWR has reached the peer
      if (snd.una !== recovery.highSeq) {
        endReduction(c, now)
        setCaState(c, CaState.Open, now)
      }
    } else if (recovery.state === CaState.Recovery) {
      if (!snd.sackOk) recovery.sackedOut = 0
      if (tryUndoRecovery(c, now)) return
      endReduction(c, now)
    }
  }
  if (recovery.state === CaState.Recovery) {
    if (!inRecovery(c, duplicates, marked, now)) return
  } else if (recovery.state === CaState.Loss) {
    if (!inLoss(c, duplicates, marked, now)) return
    if (!elsewhere(c, duplicates, marked, now)) return
  } else if (!elsewhere(c, duplicates, marked, now)) return
  ack.resend = Resend.Lost
}

/** False: nothing more is to be done for this ACK. */
function inRecovery(c: Connection, duplicates: number, marked: boolean, now: Instant): boolean {
  const { recovery, snd } = c
  if (!(ack.flags & AckFlag.Advanced)) {
    if (!snd.sackOk) addRenoSack(c, duplicates, marked)
  } else if (tryUndoPartial(c, now)) return false
  if (tryUndoByDuplicates(c, now)) tryToOpen(c, now)
  identifyLoss(c, now)
  if (recovery.state !== CaState.Recovery) {
    if (!lossIsEvident(c)) return false
    enterRecovery(c, marked, now)
  }
  return true
}

/** True: the state has changed, or retransmissions were lost: go on as elsewhere. */
function inLoss(c: Connection, duplicates: number, marked: boolean, now: Instant): boolean {
  const { recovery, snd } = c
  afterTimeout(c, duplicates, marked, now)
  const { timeouts } = snd
  if ((recovery.state as CaState) !== CaState.Loss && timeouts !== null && timeouts.since !== NEVER) {
    timeouts.total += now - timeouts.since
    timeouts.since = NEVER
  }
  identifyLoss(c, now)
  return (recovery.state as CaState) === CaState.Open || (ack.flags & AckFlag.RetransmissionLost) !== 0
}

/** Open, Disorder, CWR. */
function elsewhere(c: Connection, duplicates: number, marked: boolean, now: Instant): boolean {
  const { recovery, snd } = c
  if (!snd.sackOk) {
    if (ack.flags & AckFlag.Advanced) recovery.sackedOut = 0
    addRenoSack(c, duplicates, marked)
  }
  if (recovery.state <= CaState.Disorder) tryUndoByDuplicates(c, now)
  identifyLoss(c, now)
  if (!lossIsEvident(c)) {
    tryToOpen(c, now)
    return false
  }
  enterRecovery(c, marked, now)
  if (!usesRack(c) && snd.sackOk) markByDuplicates(c)
  return true
}

/** After a time-out (RFC 5682, 6582): was it spurious, is it over? */
function afterTimeout(c: Connection, duplicates: number, marked: boolean, now: Instant): void {
  const { recovery, snd } = c
  const { flags } = ack
  const advanced = (flags & AckFlag.Advanced) !== 0
  const recovered = atOrAfter(snd.una, recovery.highSeq)
  if (advanced && tryUndoLoss(c, false, now)) return
  if (recovery.frto) {
    // step 3.b: something never sent again was delivered: not all was lost, the time-out was spurious
    if (flags & AckFlag.OriginalDelivered && tryUndoLoss(c, true, now)) return
    if (after(snd.nxt, recovery.highSeq)) {
      // step 3.a: the loss was real
      if (flags & AckFlag.TextSacked || duplicates > 0) recovery.frto = false
    } else if (advanced && !recovered) {
      recovery.highSeq = snd.nxt
      // step 2.b: new text, if there is some and the window allows, tells the truth
      if (snd.queue.unsent !== null && after((snd.una + snd.wnd) | 0, snd.nxt)) {
        ack.resend = Resend.New
        return
      }
      recovery.frto = false
    }
  }
  if (recovered) {
    tryUndoRecovery(c, now)
    return
  }
  if (!snd.sackOk) {
    // a duplicate after new text of step 2.b: that was delivered
    if (after(snd.nxt, recovery.highSeq) && duplicates > 0) addRenoSack(c, duplicates, marked)
    else if (advanced) recovery.sackedOut = 0
  }
  ack.resend = Resend.Lost
}

function tryToOpen(c: Connection, now: Instant): void {
  if (!anyRetransmitted(c)) c.snd.retransmitStamp = null
  if (ack.flags & AckFlag.EcnEcho) enterCwr(c, now)
  if (c.recovery.state !== CaState.Cwr) tryKeepOpen(c, now)
}

/** RFC 2018 8: the oldest text in flight is SACKed though SND.UNA moved: the peer has thrown text away, or an ACK is late. */
function reneging(c: Connection, now: Instant): boolean {
  if (!(ack.flags & AckFlag.Reneging) || !(ack.flags & AckFlag.Advanced)) return false
  if (!c.env.settings.detectReneging) return false
  armRetransmit(c, now + Math.max(c.rtt.smoothed / 2, RENEGING_DELAY_MIN), now)
  ack.flags &= ~AckFlag.SetTimer
  return true
}

/** Marks what this ACK shows to be lost. */
function identifyLoss(c: Connection, now: Instant): void {
  const { queue, sackOk } = c.snd
  const { recovery } = c
  if (queue.head === null || queue.head === queue.unsent) return
  if (!sackOk) markOldestLost(c, (ack.flags & AckFlag.Advanced) !== 0)
  else if (usesRack(c)) {
    const prior = recovery.retransOut
    if (rackMarkLost(c, now)) ack.flags &= ~AckFlag.SetTimer
    noteLostRetransmissions(c, prior)
  } else if (recovery.state === CaState.Recovery) {
    markByDuplicates(c)
    if (ack.flags & AckFlag.Advanced) markOldestLost(c, true)
  }
}

/** Without SACK (RFC 6582): the oldest segment, at the third duplicate and at each partial ACK. */
function markOldestLost(c: Connection, advanced: boolean): void {
  const { recovery } = c
  const start = recovery.state < CaState.Recovery && recovery.sackedOut >= recovery.reordering
  if (!start && !(recovery.state === CaState.Recovery && advanced)) return
  const first = c.snd.queue.head!
  if (first.marks & Mark.Lost) return
  if (first.segments > 1 && first.length > first.mss) splitSent(c, first, first.mss, first.mss)
  markLost(c, first)
}

const lossIsEvident = (c: Connection): boolean =>
  c.recovery.lostOut > 0 || (!usesRack(c) && c.snd.sackOk && c.recovery.sackedOut >= c.recovery.reordering)

/** RFC 6675 IsLost(): more than dupthresh - 1 segments above a record are SACKed. Only where RACK is off. */
function markByDuplicates(c: Connection): void {
  const { recovery, snd } = c
  const { queue } = snd
  const high = highestSacked(c)
  let above = recovery.sackedOut
  for (let record: SendRecord | null = queue.head; record !== null && record !== queue.unsent; record = record.next) {
    if (!before(record.seq, high)) return
    if (record.marks & Mark.Sacked) {
      above -= record.segments
      continue
    }
    if (above < recovery.reordering) {
      // the first is lost in any case once recovery began
      if (record === queue.head && !(record.marks & Mark.Lost)) markFirst(c, record)
      return
    }
    if (!(record.marks & Mark.Lost)) markLost(c, record)
  }
}

function markFirst(c: Connection, record: SendRecord): void {
  if (record.segments > 1) splitSent(c, record, record.mss, record.mss)
  markLost(c, record)
}

export { enterCwr }
