import { CE, ECT0, ECT1, NOT_ECT, OPT_ACCECN1, type Segment } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { type Instant, NEVER } from '../time.js'

/** Counter of CE-marked packets begins at 5, so that an ACE field that was cleared on the way shows (RFC 9768 3.2.1). */
const CE_PACKETS_INIT = 5
const ACE_MASK = 7
/** Counters of octets begin at 1, 0, 1 for ECT(0), CE, ECT(1) (RFC 9768 3.2.1) and have 24 bits. */
const OCTETS_INIT = [0, 1, 1, 0] as const
const COUNTER_MASK = 0xffffff
/** An AccECN option is due once per so many octets in any counter, lest it wrap unseen (RFC 9768 3.2.3.3). */
const OCTETS_BETWEEN_OPTIONS = 2 ** 22
/** After this many octets without an option seen it is too late to begin (RFC 9768 3.2.3.1). */
const OCTETS_UNTIL_TOO_LATE = 2 ** 23 - 1
/** CE marks after which an ACK is due, so that three bits suffice to tell of them (RFC 9768 3.2.2.5.1: at most 6). */
const MOST_UNTOLD = 4
/** Weight of the average of segments per ACK, and from which average on long ACKs are the peer's habit, segments. */
const ACKED_WEIGHT = 64
const THINNED_ACKS = 4

/** The counters of a connection's beginning, E1B, CEB, E0B, for the option of a SYN-ACK. */
export const NEW_COUNTERS = [1, 0, 1] as const

/** Whether AccECN options of the peer arrive. */
export const OptionSeen = { No: 0, Empty: 1, Counters: 2, Broken: 3 } as const

/**
 * What a connection with ECN remembers: classic (RFC 3168) or accurate (RFC 9768). Made when ECN was agreed.
 * Octet counters are indexed by ECN field: ECT1, ECT0, CE.
 */
export class Ecn {
  readonly accurate: boolean

  // --- classic ---
  /** CE arrived and the peer has not yet said CWR: our ACKs carry ECE. */
  echo = false
  /** The window was reduced: the next new segment carries CWR. */
  cwrDue = false
  /** A packet with ECT or CE has arrived. */
  seen = false

  // --- accurate: what we received ---
  /** CE-marked packets, pure ACKs too, and those of them that no ACK has told of. */
  receivedCe = 0
  untoldCe = 0
  readonly receivedOctets = new Float64Array(4)
  /** ECN field of the last packet; a change is acknowledged at once. */
  lastField: number = NOT_ECT
  /** Counters that must be told, as how many of the option's fields that takes. */
  fieldsNeeded = 0
  /** Options that are owed although the settings ask for few. */
  optionsDue = 0
  lastOptionAt: Instant = -NEVER
  /** The last option went with a report of a duplicate: if the duplicate comes again, the ACK was lost, option and all. */
  optionSentWithDuplicate = false
  /** ACE bits that the next pure ACK carries instead of the counter: the reflection of the SYN-ACK's ECN field; -1: none. */
  reflection = -1

  // --- accurate: what the peer received ---
  deliveredCe = 0
  readonly deliveredOctets = new Float64Array(4)
  /** Which field grew last: where octets go that an ACK without option acknowledges; NOT_ECT: not clear. */
  growing: number = NOT_ECT
  /** Average of segments per ACK. */
  segmentsPerAck = 0
  optionSeen: number = OptionSeen.No
  /** TS.Recent moved with the segment at hand. */
  timestampAdvanced = false
  /** The ACK of our SYN has been processed: ACE is a counter from then on. */
  handshakeOver = false

  // --- accurate: what the path breaks ---
  /** The ACE field does not arrive as sent: ECT is not set any more. */
  aceBroken = false
  /** Options we send seem to be dropped with their segments. */
  sendingOptionsBroken = false

  constructor(accurate: boolean) {
    this.accurate = accurate
  }
}

/** The ACE field, AE CWR ECE, of a segment's flags as a number. */
export const aceOf = (flags: number): number => (flags >>> 6) & ACE_MASK
/** Flags AE, CWR, ECE for an ACE value. */
export const aceFlags = (ace: number): number => ace << 6
/** The ACE value for segments after the handshake. */
export const aceCounter = (ecn: Ecn): number => (ecn.receivedCe + CE_PACKETS_INIT) & ACE_MASK

/** How SYN-ACK and the third segment tell which ECN field the segment before had (RFC 9768 table 2 and 3). */
export function handshakeAce(field: number): number {
  if (field === ECT1) return 0b011
  if (field === ECT0) return 0b100
  if (field === CE) return 0b110
  return 0b010
}

