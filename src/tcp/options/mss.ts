import type { IpAddress, Segment } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import type { Settings } from '../settings/settings.js'
import type { Instant } from '../time.js'

const IPV4_HEADERS = 40
const IPV6_HEADERS = 60
/** RFC 7323 2.3: larger shifts are used as 14. */
const MAX_WINDOW_SHIFT = 14

/** Octets of IP and TCP header without options before a segment to this address. */
export const headersTo = (remote: IpAddress): number => (remote.isIPv4 ? IPV4_HEADERS : IPV6_HEADERS)

/**
 * The MSS to advertise (RFC 9293 3.7.1, MUST-14, MUST-67; RFC 6691): what the interface takes, without options, never
 * more than the program asked for. Octets.
 */
export function advertisedMss(settings: Settings, interfaceMtu: number, remote: IpAddress, userMss: number): number {
  const fits = Math.min(65535, Math.max(interfaceMtu - headersTo(remote), settings.minAdvertisedMss))
  return userMss > 0 ? Math.min(fits, userMss) : fits
}

/** SendMSS as a SYN says, or the default when it says nothing (MUST-15), octets; not yet limited by the path. */
export function peerMss(settings: Settings, seg: Segment, remote: IpAddress, userMss: number): number {
  const said = seg.mss > 0 ? seg.mss : remote.isIPv4 ? settings.defaultMss4 : settings.defaultMss6
  return userMss > 0 ? Math.min(said, userMss) : said
}

/** Largest segment, options included, towards the peer now: its MSS and the path's (MUST-16, RFC 1191), octets. */
export function sendMss(settings: Settings, peersMss: number, pathMtu: number, remote: IpAddress): number {
  return Math.max(settings.minMss, Math.min(peersMss, pathMtu - headersTo(remote)))
}

/** Which options our SYN or SYN-ACK offered. */
export interface Offered {
  readonly windowScaling: boolean
  readonly sack: boolean
  readonly timestamps: boolean
}

/** Settles with the peer's SYN or SYN-ACK which options the connection uses: those both sides sent (RFC 7323 1.3, RFC 2018 2). */
export function agreeOptions(c: Connection, seg: Segment, offered: Offered, now: Instant): void {
  const { snd, rcv } = c
  snd.peerMss = peerMss(c.env.settings, seg, c.remote, c.options.maxSegment)
  snd.wscaleOk = offered.windowScaling && seg.windowScale >= 0
  if (snd.wscaleOk) snd.wscale = Math.min(seg.windowScale, MAX_WINDOW_SHIFT)
  else {
    snd.wscale = 0
    rcv.wscale = 0
    if (rcv.clamp > 65535) rcv.clamp = 65535
    if (rcv.wnd > 65535) rcv.wnd = 65535
  }
  snd.sackOk = offered.sack && seg.sackPermitted
  snd.tsOk = offered.timestamps && seg.hasTimestamps
  if (snd.tsOk) {
    rcv.tsRecent = seg.tsVal
    rcv.tsRecentAt = now
  }
}
