import type { Instant } from '../time.js'

/** What the ACK being processed told, as bits. */
export const AckFlag = {
  /** It carries text. */
  Text: 1,
  /** It updates the window. */
  WindowUpdate: 2,
  /** It acknowledges text; a SYN; SND.UNA moves. */
  TextAcked: 4,
  SynAcked: 8,
  Advanced: 16,
  /** Something acknowledged had been retransmitted. */
  RetransmittedAcked: 32,
  /** It SACKs something new; it reports a duplicate; the duplicate is of the tail loss probe. */
  TextSacked: 64,
  Duplicate: 128,
  DuplicateOfProbe: 256,
  /** Something sent before `highSeq` and not retransmitted was delivered. */
  OriginalDelivered: 512,
  /** ECN-Echo. */
  EcnEcho: 1024,
  /** The oldest text in flight is SACKed. */
  Reneging: 2048,
  /** A retransmission was found lost. */
  RetransmissionLost: 4096,
  /** The transmit timer is to be set anew. */
  SetTimer: 8192,
  /** The peer may have delayed it. */
  MaybeDelayed: 16384,
} as const

export const ACKED = AckFlag.TextAcked | AckFlag.SynAcked
export const NOT_DUPLICATE = AckFlag.Text | AckFlag.WindowUpdate | ACKED
export const ALERT = AckFlag.TextSacked | AckFlag.EcnEcho | AckFlag.Duplicate
export const PROGRESS = ACKED | AckFlag.TextSacked

/** What to send at the end of an ACK. */
export const Resend = { Nothing: 0, Lost: 1, New: 2 } as const

/** The ACK being processed; there is one at a time, and nothing is allocated for it. */
export const ack = {
  flags: 0,
  priorUna: 0,
  /** Send times of the first and last record newly SACKed that were never retransmitted, ms; -1: none. */
  firstSackedAt: -0.5 as Instant,
  lastSackedAt: -0.5 as Instant,
  /** Lowest sequence number that was overtaken. */
  reorderedSeq: 0,
  /** Segments newly SACKed. */
  sacked: 0,
  /** Octets newly acknowledged or SACKed. */
  octets: 0,
  /** What is sent at the end, of `Resend`. */
  resend: 0 as number,
  /** Timestamp echoed, and whether there is one. */
  hasEcho: false,
  echo: 0,
}
