import type { Connection } from '../connection.js'
import { Burst, Nagle, sendQueued } from '../send/output.js'
import { currentMss } from '../send/segment-size.js'
import { rearmRetransmit } from '../send/transmit-timers.js'
import { after, before } from '../sequence.js'
import type { Instant } from '../time.js'
import { disarm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { AckFlag, ack, NOT_DUPLICATE } from './ack-state.js'
import { beginReduction, endReduction, setCaState } from './cwnd-control.js'
import { splitSent } from './marks.js'
import { CaState } from './recovery.js'
import { resend } from './retransmit.js'
import { tryKeepOpen } from './undo.js'

/**
 * The probe timer fired (RFC 8985 7.3): a segment is sent, so that an ACK or SACK of it shows what of the tail was lost.
 * New text if there is some and the window has room, else the last segment again.
 */
export function sendLossProbe(c: Connection, now: Instant): void {
  if (!probe(c, now)) {
    rearmRetransmit(c, now)
    return
  }
  const { recovery } = c
  recovery.probing = true
  recovery.probeEnd = c.snd.nxt
  c.env.counters.count('TcpExtTCPLossProbes')
  // the RTO counts from the probe
  disarm(c, Timer.TailLossProbe, now)
  rearmRetransmit(c, now)
}

function probe(c: Connection, now: Instant): boolean {
  const { recovery, snd } = c
  const { queue } = snd
  // at most one probe is outstanding
  if (recovery.probing) return false
  recovery.probeRetransmitted = false
  const mss = currentMss(c, now)
  const next = queue.unsent
  if (next !== null) {
    const end = next.length > mss ? (next.seq + mss) | 0 : next.endSeq
    if (!after(end, (snd.una + snd.wnd) | 0)) {
      const packets = recovery.packetsOut
      sendQueued(c, mss, Nagle.Off, Burst.Probe, now)
      return recovery.packetsOut > packets
    }
  }
  let last = queue.lastSent
  if (last === null) return false
  const { segments } = last
  if (segments > 1 && last.length > (segments - 1) * mss) {
    splitSent(c, last, (segments - 1) * mss, mss)
    last = last.next!
  }
  if (!resend(c, last, 1, now)) return false
  recovery.probeRetransmitted = true
  return true
}

/** An ACK while a probe is outstanding (RFC 8985 7.4): was something lost that the probe repaired? */
export function probeAnswered(c: Connection, seq: number, now: Instant): void {
  const { recovery } = c
  if (before(seq, recovery.probeEnd)) return
  if (!recovery.probeRetransmitted || ack.flags & AckFlag.DuplicateOfProbe) recovery.probing = false
  else if (after(seq, recovery.probeEnd)) {
    // the original was lost, and only the probe arrived: that was congestion
    beginReduction(c, now)
    setCaState(c, CaState.Cwr, now)
    endReduction(c, now)
    tryKeepOpen(c, now)
    c.env.counters.count('TcpExtTCPLossProbeRecovery')
  } else if (!(ack.flags & (AckFlag.Advanced | NOT_DUPLICATE | AckFlag.TextSacked))) {
    // the same ACK twice: original and probe both arrived
    recovery.probing = false
  }
}
