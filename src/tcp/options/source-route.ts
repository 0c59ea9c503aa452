import type { Connection } from '../connection.js'
import { mssChanged } from '../send/output.js'
import type { Instant } from '../time.js'

/** The program asks for other IPv4 options, or no longer for any; segments become as much shorter (RFC 9293 3.7.1). */
export function ipOptionsChanged(c: Connection, options: Uint8Array | null, now: Instant): void {
  c.ipOptionsAsked = options !== null
  c.ipOptions = c.remote.isIPv4 ? options : null
  if (c.established) mssChanged(c, now)
}

/**
 * An acceptable segment came along a source route: after a passive OPEN everything sent goes back the same way, the latest
 * one (RFC 9293 3.9.2.1, MUST-53, SHLD-24), unless the program asked for another (MUST-52).
 */
export function takeReturnRoute(c: Connection, route: Uint8Array, now: Instant): void {
  if (c.active || c.ipOptionsAsked || (c.ipOptions !== null && sameOctets(c.ipOptions, route))) return
  c.ipOptions = route
  if (c.established) mssChanged(c, now)
}

const sameOctets = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, i) => octet === b[i])
