import { congestionControl } from '../congestion/index.js'
import type { Connection } from '../connection.js'
import { armKeepalive } from '../keepalive.js'
import { ipOptionsChanged } from '../options/source-route.js'
import { setReceiveBuffer, setWindowClamp } from '../receive/receive-window.js'
import { mssChanged, releaseHeld, setSendBuffer } from '../send/output.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'
import { disarm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { md5KeyFor, type ProgramOptions } from './program-options.js'

/** Options that are fields of the same name on `Connection` and have no effect of their own when they change. */
const PLAIN = [
  'linger',
  'keepaliveIdle',
  'keepaliveInterval',
  'keepaliveProbes',
  'userTimeout',
  'connectTimeout',
  'synRetries',
  'finWait2',
  'deferAccept',
  'notSentLowat',
  'oobInline',
  'errorReports',
  'noOptions',
  'dscp',
  'ttl',
  'flowLabel',
  'pathMtuDiscovery',
] as const satisfies readonly (keyof ProgramOptions & keyof Connection)[]

/** Changes what the program asks for, and does what follows: NODELAY and uncorking send, KEEPALIVE arms its timer … */
export function setOptions(c: Connection, options: Partial<ProgramOptions>, now: Instant): void {
  for (const name of PLAIN) {
    const value = options[name]
    if (value !== undefined) Object.assign(c, { [name]: value })
  }
  const open = c.state !== State.Closed && c.state !== State.TimeWait
  const { noDelay, cork, keepalive, maxSegment, mtuLimit, receiveBuffer, sendBuffer, windowClamp } = options
  if (noDelay !== undefined) c.noDelay = noDelay
  const uncorked = cork === false && c.cork
  if (cork !== undefined) c.cork = cork
  if (open && (noDelay === true || uncorked)) releaseHeld(c, now)
  if (keepalive !== undefined) c.keepalive = keepalive
  if (open && (keepalive !== undefined || keepaliveTimes(options))) restartKeepalive(c, now)
  if (maxSegment !== undefined) c.snd.userMss = maxSegment
  if (mtuLimit !== undefined) c.mtuLimit = mtuLimit
  if (open && (maxSegment !== undefined || mtuLimit !== undefined)) mssChanged(c, now)
  if (receiveBuffer !== undefined && receiveBuffer > 0) setReceiveBuffer(c, receiveBuffer)
  if (sendBuffer !== undefined && sendBuffer > 0) setSendBuffer(c, sendBuffer)
  if (windowClamp !== undefined) setWindowClamp(c, windowClamp)
  if (options.ipOptions !== undefined) ipOptionsChanged(c, options.ipOptions, now)
  if (options.md5Keys !== undefined) c.md5Key = md5KeyFor(options.md5Keys, c.remote)
  const { congestionControl: name } = options
  if (name !== undefined && name !== c.congestionName) changeCongestionControl(c, name, now)
}

const keepaliveTimes = (options: Partial<ProgramOptions>): boolean =>
  options.keepaliveIdle !== undefined || options.keepaliveInterval !== undefined

function restartKeepalive(c: Connection, now: Instant): void {
  if (!c.established) return
  if (c.keepalive) armKeepalive(c, now)
  else disarm(c, Timer.Keepalive, now)
}

/** The new algorithm goes on from the old one's window. */
function changeCongestionControl(c: Connection, name: string, now: Instant): void {
  c.congestionName = name
  const before = c.congestion
  if (before === undefined) return
  c.congestion = congestionControl(name || c.env.settings.congestionControl, before.cwnd)
  c.congestion.ssthresh = before.ssthresh
  if (c.established) c.congestion.begin(c, now)
}
