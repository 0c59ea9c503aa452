import {
  ACK,
  DropReason,
  FIN,
  type IpAddress,
  MD5_DIGEST_LENGTH,
  OPT_NOP,
  putMd5,
  putNop,
  putTimestamps,
  RST,
  type Segment,
  SYN,
} from '../wire/index.js'
import { type Connection, type ErrorName, Ready } from './connection.js'
import type { Endpoint, Environment } from './environment.js'
import { ChallengeCount } from './host-wide.js'
import type { Observed } from './observer.js'
import { leaveFastOpenQueue } from './open/fast-open.js'
import { tsNow } from './options/timestamps.js'
import { windowToOffer } from './receive/receive-window.js'
import { acceptableSeq, address, emit } from './send/emit.js'
import { endSending } from './send/output.js'
import { State } from './states/state-name.js'
import { setState } from './states/states.js'
import type { Instant } from './time.js'
import { disarmAll } from './timeouts.js'

/** What a socket bound to the port but not connected adds to the RST for a segment to it (FreeBSD). */
export interface BoundSocket {
  readonly ttl: number
  readonly dscp: number
  readonly md5Key: Uint8Array | null
}

const PLAIN: BoundSocket = { ttl: -1, dscp: 0, md5Key: null }

/**
 * A segment for which there is neither connection nor listener (RFC 9293 3.10.7.1, CLOSED): answered with RST, unless it
 * is one or the settings ask for silence. `listening`: it was for a listener that does not want it.
 */
export function segmentForNobody(
  env: Environment,
  seg: Segment,
  now: Instant,
  listening = false,
  bound?: BoundSocket,
): void {
  drop(env, null, seg, DropReason.NoConnection, now)
  const { settings } = env
  if (settings.dropSynFin && (seg.flags & (SYN | FIN)) === (SYN | FIN)) return
  if (!listening && settings.blackhole > 0) {
    if (settings.blackhole > 1 || (seg.flags & SYN) !== 0) return
  }
  sendResetFor(env, seg, now, bound)
}

/**
 * RST in answer to a segment (RFC 9293 3.10.7.1); a RST is never answered. `look`: how its packet looks; `endpoint`: the
 * record it is sent for.
 */
export function sendResetFor(
  env: Environment,
  seg: Segment,
  now: Instant,
  look: BoundSocket = PLAIN,
  endpoint: Observed | null = null,
): void {
  if (seg.flags & RST) return
  if (!resetAllowed(env, now)) return
  const { out } = env
  answerTo(out, seg)
  if (seg.flags & ACK) {
    out.seq = seg.ack
    out.flags = RST
  } else {
    out.ack = (seg.seq + seg.length) | 0
    out.flags = RST | ACK
  }
  out.ttl = look.ttl < 0 ? env.settings.ttl : look.ttl
  out.dscp = look.dscp
  if (look.md5Key !== null) sign(out, 0, look.md5Key)
  env.transmit(endpoint, out, false, now)
}

/**
 * A segment came in UDP, and no connection here is carried so: it is for none of them, and RST goes back the way it came
 * (FreeBSD). It looks like what the connection of the same ports sends.
 */
export function segmentOverUdp(env: Environment, seg: Segment, endpoint: Endpoint | null, now: Instant): void {
  drop(env, endpoint, seg, DropReason.NoConnection, now)
  sendResetFor(env, seg, now, hasLook(endpoint) ? endpoint : PLAIN, endpoint)
}

const hasLook = (endpoint: Endpoint | null): endpoint is Endpoint & BoundSocket =>
  endpoint !== null && 'ttl' in endpoint && 'dscp' in endpoint && 'md5Key' in endpoint

/** Begins an answer to a segment: addresses and ports turned round. */
export function answerTo(out: Segment, seg: Segment): void {
  out.reset()
  out.source = seg.destination
  out.destination = seg.source
  out.sourcePort = seg.destinationPort
  out.destinationPort = seg.sourcePort
  out.ipOptions = seg.ipOptions
  out.udpSourcePort = seg.udpDestinationPort
  out.udpDestinationPort = seg.udpSourcePort
}

/** The MD5 signature option at `at`, aligned, as the last option; the digest is the IP layer's to make. */
export function sign(out: Segment, at: number, key: Uint8Array): void {
  const bytes = out.optionBytes
  let p = at
  if (at === 0 || bytes[at - 1] !== OPT_NOP || at % 4 !== 2) p = putNop(bytes, putNop(bytes, p))
  p = putMd5(bytes, p)
  out.md5At = p - MD5_DIGEST_LENGTH
  out.md5Key = key
  out.optionBytesLength = p
}