/** The ECN field that a handshake encoding tells of. */
export function handshakeField(ace: number): number {
  if (ace === 0b011) return ECT1
  if (ace === 0b100) return ECT0
  if (ace === 0b110) return CE
  return NOT_ECT
}

/** Networks may mark ECT as CE; any other change of a field on the way means that the path breaks ECN (RFC 9768 3.2.2.3). */
export function fieldChangeIsValid(sent: number, arrived: number): boolean {
  if (sent === arrived) return true
  return arrived === CE && sent !== NOT_ECT
}

/** A packet arrived: the receiver's counters (RFC 9768 3.2.2.1). True: an ACK is due at once (3.2.2.5.1). */
export function countArrival(ecn: Ecn, seg: Segment): boolean {
  const field = seg.ecn
  if (field !== NOT_ECT) {
    ecn.seen = true
    if (field === CE) {
      const packets = seg.gsoSize > 0 ? Math.max(1, Math.ceil(seg.textLength / seg.gsoSize)) : 1
      ecn.receivedCe += packets
      ecn.untoldCe += packets
    }
    if (seg.textLength > 0) {
      const before = ecn.receivedOctets[field]!
      const after = before + seg.textLength
      ecn.receivedOctets[field] = after
      ecn.fieldsNeeded = Math.max(ecn.fieldsNeeded, fieldsToTell(field))
      if (Math.floor(before / OCTETS_BETWEEN_OPTIONS) !== Math.floor(after / OCTETS_BETWEEN_OPTIONS)) {
        ecn.optionsDue = Math.max(ecn.optionsDue, 1)
      }
    }
  }
  const changed = ecn.lastField !== field
  if (changed || field === CE) {
    ecn.lastField = field
    // two, so that the second tells the field without doubt
    ecn.optionsDue = 2
  }
  return changed || ecn.untoldCe >= MOST_UNTOLD
}

/** In the order E1B, CEB, E0B: how many counters an option needs to tell of a field. */
function fieldsToTell(field: number): number {
  if (field === ECT1) return 1
  return field === CE ? 2 : 3
}

const fieldsToSend = [0, 0, 0]

/** E1B, CEB, E0B for an option of kind 174; the array is reused. */
export function accEcnFields(ecn: Ecn): readonly number[] {
  fieldsToSend[0] = (ecn.receivedOctets[ECT1]! + OCTETS_INIT[ECT1]) & COUNTER_MASK
  fieldsToSend[1] = (ecn.receivedOctets[CE]! + OCTETS_INIT[CE]) & COUNTER_MASK
  fieldsToSend[2] = (ecn.receivedOctets[ECT0]! + OCTETS_INIT[ECT0]) & COUNTER_MASK
  return fieldsToSend
}

/**
 * Whether the next segment should carry an AccECN option, if there is room: once options of the peer were seen, on
 * every segment (setting 2), or when a counter changed and as a beacon a few times per RTT (1) (RFC 9768 3.2.3.3).
 */
export function accEcnOptionWanted(c: Connection, ecn: Ecn, now: Instant): boolean {
  const { accEcnOption, accEcnOptionBeacon } = c.env.settings
  if (accEcnOption === 0 || ecn.optionSeen === OptionSeen.No) return false
  if (ecn.sendingOptionsBroken && accEcnOption < 3) return false
  if (accEcnOption >= 2 || ecn.optionsDue > 0) return true
  if (accEcnOptionBeacon === 0) return false
  return now - ecn.lastOptionAt >= c.rtt.smoothed / 2 ** accEcnOptionBeacon
}

export function accEcnOptionSent(ecn: Ecn, now: Instant): void {
  ecn.fieldsNeeded = 0
  ecn.lastOptionAt = now
  if (ecn.optionsDue > 0) ecn.optionsDue--
}

/** The first option seen tells whether the path clears counters: those that begin at 1 are never 0 at first (RFC 9768 3.2.3.1). */
export function noteFirstOption(ecn: Ecn, seg: Segment): void {
  if (seg.accEcnKind === 0 || ecn.optionSeen >= OptionSeen.Counters) return
  if (seg.accEcnCount === 0) ecn.optionSeen = OptionSeen.Empty
  else ecn.optionSeen = seg.accEcn[0] === 0 ? OptionSeen.Broken : OptionSeen.Counters
}

