import { ipv4OptionsLength, TIMESTAMPS_LENGTH } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { sendMss } from '../options/mss.js'
import { optionsLength } from '../options/options.js'
import type { Instant } from '../time.js'

const MD5_LENGTH = 20
/** Linux TCP_MSS_DEFAULT: up to this a peer's whole window may be one segment, octets. */
const SMALL_WINDOW = 536

/** Octets of options that every segment of the connection carries. */
function fixedOptions(c: Connection): number {
  return (c.snd.tsOk ? TIMESTAMPS_LENGTH : 0) + (c.md5Key === null ? 0 : MD5_LENGTH)
}

/** Path MTU that counts for a connection, octets. */
export function pathMtu(c: Connection): number {
  const { mtu } = c.path
  return c.options.mtuLimit > 0 && c.options.mtuLimit < mtu ? c.options.mtuLimit : mtu
}

/**
 * At most half of the largest window the peer ever offered, so that there are two segments to a window and the peer's
 * silly-window avoidance does not wait for what we hold back (Linux tcp_bound_to_half_wnd).
 */
export function boundToHalfWindow(c: Connection, octets: number): number {
  const { maxWnd } = c.snd
  if (!c.env.settings.halfWindowSegments) return octets
  const most = maxWnd > SMALL_WINDOW ? maxWnd >> 1 : maxWnd
  if (most === 0 || octets <= most) return octets
  return Math.max(most, 68 - 20 - fixedOptions(c))
}

/** SND.MSS anew: what the peer and the path take, less the options that are always there (RFC 6691). */
export function computeMss(c: Connection): void {
  const { snd } = c
  const mtu = pathMtu(c)
  snd.mtu = mtu
  const text = sendMss(c.env.settings, snd.peerMss, mtu, c.remote) - fixedOptions(c) - ipv4OptionsLength(c.ipOptions)
  snd.mss = Math.max(1, boundToHalfWindow(c, text))
}

/** Octets of text in a full segment sent now: SND.MSS less options that come and go, SACK above all. */
export function currentMss(c: Connection, now: Instant): number {
  const { snd } = c
  if (snd.mtu !== pathMtu(c)) computeMss(c)
  const extra = optionsLength(c, now) - fixedOptions(c)
  return extra === 0 ? snd.mss : Math.max(1, snd.mss - extra)
}

/** Octets of text that one record takes: the largest super-segment, in whole segments. */
export function sizeGoal(c: Connection, mss: number): number {
  const most = Math.min(boundToHalfWindow(c, largestRecord(c, mss)), 0x7fff * mss)
  return Math.max(Math.floor(most / mss), 1) * mss
}

/** Most octets of text in a record. */
export function largestRecord(c: Connection, mss: number): number {
  const { env } = c
  return env.settings.superSegmentSize || env.maxSuperSegment || mss
}