function resetAllowed(env: Environment, now: Instant): boolean {
  const limit = env.settings.resetRateLimit
  if (limit === Number.POSITIVE_INFINITY) return true
  const shared = env.shared
  if (now - shared.resetsSince >= 1000) {
    shared.resetsSince = now
    shared.resets = 0
  }
  return shared.resets++ < limit
}

/** RST for a connection: SEQ=SND.NXT, with ACK as systems send it once the peer's SYN is known. */
export function sendReset(c: Connection, now: Instant): void {
  const { env } = c
  const { out, settings } = env
  address(c, out)
  out.seq = acceptableSeq(c)
  out.flags = c.state === State.SynSent ? RST : RST | ACK
  if (out.flags & ACK) out.ack = c.rcv.nxt
  if (settings.resetCarriesWindow) out.window = windowToOffer(c, now)
  let at = 0
  if (settings.resetCarriesTimestamps && c.snd.tsOk) {
    const bytes = out.optionBytes
    at = putTimestamps(bytes, putNop(bytes, putNop(bytes, 0)), tsNow(c, now), c.rcv.tsRecent)
    out.optionBytesLength = at
  }
  if (c.md5Key !== null) sign(out, at, c.md5Key)
  env.transmit(c, out, false, now)
}

/** Addresses and ports of a segment to send. */
export function addressed(
  out: Segment,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
): void {
  out.source = local
  out.destination = remote
  out.sourcePort = localPort
  out.destinationPort = remotePort
}

/** To CLOSED with an error: timers off, out of the table, the program told. Sends nothing. `event` is the table's. */
export function fail(c: Connection, error: ErrorName, event: string, now: Instant): void {
  if (c.state === State.Closed) return
  c.error = error
  if (c.established) c.env.counters.count('TcpEstabResets')
  else c.env.counters.count('TcpAttemptFails')
  finish(c, event, now)
}

/** To CLOSED, with or without an error: the TCB is deleted. What was received can still be read. */
export function finish(c: Connection, event: string, now: Instant): void {
  const { env, user } = c
  setState(c, State.Closed, event, env.observer, now)
  disarmAll(c, now)
  endSending(c)
  env.unregister(c)
  leaveOrphans(c)
  if (c.fastOpen !== null) leaveFastOpenQueue(c)
  let ready: number = Ready.Closed | Ready.Readable | Ready.Writable
  if (c.error !== null) ready |= Ready.Error
  if (user !== null) user.notify(c, ready, now)
}

/** Counts a connection that no program holds any more; `leaveOrphans` when it ends. */
export function joinOrphans(c: Connection): void {
  if (c.orphan) return
  c.orphan = true
  c.env.shared.orphans++
}

export function leaveOrphans(c: Connection): void {
  if (!c.orphan) return
  c.orphan = false
  c.env.shared.orphans--
}

/** A challenge ACK (RFC 5961 3.2, 4.2, 5.2), unless too many were sent (7). */
export function challengeAck(c: Connection, seg: Segment, now: Instant): void {
  const { env } = c
  const { settings } = env
  if (settings.invalidRateLimit > 0 && !invalidAnswerAllowed(c, now)) {
    env.counters.count('TcpExtTCPACKSkippedChallenge')
    return
  }
  const sent = challengesSent(c)
  if (now - sent.since >= settings.challengeAckWindow) {
    sent.since = now
    sent.count = 0
  }
  if (sent.count >= settings.challengeAckLimit) return
  sent.count++
  env.counters.count('TcpExtTCPChallengeACK')
  if (seg.flags & SYN) env.counters.count('TcpExtTCPSYNChallenge')
  emit(c, ACK, acceptableSeq(c), 0, false, now)
}

function challengesSent(c: Connection): ChallengeCount {
  if (c.env.settings.challengeAckScope === 'host') return c.env.shared.challenges
  c.challenges ??= new ChallengeCount()
  return c.challenges
}

/** Whatever answers what is invalid. */
interface Answering {
  readonly env: Environment
  /** When it last did; null: never. */
  lastInvalidAt: Instant | null
}

/** At most one answer to something invalid in `invalidRateLimit` (Linux `tcp_invalid_ratelimit`). */
export function invalidAnswerAllowed(c: Answering, now: Instant): boolean {
  if (c.lastInvalidAt !== null) {
    const since = now - c.lastInvalidAt
    if (since >= 0 && since < c.env.settings.invalidRateLimit) return false
  }
  c.lastInvalidAt = now
  return true
}

/** Counts a segment that is not processed, and tells the observer why. */
export function drop(
  env: Environment,
  endpoint: Observed | null,
  seg: Segment,
  reason: DropReason,
  now: Instant,
): void {
  env.counters.drop(reason)
  if (env.observer !== null) env.observer.dropped(endpoint, seg, reason, now)
}
