import { ACK, AE, CE, CWR, ECE, ECT0, NOT_ECT, RST, type Segment, SYN } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { enterQuickAcks } from '../receive/acknowledge.js'
import { Owed } from '../receive/receive-state.js'
import { before } from '../sequence.js'
import type { Settings } from '../settings/settings.js'
import {
  aceArrives,
  aceCounter,
  aceFlags,
  aceOf,
  countArrival,
  Ecn,
  fieldChangeIsValid,
  handshakeAce,
  handshakeField,
  noteFirstOption,
  OptionSeen,
} from './accecn.js'

export { Ecn } from './accecn.js'

// --- the handshake ---

/** What an entry of the SYN queue remembers of ECN, in one number. */
export const SynEcn = {
  /** The SYN's ECN field. */
  Field: 3,
  /** RFC 3168 was asked for and is accepted. */
  Classic: 4,
  /** AccECN was. */
  Accurate: 8,
  /** A later SYN of the same peer had no ACE field: the path clears it. */
  Cleared: 16,
} as const

/** ECN flags for a SYN of ours that has been sent `retransmissions` times before (RFC 9768 3.1.1, RFC 3168 6.1.1). */
export function synEcnFlags(settings: Settings, retransmissions: number): number {
  const { ecn } = settings
  const accurate = ecn === 3
  if (!accurate && ecn !== 1 && ecn !== 4) return 0
  // a middlebox may drop such SYNs: AccECN is tried once more than ECN of old (RFC 9768 3.1.4.1), then neither
  const tries = accurate ? Math.max(1, settings.ecnSynRetries) : settings.ecnSynRetries
  if (settings.ecnFallback && retransmissions > tries) return 0
  return accurate ? AE | CWR | ECE : CWR | ECE
}

/** A SYN arrived for a listener: what of ECN is agreed to. */
export function ecnOfSyn(settings: Settings, seg: Segment): number {
  const { ecn } = settings
  if (ecn === 0) return 0
  if ((seg.flags & (AE | CWR | ECE)) === (AE | CWR | ECE) && ecn >= 3) return SynEcn.Accurate | seg.ecn
  if ((seg.flags & (CWR | ECE)) !== (CWR | ECE)) return 0
  // a SYN with ECT is not of RFC 3168, unless AE says it is AccECN asked of a host without it
  if (seg.ecn !== NOT_ECT && (seg.flags & AE) === 0) return 0
  return SynEcn.Classic | seg.ecn
}

/** The SYN came again, perhaps with other flags (RFC 9768 3.1.5). */
export function ecnOfSynAgain(agreed: number, seg: Segment): number {
  if ((agreed & SynEcn.Accurate) === 0) return agreed
  const now = (agreed & ~SynEcn.Field) | seg.ecn
  return aceOf(seg.flags) === 0 ? now | SynEcn.Cleared : now
}

/** ECN flags of a SYN-ACK that was sent `retransmissions` times before (RFC 9768 3.1.2, 3.1.4.2). */
export function synAckEcnFlags(settings: Settings, agreed: number, retransmissions: number): number {
  if (agreed & SynEcn.Accurate) {
    if (retransmissions > 1 && settings.ecnFallback) return 0
    return aceFlags(handshakeAce(agreed & SynEcn.Field))
  }
  return agreed & SynEcn.Classic ? ECE : 0
}

/** Whether a SYN-ACK carries the AccECN option: not when sent again, in case it is why the first was lost (RFC 9768 3.2.3.2). */
export function synAckHasAccEcnOption(settings: Settings, agreed: number, retransmissions: number): boolean {
  return (agreed & SynEcn.Accurate) !== 0 && settings.accEcnOption > 0 && retransmissions === 0
}

/** The segment that completes a passive open arrived; `agreed` is what the SYN queue remembered. Counts the segment. */
export function acceptEcn(c: Connection, agreed: number, seg: Segment): void {
  if ((agreed & (SynEcn.Classic | SynEcn.Accurate)) === 0) return
  const ecn = new Ecn((agreed & SynEcn.Accurate) !== 0)
  c.ecn = ecn
  if (ecn.accurate) checkThirdSegment(c, ecn, agreed, seg)
  ecnArrives(c, seg)
}

/** What the third segment tells of the path: whether our SYN-ACK's field and the ACE field came through. */
function checkThirdSegment(c: Connection, ecn: Ecn, agreed: number, seg: Segment): void {
  ecn.lastField = agreed & SynEcn.Field
  ecn.optionsDue = 1
  if (agreed & SynEcn.Cleared) ecn.aceBroken = true
  noteFirstOption(ecn, seg)
  const ace = aceOf(seg.flags)
  if (ace === 0) {
    // the field that a client of AccECN never leaves at zero was cleared on the way (RFC 9768 3.2.2.4)
    ecn.aceBroken = true
    return
  }
  if (seg.textLength > 0 || ace === 1 || ace === 5 || ace === 7) return
  const told = handshakeField(ace)
  if (c.env.settings.ecnFallback && !fieldChangeIsValid(NOT_ECT, told)) ecn.aceBroken = true
  else if (told === CE) {
    ecn.deliveredCe++
    c.snd.deliveredCe++
  }
}

