import { ACK, FIN, type IpAddress, RST, type Segment, SYN, siphash, writeAddress } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import type { Environment } from '../environment.js'
import { atOrAfter, seqAdd, seqDiff } from '../sequence.js'
import type { Instant, Millis } from '../time.js'

/** RFC 7323 5.5: a TS.Recent older than 24 days says nothing. ms. */
const PAWS_IDLE: Millis = 24 * 24 * 3600 * 1000
/** A RST is believed although its timestamp is old when TS.Recent is older than this (Linux TCP_PAWS_MSL). ms. */
const PAWS_RST_AGE: Millis = 60_000

/** Two addresses, to be hashed. */
const pair = new Uint8Array(32)

/** Our timestamp clock for a connection, of 1 ms (RFC 7323 5.4). */
export function tsNow(c: Connection, now: Instant): number {
  return timestampAt(now, c.tsOffset)
}

/** The timestamp clock at a moment; `offset` as `timestampOffset` gave it. */
export function timestampAt(now: Instant, offset: number): number {
  return (Math.floor(now) + offset) | 0
}

/**
 * What is added to the clock for one pair of hosts, ms (RFC 7323 7.1: the clock must not tell the uptime; RFC 6191:
 * it must be the same for all connections of the pair, so that it only grows from one to the next).
 */
export function timestampOffset(env: Environment, local: IpAddress, remote: IpAddress): number {
  if (env.settings.timestamps !== 1) return 0
  const { shared } = env
  // a client and its server, a server and the proxy before it
  if (shared.offsetLocal === local && shared.offsetRemote === remote) return shared.offset
  shared.offsetLocal = local
  shared.offsetRemote = remote
  writeAddress(pair, 0, local)
  writeAddress(pair, 16, remote)
  shared.offset = siphash(env.secrets.timestamps, pair).lo
  return shared.offset
}

/**
 * PAWS, the first check of RFC 7323 5.3: false when the timestamp of a segment is older than TS.Recent, or missing
 * though agreed. RST is exempt (RFC 7323 5.2). What follows on false is the caller's: ACK and drop, unless
 * `isOldAckOnly` says that nobody waits for an answer.
 */
export function timestampsAcceptable(c: Connection, seg: Segment, now: Instant): boolean {
  if (!c.snd.tsOk) return true
  const isReset = (seg.flags & RST) !== 0
  if (!seg.hasTimestamps) return isReset || c.env.settings.tolerateMissingTimestamps
  const { rcv } = c
  if (seqDiff(seg.tsVal, rcv.tsRecent) >= 0) return true
  // some hosts send 0 in the handshake and real values after it; then nothing is known yet
  if (rcv.tsRecent === 0) return true
  const age = now - rcv.tsRecentAt
  if (age >= PAWS_IDLE) {
    rcv.tsRecent = seg.tsVal
    rcv.tsRecentAt = now
    return true
  }
  if (isReset) return true
  return (
    c.env.settings.pawsForgivesOldAcks && isOldAckOnly(c, seg) && seqDiff(rcv.tsRecent, seg.tsVal) <= replayWindow(c)
  )
}

/** A RST whose timestamp is old, for those who check it (RFC 7323 5.2 says not to; Linux does in TIME-WAIT). */
export function resetTimestampIsOld(tsVal: number, tsRecent: number, tsRecentAt: Instant, now: Instant): boolean {
  return seqDiff(tsVal, tsRecent) < 0 && now - tsRecentAt < PAWS_RST_AGE
}

/**
 * A pure ACK that repeats SND.UNA and the window: an ACK that was overtaken, not an old duplicate to be answered. An
 * answer to it would be answered in turn.
 */
export function isOldAckOnly(c: Connection, seg: Segment): boolean {
  return (
    (seg.flags & (ACK | SYN | FIN | RST)) === ACK &&
    seg.textLength === 0 &&
    seg.seq === c.rcv.nxt &&
    seg.ack === c.snd.una &&
    seg.window << c.snd.wscale === c.snd.wnd
  )
}

/** How far back the timestamp of such an ACK may lie, ms: one RTO, since the peer may be in a hurry (Linux tcp_tsval_replay). */
function replayWindow(c: Connection): Millis {
  return (c.rtt.rto * 1200) / 1000
}

/**
 * TS.Recent (RFC 7323 4.3 rules 1-3): taken from an acceptable segment that covers Last.ACK.sent, so that it is the
 * timestamp of the segment that made us acknowledge what we did, also when ACKs are delayed or lost.
 */
export function noteTimestamp(c: Connection, seg: Segment, now: Instant): void {
  if (!c.snd.tsOk || !seg.hasTimestamps) return
  const { rcv } = c
  if (seqDiff(seg.seq, rcv.lastAckSent) > 0) return
  // an ACK of what was never sent is forged or lost its way: its timestamp would close the window to all others
  if (seqDiff(seg.ack, c.snd.nxt) > 0) return
  if (seqDiff(seg.tsVal, rcv.tsRecent) < 0) return
  // RFC 7323 4.3 leaves the right end open; one that ends before Last.ACK.sent is an old duplicate (Braden 1993)
  if (c.env.settings.timestampNeedsCover && !atOrAfter(seqAdd(seg.seq, seg.length), rcv.lastAckSent)) return
  if (c.ecn !== null && seg.tsVal !== rcv.tsRecent) c.ecn.timestampAdvanced = true
  rcv.tsRecent = seg.tsVal
  rcv.tsRecentAt = now
}
