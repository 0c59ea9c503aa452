import type { IpAddress } from '../../wire/index.js'
import { Connection, type ConnectionUser, type ErrorName } from '../connection.js'
import type { Environment } from '../environment.js'
import { advertisedMss } from '../options/mss.js'
import { timestampOffset } from '../options/timestamps.js'
import { beginReceiving, firstWindow } from '../receive/receive-window.js'
import { appendText, beginSending, recordSyn } from '../send/output.js'
import type { Sequence } from '../sequence.js'
import { type ProgramOptions, sharedOptions } from '../settings/program-options.js'
import { State } from '../states/state-name.js'
import { setState } from '../states/states.js'
import type { Instant } from '../time.js'
import { TimeWait } from '../time-wait.js'
import { arm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { FastOpen, fastOpenRequest, fastOpenTextLimit } from './fast-open.js'
import { armSyn, emitSyn } from './handshake.js'
import { initialSequence } from './isn.js'
import type { Listener } from './listener.js'
import { Opening } from './opening.js'

/** OPEN, active: whom to connect to. Addresses and the local port are already chosen. */
export interface ActiveOpen {
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
  readonly user: ConnectionUser | null
  readonly options?: Partial<ProgramOptions>
  /**
   * Fast open (RFC 7413): text to go with the SYN when there is a cookie, possibly none at all, to ask for one. How many
   * octets were taken is `connection.openTaken`; the program sends the rest itself.
   */
  readonly fastOpenText?: Uint8Array | undefined
  /** TCP_FASTOPEN_CONNECT: if there is a cookie, the SYN waits for the first SEND and carries its text: `synDeferred`. */
  readonly fastOpenDeferred?: boolean
}

/**
 * OPEN, active (RFC 9293 3.10.1): sends the SYN; the connection is in SYN-SENT. `notify(Established | Error)` follows.
 * When the ports are in use already, the connection is CLOSED and its `error` says EADDRNOTAVAIL.
 */
export function openActive(env: Environment, request: ActiveOpen, now: Instant): Connection {
  const c = new Connection(env, request.remote, sharedOptions(env.settings, request.options))
  begin(c, request, 'active OPEN', now)
  return c
}

/**
 * OPEN, active, on a listener: it stops listening and connects (RFC 9293 3.10.1, LISTEN); with `fastOpenText`, SEND on
 * it (3.10.2). What it had queued is reset.
 */
export function openActiveFrom(listener: Listener, request: ActiveOpen, now: Instant): Connection {
  const { env } = listener
  const options = { ...listener.options, ...request.options }
  const c = new Connection(env, request.remote, options, listener.id)
  c.state = listener.state
  listener.release(now)
  listener.state = State.Closed
  begin(c, request, request.fastOpenText === undefined ? 'active OPEN' : 'SEND', now)
  return c
}

function begin(c: Connection, request: ActiveOpen, event: string, now: Instant): void {
  const { env } = c
  const { settings } = env
  c.local = request.local
  c.localPort = request.localPort
  c.remotePort = request.remotePort
  c.user = request.user
  c.active = true
  const { options } = c
  const iss = takePorts(c, now)
  if (iss === null) {
    c.error = 'EADDRNOTAVAIL'
    c.state = State.Closed
    return
  }
  c.opening = new Opening()
  c.tsOffset = timestampOffset(env, c.local, c.remote)
  const advertised = advertisedMss(settings, env.interfaceMtu(c.remote), c.remote, c.options.maxSegment)
  const buffer = options.receiveBuffer > 0 ? options.receiveBuffer : settings.receiveBuffer[1]
  const fixed = options.receiveBuffer > 0
  const scaling = settings.windowScaling && !c.options.noOptions
  beginReceiving(
    c,
    firstWindow(settings, buffer, fixed, c.options.windowClamp, advertised, scaling),
    buffer,
    fixed,
    advertised,
  )
  beginSending(c, iss, now)
  env.counters.count('TcpActiveOpens')
  setState(c, State.SynSent, event, env.observer, now)
  env.register(c)
  const usesFastOpen = request.fastOpenText !== undefined || request.fastOpenDeferred === true
  const fastOpen = usesFastOpen ? fastOpenRequest(env, c.path, options.fastOpenNoCookie, now) : null
  if (fastOpen !== null && (fastOpen.withText || fastOpen.cookie !== null)) {
    const used = new FastOpen(false)
    used.optionSent = fastOpen.cookie !== null
    used.cookie = fastOpen.cookie
    used.experimental = fastOpen.experimental
    c.fastOpen = used
    if (request.fastOpenDeferred === true && fastOpen.withText) {
      c.opening.synDeferred = true
      return
    }
  }
  const text = request.fastOpenText ?? null
  const withSyn = text === null || fastOpen?.withText !== true ? 0 : Math.min(text.length, syntextLimit(c))
  openWith(c, text, withSyn, settings.openQueuesText, now)
}

/** Most octets of text in the SYN. */
function syntextLimit(c: Connection): number {
  const mtu = c.options.mtuLimit > 0 ? Math.min(c.options.mtuLimit, c.path.mtu) : c.path.mtu
  return fastOpenTextLimit(c, mtu)
}

/** ISS, when the ports are free or a TIME-WAIT record gives them up (RFC 6191); null: they are not. */
function takePorts(c: Connection, now: Instant): Sequence | null {
  const { env } = c
  const holder = env.find(c.local, c.localPort, c.remote, c.remotePort)
  if (holder === null) return initialSequence(env, c.local, c.localPort, c.remote, c.remotePort, now)
  if (!(holder instanceof TimeWait) || !holder.mayBeReused(now)) return null
  const iss = holder.nextIsn
  holder.end('active OPEN', now)
  return iss
}

/** Sends the SYN with the first `withSyn` octets of a text; with `queueRest` the rest follows when it can. */
function openWith(c: Connection, text: Uint8Array | null, withSyn: number, queueRest: boolean, now: Instant): void {
  const opening = c.opening!
  recordSyn(c, 0, now)
  if (text !== null && text.length > 0) {
    const taken = queueRest ? text : text.subarray(0, withSyn)
    if (taken.length > 0) c.openTaken = appendText(c, taken, 0, now)
    if (withSyn > 0) {
      recordSyn(c, withSyn, now)
      c.fastOpen!.synText = withSyn
    }
  }
  opening.begunAt = now
  emitSyn(c, withSyn, false, now)
  armSyn(c, now)
  if (c.options.connectTimeout !== Number.POSITIVE_INFINITY) arm(c, Timer.User, now + c.options.connectTimeout, now)
}

/** TCP_FASTOPEN_CONNECT: the first SEND goes with the SYN; octets taken. */
export function sendDeferredSyn(c: Connection, chunk: Uint8Array, now: Instant): number | ErrorName {
  c.opening!.synDeferred = false
  const withSyn = Math.min(chunk.length, syntextLimit(c))
  openWith(c, chunk, withSyn, c.env.settings.openQueuesText, now)
  return c.openTaken
}
