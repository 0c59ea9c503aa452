import {
  MAX_OPTIONS_LENGTH,
  NOP_NOP_TIMESTAMPS,
  OPT_ACCECN1,
  putAccEcn,
  putFastOpen,
  putMd5,
  putMss,
  putNop,
  putSack,
  putSackPermitted,
  putTimestamps,
  putUserTimeout,
  putWindowScale,
  type Segment,
  TIMESTAMPS_LENGTH,
  write32,
} from '../../wire/index.js'
import type { Connection } from '../connection.js'
import type { SynOffer } from '../open/syn-offer.js'
import { sackBlocks, takeSackEdges } from '../receive/sack.js'
import type { Settings } from '../settings/settings.js'
import type { Instant } from '../time.js'
import { accEcnFields, accEcnOptionSent, accEcnOptionWanted, type Ecn, NEW_COUNTERS } from './accecn.js'
import { tsNow } from './timestamps.js'

const MD5_LENGTH = 20
const SACK_BASE = 4
const SACK_BLOCK = 8
const ACCECN_BASE = 2
const ACCECN_FIELD = 3
const ACCECN_FIELDS = 3
const USER_TIMEOUT_LENGTH = 4

/** What `plan` found room for; filled anew for each segment. */
let plannedSacks = 0
let plannedFields = -1

/**
 * Which options the next segment of a connection in a synchronized state carries, and how long they are, octets,
 * padded. Timestamps first, since RFC 7323 wants them in every segment; then SACK, as many blocks as fit; then AccECN,
 * which may take the place of an old SACK block when a counter must be told.
 */
function plan(c: Connection, now: Instant): number {
  let size = c.md5Key === null ? 0 : MD5_LENGTH
  if (c.snd.tsOk) size += TIMESTAMPS_LENGTH
  plannedSacks = 0
  plannedFields = -1
  if (c.rcv.reassembly !== null) {
    const room = Math.floor((MAX_OPTIONS_LENGTH - size - SACK_BASE) / SACK_BLOCK)
    plannedSacks = Math.max(0, Math.min(sackBlocks(c), room))
    if (plannedSacks > 0) size += SACK_BASE + plannedSacks * SACK_BLOCK
  }
  if (c.ecn?.accurate && accEcnOptionWanted(c, c.ecn, now))
    size += fitAccEcn(c.ecn.fieldsNeeded, MAX_OPTIONS_LENGTH - size)
  if (announcesUserTimeout(c) && size + USER_TIMEOUT_LENGTH <= MAX_OPTIONS_LENGTH) size += USER_TIMEOUT_LENGTH
  return size
}

/**
 * How many AccECN counters fit (RFC 9768 3.2.3.3: the ones that changed first; fewer if space is short). Returns the
 * octets they add. An option that ends two octets short of a word shares it with the SACK option, which then needs no
 * NOPs before it.
 */
function fitAccEcn(needed: number, room: number): number {
  const shared = plannedSacks > 0 ? 2 : 0
  let blocks = plannedSacks
  let left = room
  let fields = ACCECN_FIELDS
  while (fields >= needed) {
    const size = paddedAccEcn(fields, shared)
    if (size <= left) {
      plannedFields = fields
      const freed = (plannedSacks - blocks) * SACK_BLOCK
      plannedSacks = blocks
      return size - freed
    }
    if (fields === needed && blocks > 2 && needed > 0) {
      blocks--
      left += SACK_BLOCK
      fields = ACCECN_FIELDS
      continue
    }
    fields--
  }
  return 0
}

function paddedAccEcn(fields: number, shared: number): number {
  const size = ACCECN_BASE + fields * ACCECN_FIELD
  return (size & 3) > shared ? (size + 3) & ~3 : size & ~3
}

/**
 * Octets of options, padded, that the next segment with text will carry: what is subtracted from the MSS to get the
 * text that fits (RFC 9293 3.7.1 Eff.snd.MSS, RFC 6691; MUST-16).
 */
export function optionsLength(c: Connection, now: Instant): number {
  if (onlyTimestamps(c)) return c.snd.tsOk ? TIMESTAMPS_LENGTH : 0
  return plan(c, now)
}

