import { type IpAddress, type Segment, siphash, write32, writeAddress } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import type { Environment, PathMetrics } from '../environment.js'
import type { Instant } from '../time.js'
import type { Listener } from './listener.js'

/** Bits of `Settings.fastOpen` (Linux `tcp_fastopen`). */
export const FastOpenBits = {
  Client: 0x1,
  Server: 0x2,
  /** A client sends text in a SYN without a cookie. */
  ClientWithoutCookie: 0x4,
  /** A server takes text in a SYN without a cookie. */
  ServerWithoutCookie: 0x200,
  /** Every listener takes part, without being asked to (TCP_FASTOPEN). */
  EveryListener: 0x400,
} as const

/** Why a client's fast open came to nothing (Linux tcpi_fastopen_client_fail). */
export const FastOpenFailure = { None: 0, NoCookie: 1, NotAcknowledged: 2, SynRetransmitted: 3 } as const

/** Octets kept free of text in a SYN, for options that middleboxes add (Linux MAX_TCP_OPTION_SPACE). */
const OPTION_SPACE = 40

/** Fast open on one connection (RFC 7413), either side. */
export class FastOpen {
  /** This is the server's side: the connection exists before its handshake is complete. */
  readonly passive: boolean
  /** The SYN carried the fast-open option, and its experimental form. */
  optionSent = false
  experimental = false
  /** The cookie in our SYN or SYN-ACK; of no octets: a request; null: no option. */
  cookie: Uint8Array | null = null
  /** Octets of text that the SYN carried. */
  synText = 0
  /** The peer acknowledged them with the SYN, or: the server took text with the SYN. */
  synTextAcknowledged = false
  /** One of `FastOpenFailure`. */
  failure: number = FastOpenFailure.None
  /** Listener whose queue of such connections it counts in, until the handshake is complete; null: no longer. */
  queued: Listener | null = null

  constructor(passive: boolean) {
    this.passive = passive
  }
}

const message4 = new Uint8Array(8)
const message6 = new Uint8Array(32)

/**
 * The cookie a server gives to a client (RFC 7413 4.1.2): SipHash-2-4 of both addresses. Eight octets, as Linux makes
 * them, so that servers that share a key share cookies with Linux ones.
 */
export function fastOpenCookie(key: Uint8Array, client: IpAddress, server: IpAddress): Uint8Array {
  const message = client.isIPv4 ? message4 : message6
  if (client.isIPv4) {
    write32(message, 0, client.w3)
    write32(message, 4, server.w3)
  } else {
    writeAddress(message, 0, client)
    writeAddress(message, 16, server)
  }
  const { hi, lo } = siphash(key, message)
  const cookie = new Uint8Array(8)
  for (let i = 0; i < 4; i++) {
    cookie[i] = lo >>> (8 * i)
    cookie[4 + i] = hi >>> (8 * i)
  }
  return cookie
}

/** What a server does with a SYN as far as fast open goes. */
export interface FastOpenAnswer {
  /** The connection begins now, and takes the SYN's text. */
  readonly accept: boolean
  /** Cookie for the SYN-ACK; null: no option. */
  readonly cookie: Uint8Array | null
  readonly experimental: boolean
}

const REFUSED: FastOpenAnswer = { accept: false, cookie: null, experimental: false }
const ACCEPTED: FastOpenAnswer = { accept: true, cookie: null, experimental: false }

