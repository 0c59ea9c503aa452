import type { SendRecord } from '../send/send-record.js'
import type { Instant, Millis } from '../time.js'

/** State of loss recovery, as Linux names and numbers it (tcpi_ca_state). */
export const CaState = { Open: 0, Disorder: 1, Cwr: 2, Recovery: 3, Loss: 4 } as const
export type CaState = (typeof CaState)[keyof typeof CaState]

/** What loss recovery remembers of a connection. Counts and windows in segments, sequence numbers as everywhere. */
export class Recovery {
  state: CaState = CaState.Open
  /** Segments sent and not acknowledged; of these: SACKed (or duplicate ACKs), believed lost, sent again and in flight. */
  packetsOut = 0
  sackedOut = 0
  lostOut = 0
  retransOut = 0
  /** SND.NXT when this state began: it ends when that is acknowledged (RFC 6582 "recover"). */
  highSeq = 0
  /** End of the highest SACKed record; meant while `sackedOut` > 0. */
  highestSacked = 0
  /** The record that ends there, to begin searching at; and the SACK blocks of the last ACK, edges in pairs. */
  sackHint: SendRecord | null = null
  sackSeen: Int32Array | null = null
  /** First record that may need to be sent again; null: the oldest. */
  retransmitFrom: SendRecord | null = null
  /** Segments that may overtake one another (dupthresh), and how often that was seen. */
  reordering: number
  reorderingSeen = 0
  /** Peer threw SACKed text away. */
  reneged = false

  // --- undo (RFC 3522, 3708, 4015) ---
  /** A reduction that may turn out spurious began at `undoMarker`; so many retransmissions are not known to be duplicates. */
  undoing = false
  undoMarker = 0
  undoRetrans = 0
  /** ssthresh before the reduction; 0: it stays reduced. */
  priorSsthresh = 0

  // --- proportional rate reduction (RFC 9937, 6937) ---
  priorCwnd = 0
  prrDelivered = 0
  prrOut = 0

  // --- F-RTO (RFC 5682) ---
  frto = false

  // --- tail loss probe (RFC 8985 7) ---
  probing = false
  probeEnd = 0
  probeRetransmitted = false

  // --- RACK (RFC 8985 6) ---
  /** Send time, end and RTT of the segment delivered that was sent last. */
  rackSentAt: Instant = -0.5
  rackEnd = 0
  rackRtt: Millis = -0.5
  rackAdvanced = false
  /** Reordering window in quarters of the minimum RTT, and recoveries it stays that wide. */
  rackSteps = 1
  rackPersist = 0
  rackDsackSeen = false
  rackLastDelivered = 0

  /** Duplicates the peer reported (DSACK). */
  dsackSeen = false
  dsackDups = 0

  constructor(reordering: number) {
    this.reordering = reordering
  }

  /** RFC 6675 pipe: what is in the network as far as we know. */
  get inFlight(): number {
    return this.packetsOut - this.sackedOut - this.lostOut + this.retransOut
  }

  /** A reduction is under way. */
  get reducing(): boolean {
    return this.state === CaState.Cwr || this.state === CaState.Recovery
  }
}

/** What connections share that have not sent anything yet, by their `reordering`; nobody changes it. */
const idle: Recovery[] = []

export function idleRecovery(reordering: number): Recovery {
  idle[reordering] ??= new Recovery(reordering)
  return idle[reordering]
}

export const isIdle = (recovery: Recovery): boolean => idle[recovery.reordering] === recovery