/** The SYN-ACK of our active open arrived: what of ECN the peer agreed to (RFC 9768 3.1.2 table 2). */
export function ecnOfSynAck(c: Connection, seg: Segment): void {
  const { settings } = c.env
  c.ecn = null
  if (settings.ecn === 0 || settings.ecn === 2 || settings.ecn === 5) return
  const ace = aceOf(seg.flags)
  if (ace === 0 || ace === 7) return
  if (ace === 1 || settings.ecn !== 3) {
    if ((seg.flags & (ECE | CWR)) === ECE) c.ecn = new Ecn(false)
    return
  }
  const ecn = new Ecn(true)
  c.ecn = ecn
  ecn.reflection = handshakeAce(seg.ecn)
  ecn.lastField = seg.ecn
  if (seg.accEcnKind !== 0) {
    noteFirstOption(ecn, seg)
    ecn.optionsDue = 2
  }
  if (ace !== 5 && settings.ecnFallback && !fieldChangeIsValid(NOT_ECT, handshakeField(ace))) ecn.aceBroken = true
  if (seg.ecn === CE) ecn.receivedCe++
}

/**
 * Simultaneous open: the peer's SYN is answered as a listener would, whether or not ours asked; by RFC 3168, since AccECN
 * has no encoding for it (RFC 9768 3.1.5).
 */
export function ecnOfSimultaneousSyn(c: Connection, seg: Segment): void {
  const accepted = c.env.settings.ecn !== 0 && (seg.flags & (CWR | ECE)) === (CWR | ECE)
  c.ecn = accepted ? new Ecn(false) : null
}

/**
 * A SYN-ACK arrives again once the connection is established: the challenge ACK that answers it reflects its ECN field
 * as the first ACK did (RFC 9768 3.2.2.1).
 */
export function reflectSynAck(c: Connection, seg: Segment): void {
  if (c.ecn?.accurate && seg.flags & SYN) c.ecn.reflection = handshakeAce(seg.ecn)
}

// --- the connection ---

/** An acceptable segment arrived; before its ACK and text are processed. */
export function ecnArrives(c: Connection, seg: Segment): void {
  const ecn = c.ecn
  if (ecn === null) return
  if (ecn.accurate) {
    if (countArrival(ecn, seg)) c.rcv.owed |= Owed.Now
    return
  }
  if (seg.flags & CWR) {
    ecn.echo = false
    // the sender's window may be down to one segment: it waits for this ACK
    if (seg.textLength > 0) c.rcv.owed |= Owed.Now
  }
  if (seg.textLength === 0) return
  if (seg.ecn === CE) {
    if (!ecn.echo) {
      enterQuickAcks(c, 2)
      ecn.echo = true
    }
    ecn.seen = true
  } else if (seg.ecn !== NOT_ECT) ecn.seen = true
  // text without ECT after text with it is a retransmission: its sender lost something and is slow
  else if (ecn.seen) enterQuickAcks(c, 2)
}

/** ECN field and flags of a segment about to be sent. `isText`: it carries text. */
export function markEcn(c: Connection, out: Segment, isText: boolean, retransmission: boolean): void {
  const ecn = c.ecn
  if (ecn === null || out.flags & (RST | SYN)) return
  if (ecn.accurate) {
    // every packet may be ECT, pure ACKs and retransmissions too (RFC 9768 3.3.3, RFC 8311)
    out.ecn = ecn.aceBroken ? NOT_ECT : ECT0
    let ace = aceCounter(ecn)
    ecn.untoldCe = 0
    if (ecn.reflection >= 0) {
      if (!isText && (out.flags & ACK) !== 0) ace = ecn.reflection
      ecn.reflection = -1
    }
    out.flags |= aceFlags(ace)
    return
  }
  // RFC 3168 6.1.4-6.1.6: no ECT on pure ACKs, retransmissions and window probes
  if (isText && !retransmission && !before(out.seq, c.snd.nxt)) {
    out.ecn = ECT0
    if (ecn.cwrDue) {
      ecn.cwrDue = false
      out.flags |= CWR
    }
  }
  if (ecn.echo) out.flags |= ECE
}

/**
 * What an ACK says of congestion marks: how many more segments were marked, 0: none. With classic ECN any number above
 * 0 means that ECE was set. `delivered`, `octets`: what it newly acknowledged or SACKed, segments and octets;
 * `progress`: whether that is anything.
 */
export function ecnAckArrives(
  c: Connection,
  seg: Segment,
  delivered: number,
  octets: number,
  progress: boolean,
): number {
  const ecn = c.ecn
  if (ecn === null) return 0
  if (ecn.accurate) return aceArrives(c, ecn, seg, delivered, octets, progress)
  if ((seg.flags & (ECE | SYN)) !== ECE) return 0
  ecn.deliveredCe += delivered
  return Math.max(1, delivered)
}

/** The congestion window was reduced: the peer is told by CWR (RFC 3168 6.1.2). */
export function windowReduced(c: Connection): void {
  if (c.ecn !== null && !c.ecn.accurate) c.ecn.cwrDue = true
}

/** The reduction was found to be unneeded and taken back. */
export function reductionUndone(c: Connection): void {
  if (c.ecn !== null) c.ecn.cwrDue = false
}

/** Text that we had comes again. If it also did with the last option, options are why our ACKs are lost (RFC 9768 3.2.3.2.2). */
export function duplicateTextArrives(c: Connection, seq: number): void {
  const ecn = c.ecn
  const sacks = c.rcv.reassembly?.sacks
  if (ecn === null || sacks === undefined || !ecn.optionSentWithDuplicate) return
  if (sacks.duplicateLeft === seq) ecn.sendingOptionsBroken = true
}

export { OptionSeen }