/**
 * What an ACK says of CE marks on what we sent (RFC 9768 3.2.2.5): newly marked segments, by the ACE counter, of which
 * only three bits came; where it may have wrapped, the octet counters and what was acknowledged decide (appendix A).
 * @param delivered segments newly acknowledged or SACKed by it, and their octets
 * @param progress it acknowledged or SACKed something new
 */
export function aceArrives(
  c: Connection,
  ecn: Ecn,
  seg: Segment,
  delivered: number,
  octets: number,
  progress: boolean,
): number {
  const advanced = ecn.timestampAdvanced
  ecn.timestampAdvanced = false
  // an ACK that was overtaken has counters of the past
  if (!progress && !advanced) return 0
  if (!ecn.handshakeOver) {
    ecn.handshakeOver = true
    if (progress && seg.ack === ((c.snd.iss + 1) | 0)) return 0
  }
  if (delivered > 0) {
    const average = ecn.segmentsPerAck
    ecn.segmentsPerAck = average === 0 ? delivered : average + (delivered - average) / ACKED_WEIGHT
  }
  const ceOctetsBefore = ecn.deliveredOctets[CE]!
  const octetsKnown = optionArrives(c, ecn, seg, octets)
  const counted = (aceOf(seg.flags) - CE_PACKETS_INIT) & ACE_MASK
  const delta = (counted - ecn.deliveredCe) & ACE_MASK
  let marked = delta
  if (delivered > ACE_MASK) {
    const most = delivered - ((delivered - delta) & ACE_MASK)
    marked = octetsKnown
      ? markedByOctets(c, delta, most, delivered, octets, ecn.deliveredOctets[CE]! - ceOctetsBefore)
      : ecn.segmentsPerAck > THINNED_ACKS
        ? delta
        : most
  }
  ecn.deliveredCe += marked
  return marked
}

/** RFC 9768 appendix A.2.2: the octet counters tell between the least (`delta`) and the `most` that ACE may mean. */
function markedByOctets(
  c: Connection,
  delta: number,
  most: number,
  delivered: number,
  octets: number,
  ceOctets: number,
): number {
  if (ceOctets === 0) return delta
  if (delivered >= 2 * (ACE_MASK + 1)) {
    if (octets <= ceOctets) return most
    const estimate = Math.ceil((ceOctets * delivered) / octets)
    return Math.min(most, delta + (estimate & ~ACE_MASK))
  }
  if (ceOctets > delta * c.snd.mss) return most
  if (ceOctets < (most * c.snd.mss) / 2) return delta
  return most
}

/** Takes the counters of an option over. True: how many octets were marked since the last ACK is known. */
function optionArrives(c: Connection, ecn: Ecn, seg: Segment, octets: number): boolean {
  if (ecn.optionSeen === OptionSeen.Broken) return false
  if (seg.accEcnKind === 0) {
    if (ecn.optionSeen === OptionSeen.No) {
      if ((c.snd.nxt - c.snd.iss) >>> 0 >= OCTETS_UNTIL_TOO_LATE) ecn.optionSeen = OptionSeen.Broken
      return false
    }
    if (ecn.growing === NOT_ECT) return false
    ecn.deliveredOctets[ecn.growing]! += octets
    return true
  }
  noteFirstOption(ecn, seg)
  let clear = ecn.growing !== NOT_ECT
  let ambiguous = false
  let firstChange = true
  const estimate = ecn.growing
  for (let i = 0; i < seg.accEcnCount; i++) {
    const field = optionField(seg.accEcnKind, i)
    const delta = growth(ecn.deliveredOctets[field]!, seg.accEcn[i]!, OCTETS_INIT[field]!)
    if (delta === 0) continue
    if (delta < 0) {
      clear = false
      ambiguous = true
    }
    ecn.deliveredOctets[field]! += delta
    if (field === estimate) continue
    if (firstChange) {
      ecn.growing = field
      firstChange = false
    } else {
      clear = false
      ambiguous = true
    }
  }
  if (ambiguous) ecn.growing = NOT_ECT
  return clear
}

/** Kind 172 is E0B, CEB, E1B; 174 the other way round (RFC 9768 3.2.3). */
function optionField(kind: number, index: number): 1 | 2 | 3 {
  if (index === 1) return CE
  const first = kind === OPT_ACCECN1 ? ECT1 : ECT0
  const last = kind === OPT_ACCECN1 ? ECT0 : ECT1
  return index === 0 ? first : last
}

/** Distance from our count to the 24 bits the peer sent, octets; negative when our estimate was too large. */
function growth(count: number, wire: number, init: number): number {
  const distance = (wire - init - count) & COUNTER_MASK
  return distance >= 0x800000 ? distance - 0x1000000 : distance
}