/** RFC 7413 4.2.2, server: a SYN for a listener. */
export function fastOpenSynArrives(listener: Listener, seg: Segment): FastOpenAnswer {
  const { env } = listener
  const bits = env.settings.fastOpen
  const asked = seg.fastOpenStart >= 0
  if (asked && seg.fastOpenLength === 0) env.counters.count('TcpExtTCPFastOpenCookieReqd')
  if (!(bits & FastOpenBits.Server) || !(asked || seg.textLength > 0)) return REFUSED
  if (listener.options.fastOpenQueue === 0) return REFUSED
  if (listener.fastOpenQueued >= listener.options.fastOpenQueue) {
    env.counters.count('TcpExtTCPFastOpenListenOverflow')
    return REFUSED
  }
  if (bits & FastOpenBits.ServerWithoutCookie || listener.options.fastOpenNoCookie) return ACCEPTED
  if (!asked) return REFUSED
  const keys = listener.options.fastOpenKeys ?? env.secrets.fastOpen
  const experimental = seg.fastOpenExperimental
  const fresh = fastOpenCookie(keys[0]!, seg.source, seg.destination)
  if (seg.fastOpenLength === 0) return { accept: false, cookie: fresh, experimental }
  const given = seg.bytes.subarray(seg.fastOpenStart, seg.fastOpenStart + seg.fastOpenLength)
  if (sameOctets(given, fresh)) return ACCEPTED
  // an older key is still good, and the client gets the cookie of the new one
  for (const key of keys.slice(1)) {
    if (!sameOctets(given, fastOpenCookie(key, seg.source, seg.destination))) continue
    env.counters.count('TcpExtTCPFastOpenPassiveAltKey')
    return { accept: true, cookie: fresh, experimental }
  }
  env.counters.count('TcpExtTCPFastOpenPassiveFail')
  return { accept: false, cookie: fresh, experimental }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** What a client puts into its SYN. */
export interface FastOpenRequest {
  /** Cookie for the option; of no octets: a request for one; null: no option. */
  readonly cookie: Uint8Array | null
  readonly experimental: boolean
  /** Text may go with the SYN. */
  readonly withText: boolean
}

const NOTHING: FastOpenRequest = { cookie: null, experimental: false, withText: false }
const NO_OCTETS = new Uint8Array(0)

/** RFC 7413 4.2.1, client: what is known of the server decides what the SYN carries. */
export function fastOpenRequest(env: Environment, path: PathMetrics, noCookie: boolean, now: Instant): FastOpenRequest {
  const { settings } = env
  if (!(settings.fastOpen & FastOpenBits.Client)) return NOTHING
  if (env.shared.fastOpenOffUntil > now || isDisabled(env, path, now)) return NOTHING
  if (settings.fastOpen & FastOpenBits.ClientWithoutCookie || noCookie) {
    return { cookie: null, experimental: false, withText: true }
  }
  if (path.fastOpenCookie !== null) {
    return { cookie: path.fastOpenCookie, experimental: path.fastOpenExperimental, withText: true }
  }
  return { cookie: NO_OCTETS, experimental: path.fastOpenTryExperimental === 1, withText: false }
}

/** RFC 7413 4.1.3.1: a path on which it failed is left alone for a while. */
function isDisabled(env: Environment, path: PathMetrics, now: Instant): boolean {
  const length = env.settings.fastOpenDisablePath
  return length > 0 && path.fastOpenSynLosses > 0 && now - path.fastOpenLastSynLoss < length
}

/** Most octets of text in a SYN: what is known of the server's MSS and of the path, less room for options. */
export function fastOpenTextLimit(c: Connection, mtu: number): number {
  const headers = (c.remote.isIPv4 ? 20 : 40) + 20
  const known = c.path.fastOpenMss > 0 ? c.path.fastOpenMss : c.rcv.advMss
  const clamp = c.options.maxSegment > 0 ? Math.min(known, c.options.maxSegment) : known
  return Math.max(0, Math.min(mtu - headers, clamp) - OPTION_SPACE)
}

/**
 * A SYN-ACK tells of fast open (RFC 7413 4.2.1, Linux tcp_rcv_fastopen_synack): the cookie is kept, or its absence
 * remembered. Called after the ACK was processed. True: text of the SYN was not acknowledged and must be sent again.
 */
export function fastOpenSynAckArrives(c: Connection, seg: Segment, now: Instant): boolean {
  const fastOpen = c.fastOpen!
  const { path, env } = c
  const cookie =
    fastOpen.optionSent && seg.fastOpenLength > 0 && seg.fastOpenStart >= 0
      ? seg.bytes.slice(seg.fastOpenStart, seg.fastOpenStart + seg.fastOpenLength)
      : null
  const outstanding = fastOpen.synText > 0 && ((c.snd.una - c.snd.iss - 1) | 0) < fastOpen.synText
  const retransmitted = c.synsResent > 0
  if (seg.mss > 0) path.fastOpenMss = seg.mss
  if (cookie !== null) {
    path.fastOpenCookie = cookie
    path.fastOpenExperimental = seg.fastOpenExperimental
    path.fastOpenSynLosses = 0
  } else if (fastOpen.optionSent) noCookieCame(c, fastOpen, outstanding, retransmitted, now)
  if (outstanding) {
    fastOpen.failure = retransmitted ? FastOpenFailure.SynRetransmitted : FastOpenFailure.NotAcknowledged
    env.counters.count('TcpExtTCPFastOpenActiveFail')
    return true
  }
  if (fastOpen.synText > 0) {
    fastOpen.synTextAcknowledged = true
    // SYN and text left in one packet
    if (c.snd.delivered > 1) c.snd.delivered--
    env.counters.count('TcpExtTCPFastOpenActive')
  }
  return false
}

function noCookieCame(
  c: Connection,
  fastOpen: FastOpen,
  outstanding: boolean,
  retransmitted: boolean,
  now: Instant,
): void {
  const { path, env } = c
  if (env.settings.fastOpenDisablePath > 0) {
    if (!outstanding && fastOpen.synText > 0) return
    path.fastOpenCookie = null
    path.fastOpenSynLosses++
    path.fastOpenLastSynLoss = now
    return
  }
  if (retransmitted) {
    // the server seems to have seen only the SYN without text
    if (outstanding) {
      path.fastOpenSynLosses++
      path.fastOpenLastSynLoss = now
    } else path.fastOpenSynLosses = 0
    return
  }
  path.fastOpenSynLosses = 0
  if (fastOpen.synText > 0 || !env.settings.fastOpenTryExperimental) return
  const next = fastOpen.experimental ? 2 : 1
  if (next > path.fastOpenTryExperimental && path.fastOpenCookie === null && !path.fastOpenExperimental) {
    path.fastOpenTryExperimental = next
  }
}

/** Something swallows SYNs with text or what follows them: no active fast open for a while (RFC 7413 4.1.3.1, Linux). */
export function fastOpenBlackholed(env: Environment, now: Instant): void {
  const length = env.settings.fastOpenBlackholeTimeout
  if (length === 0) return
  const shared = env.shared
  shared.fastOpenOffUntil = now + length * 2 ** Math.min(shared.fastOpenOffCount, 6)
  shared.fastOpenOffCount++
  env.counters.count('TcpExtTCPFastOpenBlackhole')
}

/** The handshake of a server's side is complete or over: it no longer counts against the listener's queue. */
export function leaveFastOpenQueue(c: Connection): void {
  const listener = c.fastOpen?.queued ?? null
  if (listener === null) return
  c.fastOpen!.queued = null
  listener.fastOpenQueued--
}
