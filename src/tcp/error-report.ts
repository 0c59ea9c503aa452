import { type Connection, Ready } from './connection.js'
import type { Instant } from './time.js'

/**
 * ERROR_REPORT (RFC 9293 3.9.1.8, MUST-47): tells the program of trouble that does not end the connection, unless it does
 * not want to know (SHLD-20). What it is, `status` says: the soft error, or how often the oldest segment went.
 */
export function report(c: Connection, now: Instant): void {
  if (c.user !== null && c.options.errorReports) c.user.notify(c, Ready.Report, now)
}

/** R1 (RFC 9293 3.8.3, MUST-20, SHLD-9): as many retransmissions without an answer mean that the path may be dead. */
export function retransmittedAgain(c: Connection, retransmissions: number, now: Instant): void {
  if (retransmissions !== c.env.settings.pathDoubtRetries) return
  c.env.doubtPath(c.remote)
  report(c, now)
}