/** What most segments of most connections carry: timestamps if they are agreed, and nothing else. */
const onlyTimestamps = (c: Connection): boolean =>
  c.rcv.reassembly === null && c.ecn === null && c.md5Key === null && !announcesUserTimeout(c)

function writeTimestamps(c: Connection, out: Segment, now: Instant): void {
  if (!c.snd.tsOk) {
    out.optionBytesLength = 0
    return
  }
  const bytes = out.optionBytes
  write32(bytes, 0, NOP_NOP_TIMESTAMPS)
  write32(bytes, 4, tsNow(c, now))
  write32(bytes, 8, c.rcv.tsRecent)
  out.optionBytesLength = TIMESTAMPS_LENGTH
}

/** Writes the options of a segment in a synchronized state. */
export function writeOptions(c: Connection, out: Segment, now: Instant): void {
  if (onlyTimestamps(c)) return writeTimestamps(c, out, now)
  const size = plan(c, now)
  if (size === 0) {
    out.optionBytesLength = 0
    return
  }
  const bytes = out.optionBytes
  let at = 0
  const linux = c.env.settings.optionLayout === 'linux'
  if (linux && c.md5Key !== null) at = writeMd5(out, at, c.md5Key)
  if (c.snd.tsOk) {
    at = alignTo(bytes, at, 2)
    at = putTimestamps(bytes, at, tsNow(c, now), c.rcv.tsRecent)
  }
  if (!linux && c.md5Key !== null) at = writeMd5(out, at, c.md5Key)
  if (plannedFields >= 0) {
    c.ecn!.optionSentWithDuplicate = plannedSacks > 0 && c.rcv.reassembly!.sacks.duplicate
    at = writeAccEcn(c.ecn!, bytes, at, now)
  }
  if (plannedSacks > 0) {
    at = alignTo(bytes, at, 2)
    at = putSack(bytes, at, takeSackEdges(c), plannedSacks)
  }
  if (announcesUserTimeout(c) && at + USER_TIMEOUT_LENGTH <= MAX_OPTIONS_LENGTH) {
    at = putUserTimeout(bytes, alignTo(bytes, at, 0), userTimeoutValue(c.options.userTimeout))
  }
  out.optionBytesLength = alignTo(bytes, at, 0)
}

function writeAccEcn(ecn: Ecn, bytes: Uint8Array, at: number, now: Instant): number {
  const end = putAccEcn(bytes, at, OPT_ACCECN1, accEcnFields(ecn), plannedFields)
  accEcnOptionSent(ecn, now)
  return end
}

function writeMd5(out: Segment, at: number, key: Uint8Array): number {
  const start = alignTo(out.optionBytes, at, 2)
  const end = putMd5(out.optionBytes, start)
  out.md5At = start + 2
  out.md5Key = key
  return end
}

/** NOPs until `at` is at `offset` of a word. */
function alignTo(bytes: Uint8Array, at: number, offset: number): number {
  let p = at
  while ((p & 3) !== offset) p = putNop(bytes, p)
  return p
}

/** RFC 5482 3.1: the option is sent when the program asked for a time-out and the host takes part. */
function announcesUserTimeout(c: Connection): boolean {
  return c.options.userTimeout > 0 && c.env.settings.userTimeoutOption && !c.rcv.userTimeoutTaken
}

/** RFC 5482 3: 15 bits of seconds, or of minutes when seconds do not suffice. */
export function userTimeoutValue(milliseconds: number): number {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds < 0x8000) return seconds
  return 0x8000 | Math.min(0x7fff, Math.ceil(seconds / 60))
}

/** Shortest user time-out taken from a peer, ms (RFC 5482 3.1 L_LIMIT: not below RFC 1122's 100 s). */
const LEAST_USER_TIMEOUT = 100_000

/** The peer tells its user time-out: ours becomes as long, unless the program chose one (RFC 5482 3.1). */
export function userTimeoutArrives(c: Connection, seg: Segment): void {
  const { rcv } = c
  if (!c.env.settings.userTimeoutOption || (c.options.userTimeout > 0 && !rcv.userTimeoutTaken)) return
  rcv.userTimeoutTaken = true
  c.ask({ userTimeout: Math.max(LEAST_USER_TIMEOUT, userTimeoutOf(seg.userTimeout)) })
}

