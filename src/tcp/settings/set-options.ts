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

/** Changes what the program asks for, and does what follows: NODELAY and uncorking send, KEEPALIVE arms its timer … */
export function setOptions(c: Connection, options: Partial<ProgramOptions>, now: Instant): void {
  const before = c.options
  c.ask(options)
  const open = c.state !== State.Closed && c.state !== State.TimeWait
  const { noDelay, cork, keepalive, maxSegment, mtuLimit, receiveBuffer, sendBuffer, windowClamp } = options
  const uncorked = cork === false && before.cork
  if (open && (noDelay === true || uncorked)) releaseHeld(c, now)
  if (open && (keepalive !== undefined || keepaliveTimes(options))) restartKeepalive(c, now)
  if (open && (maxSegment !== undefined || mtuLimit !== undefined)) mssChanged(c, now)
  if (receiveBuffer !== undefined && receiveBuffer > 0) setReceiveBuffer(c, receiveBuffer)
  if (sendBuffer !== undefined && sendBuffer > 0) setSendBuffer(c, sendBuffer)
  if (windowClamp !== undefined) setWindowClamp(c, windowClamp)
  if (options.ipOptions !== undefined) ipOptionsChanged(c, options.ipOptions, now)
  if (options.md5Keys !== undefined) c.md5Key = md5KeyFor(options.md5Keys, c.remote)
  const { congestionControl: name } = options
  if (name !== undefined && name !== before.congestionControl) changeCongestionControl(c, name, now)
}

const keepaliveTimes = (options: Partial<ProgramOptions>): boolean =>
  options.keepaliveIdle !== undefined || options.keepaliveInterval !== undefined

function restartKeepalive(c: Connection, now: Instant): void {
  if (!c.established) return
  if (c.options.keepalive) armKeepalive(c, now)
  else disarm(c, Timer.Keepalive, now)
}

/** The new algorithm goes on from the old one's window. */
function changeCongestionControl(c: Connection, name: string, now: Instant): void {
  const before = c.congestion
  if (before === undefined) return
  c.congestion = congestionControl(name || c.env.settings.congestionControl, before.cwnd)
  c.congestion.ssthresh = before.ssthresh
  if (c.established) c.congestion.begin(c, now)
}
