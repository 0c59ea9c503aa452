import { type Segment, siphash, write32, writeAddress } from '../../wire/index.js'
import type { Environment } from '../environment.js'
import type { Sequence } from '../sequence.js'
import type { Instant, Millis } from '../time.js'

/**
 * SYN cookies (RFC 4987 3.6): the ISS of a SYN-ACK says what an entry of the SYN queue would have kept, so that none is
 * needed. It is F + IRS + (t << 24) + ((G(t) + MSS index) mod 2^24), as Bernstein proposed and Linux does; with
 * timestamps, the low bits of ours carry window scale, SACK and ECN.
 */

/** MSS values a cookie can tell, octets, ascending. */
const MSS_IPV4 = [536, 1300, 1440, 1460] as const
const MSS_IPV6 = [1220, 1420, 1440, 8940] as const
/** t counts these, ms; a cookie is good for two. */
const PERIOD: Millis = 64_000
const GOOD_FOR = 2
const NO_SCALE = 15
const OPTION_BITS = 6

const message = new Uint8Array(40)

function hash(env: Environment, seg: Segment, count: number): number {
  writeAddress(message, 0, seg.source)
  writeAddress(message, 16, seg.destination)
  write32(message, 32, (seg.sourcePort << 16) | seg.destinationPort)
  write32(message, 36, count)
  return siphash(env.secrets.synCookie, message).lo
}

const periodOf = (now: Instant): number => Math.floor(now / PERIOD) | 0
const tableFor = (seg: Segment): readonly number[] => (seg.source.isIPv4 ? MSS_IPV4 : MSS_IPV6)

/** ISS that is a cookie for a SYN; `mss`: what the peer said, or the default, octets. */
export function makeSynCookie(env: Environment, seg: Segment, mss: number, now: Instant): Sequence {
  const table = tableFor(seg)
  let index = table.length - 1
  while (index > 0 && table[index]! > mss) index--
  const t = periodOf(now)
  const low = (hash(env, seg, t + 1) + index) & 0xffffff
  return (hash(env, seg, 0) + seg.seq + (t << 24) + low) | 0
}

/** The MSS that the cookie in an ACK tells; 0: it is none of ours, or too old. `seg`: the third segment of the handshake. */
export function checkSynCookie(env: Environment, seg: Segment, now: Instant): number {
  const irs = (seg.seq - 1) | 0
  const cookie = (seg.ack - 1 - hash(env, seg, 0) - irs) | 0
  const t = periodOf(now)
  const age = (t - (cookie >>> 24)) & 0xff
  if (age >= GOOD_FOR) return 0
  const index = (cookie - hash(env, seg, t - age + 1)) & 0xffffff
  return tableFor(seg)[index] ?? 0
}

/** Our timestamp in the SYN-ACK: the clock, with the options in its low bits, not ahead of it. */
export function cookieTimestamp(clock: number, windowScale: number, sack: boolean, ecn: boolean): number {
  const options = (windowScale < 0 ? NO_SCALE : windowScale) | (sack ? 0x10 : 0) | (ecn ? 0x20 : 0)
  const value = (clock & -(1 << OPTION_BITS)) | options
  return ((value - clock) | 0) > 0 ? (value - (1 << OPTION_BITS)) | 0 : value
}

/** What an echoed timestamp of a cookie's SYN-ACK says of the peer's options. */
export interface CookieOptions {
  /** -1: none. */
  readonly windowScale: number
  readonly sack: boolean
  readonly ecn: boolean
}

/** @param echo without our offset */
export function optionsOfCookie(echo: number): CookieOptions {
  const scale = echo & 0xf
  return { windowScale: scale === NO_SCALE ? -1 : scale, sack: (echo & 0x10) !== 0, ecn: (echo & 0x20) !== 0 }
}