/** Time a received user-timeout option asks for, ms (RFC 5482 3). */
export function userTimeoutOf(value: number): number {
  return (value & 0x7fff) * (value & 0x8000 ? 60_000 : 1000)
}

/** Writes the options of a SYN or SYN-ACK: in fixed, aligned forms (Linux), or each in its turn (BSD). */
export function writeSynOptions(out: Segment, offer: SynOffer, settings: Settings): void {
  if (settings.optionLayout === 'linux') writeSynAligned(out, offer)
  else writeSynInTurn(out, offer)
}

/** MD5, MSS, timestamps (SACK-permitted fills the two octets before them), AccECN, SACK-permitted, scale, fast open. */
function writeSynAligned(out: Segment, offer: SynOffer): void {
  const bytes = out.optionBytes
  let at = 0
  if (offer.md5Key !== null) at = writeMd5(out, at, offer.md5Key)
  if (offer.mss > 0) at = putMss(bytes, at, offer.mss)
  const sackBeforeTimestamps = offer.sackPermitted && offer.timestamps
  if (offer.timestamps) {
    at = sackBeforeTimestamps ? putSackPermitted(bytes, at) : alignTo(bytes, at, 2)
    at = putTimestamps(bytes, at, offer.tsVal, offer.tsEcr)
  }
  if (offer.accEcn) at = putFittingAccEcn(bytes, at, offer)
  if (offer.sackPermitted && !sackBeforeTimestamps) at = putSackPermitted(bytes, alignTo(bytes, at, 2))
  if (offer.windowScale >= 0) at = putWindowScale(bytes, alignTo(bytes, at, 1), offer.windowScale)
  if (offer.fastOpenCookie !== null) {
    at = alignTo(bytes, at, 0)
    if (at + fastOpenLength(offer) <= MAX_OPTIONS_LENGTH)
      at = putFastOpen(bytes, at, offer.fastOpenCookie, offer.fastOpenExperimental)
  }
  out.optionBytesLength = alignTo(bytes, at, 0)
}

/** MSS, scale, SACK-permitted, timestamps, MD5, fast open, each aligned by NOPs before it; the end is EOL and padding. */
function writeSynInTurn(out: Segment, offer: SynOffer): void {
  const bytes = out.optionBytes
  let at = 0
  if (offer.mss > 0) at = putMss(bytes, at, offer.mss)
  if (offer.windowScale >= 0) at = putWindowScale(bytes, (at & 1) === 1 ? at : putNop(bytes, at), offer.windowScale)
  if (offer.sackPermitted) at = putSackPermitted(bytes, (at & 1) === 0 ? at : putNop(bytes, at))
  if (offer.timestamps) at = putTimestamps(bytes, alignTo(bytes, at, 2), offer.tsVal, offer.tsEcr)
  if (offer.accEcn) at = putFittingAccEcn(bytes, at, offer)
  if (offer.md5Key !== null) at = writeMd5(out, at, offer.md5Key)
  if (offer.fastOpenCookie !== null && at + fastOpenLength(offer) <= MAX_OPTIONS_LENGTH)
    at = putFastOpen(bytes, at, offer.fastOpenCookie, offer.fastOpenExperimental)
  out.optionBytesLength = at
}

function fastOpenLength(offer: SynOffer): number {
  return (offer.fastOpenExperimental ? 4 : 2) + offer.fastOpenCookie!.length
}

/** The AccECN option of a SYN-ACK (RFC 9768 3.2.3.2): with as many counters as leave room for what follows. */
function putFittingAccEcn(bytes: Uint8Array, at: number, offer: SynOffer): number {
  let following = 0
  if (offer.windowScale >= 0) following += 4
  if (offer.sackPermitted && !offer.timestamps) following += 4
  if (offer.fastOpenCookie !== null) following += (fastOpenLength(offer) + 3) & ~3
  const shared = offer.sackPermitted && !offer.timestamps ? 2 : offer.windowScale >= 0 ? 1 : 0
  for (let fields = ACCECN_FIELDS; fields >= 0; fields--) {
    if (at + paddedAccEcn(fields, shared) + following > MAX_OPTIONS_LENGTH) continue
    return putAccEcn(bytes, at, OPT_ACCECN1, NEW_COUNTERS, fields)
  }
  return at
}
