import type { Connection } from '../connection.js'
import { md5KeyFor, type ProgramOptions } from './program-options.js'

/** What a program asked for becomes the connection's, when it is made. */
export function applyOptions(c: Connection, options: ProgramOptions): void {
  c.noDelay = options.noDelay
  c.cork = options.cork
  c.linger = options.linger
  c.keepalive = options.keepalive
  c.keepaliveIdle = options.keepaliveIdle
  c.keepaliveInterval = options.keepaliveInterval
  c.keepaliveProbes = options.keepaliveProbes
  c.userTimeout = options.userTimeout
  c.connectTimeout = options.connectTimeout
  c.synRetries = options.synRetries
  c.finWait2 = options.finWait2
  c.deferAccept = options.deferAccept
  c.windowClamp = options.windowClamp
  c.notSentLowat = options.notSentLowat
  c.oobInline = options.oobInline
  c.errorReports = options.errorReports
  c.noOptions = options.noOptions
  c.snd.userMss = options.maxSegment
  c.sendBuffer = options.sendBuffer
  c.congestionName = options.congestionControl
  c.md5Key = md5KeyFor(options.md5Keys, c.remote)
  c.dscp = options.dscp
  c.ttl = options.ttl
  c.flowLabel = options.flowLabel
  c.ipOptions = c.remote.isIPv4 ? options.ipOptions : null
  c.ipOptionsAsked = c.ipOptions !== null
  c.mtuLimit = options.mtuLimit
  c.pathMtuDiscovery = options.pathMtuDiscovery
}
