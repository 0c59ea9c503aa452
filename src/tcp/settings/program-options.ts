import type { IpAddress } from '../../wire/index.js'
import type { Millis } from '../time.js'
import type { Settings } from './settings.js'

/** A TCP MD5 key (RFC 2385) for the peers in a prefix. */
export interface Md5Key {
  readonly peer: IpAddress
  /** Octets of the prefix that count: 32 or 128 bits of the peer's address for one host; 0: any peer. Bits. */
  readonly prefixLength: number
  readonly key: Uint8Array
}

/**
 * What a program asks of a connection before or while it is open; a listener's are inherited by what it accepts. They
 * are `options` of a `Connection`; change them there with `setOptions`, which does what follows from a change.
 */
export interface ProgramOptions {
  noDelay: boolean
  cork: boolean
  /** SO_LINGER, seconds; -1: off. */
  linger: number
  keepalive: boolean
  keepaliveIdle: Millis
  keepaliveInterval: Millis
  keepaliveProbes: number
  /** TCP_USER_TIMEOUT; 0: none. */
  userTimeout: Millis
  /** How long the handshake may take in all (FreeBSD TCP_KEEPINIT). */
  connectTimeout: Millis
  /** TCP_SYNCNT; 0: the setting. */
  synRetries: number
  /** TCP_LINGER2; -1: the setting; 0: not at all, the peer gets a RST. */
  finWait2: Millis
  /** TCP_DEFER_ACCEPT; 0: off. */
  deferAccept: Millis
  /** TCP_WINDOW_CLAMP, octets; 0: none. */
  windowClamp: number
  /** TCP_NOTSENT_LOWAT, octets; 0: the setting. */
  notSentLowat: number
  oobInline: boolean
  /** `Ready.Report` is told (RFC 9293 3.9.1.8). */
  errorReports: boolean
  /** FreeBSD TCP_NOOPT. */
  noOptions: boolean
  /** TCP_MAXSEG, octets; 0: none. */
  maxSegment: number
  /** SO_RCVBUF and SO_SNDBUF as they took effect (doubled by Linux), octets; 0: the setting, and autotuning. */
  receiveBuffer: number
  sendBuffer: number
  /** TCP_CONGESTION; '': the setting. */
  congestionControl: string
  /** TCP_FASTOPEN of a listener: most requests not yet accepted; 0: no fast open. */
  fastOpenQueue: number
  /** TCP_FASTOPEN_KEY of a listener: keys of 16 octets, primary first; null: the host's. */
  fastOpenKeys: Uint8Array[] | null
  /** TCP_FASTOPEN_NO_COOKIE. */
  fastOpenNoCookie: boolean
  /** MD5 keys, first match wins. */
  md5Keys: readonly Md5Key[]
  /** IP_TOS / IPV6_TCLASS without the ECN bits. */
  dscp: number
  /** IP_TTL / IPV6_UNICAST_HOPS; -1: the setting. */
  ttl: number
  flowLabel: number
  /** IP_OPTIONS: IPv4 options of every packet (RFC 9293 3.9.2.1); null: none, but the way back along a source route. */
  ipOptions: Uint8Array | null
  /** IPV6_USE_MIN_MTU and the like: path MTU never taken larger than this, octets; 0: no limit. */
  mtuLimit: number
  /** IP_MTU_DISCOVER: DF is set and ICMP believed. */
  pathMtuDiscovery: boolean
}

const NO_KEYS: readonly Md5Key[] = []

/** What a program that asked for nothing gets. */
export function defaultOptions(settings: Settings): ProgramOptions {
  return {
    noDelay: false,
    cork: false,
    linger: -1,
    keepalive: settings.keepaliveAlways,
    keepaliveIdle: settings.keepaliveIdle,
    keepaliveInterval: settings.keepaliveInterval,
    keepaliveProbes: settings.keepaliveProbes,
    userTimeout: 0,
    connectTimeout: settings.connectTimeout,
    synRetries: 0,
    finWait2: -1,
    deferAccept: 0,
    windowClamp: 0,
    notSentLowat: 0,
    oobInline: false,
    errorReports: true,
    noOptions: false,
    maxSegment: 0,
    receiveBuffer: 0,
    sendBuffer: 0,
    congestionControl: '',
    fastOpenQueue: 0,
    fastOpenKeys: null,
    fastOpenNoCookie: false,
    md5Keys: NO_KEYS,
    dscp: 0,
    ttl: -1,
    flowLabel: 0,
    ipOptions: null,
    mtuLimit: 0,
    pathMtuDiscovery: settings.pathMtuDiscovery,
  }
}

const shared = new WeakMap<Settings, Readonly<ProgramOptions>>()

/** What a program gets that asked for `asked`: one object for all that asked for nothing but what they would have got anyway. */
export function sharedOptions(settings: Settings, asked?: Partial<ProgramOptions>): Readonly<ProgramOptions> {
  let options = shared.get(settings)
  if (options === undefined || !areOf(options, settings)) {
    options = defaultOptions(settings)
    shared.set(settings, options)
  }
  if (asked === undefined || asked === options) return options
  for (const name in asked) {
    const key = name as keyof ProgramOptions
    if (asked[key] !== options[key]) return { ...options, ...asked }
  }
  return options
}

/** The settings that options come from are still as they were. */
const areOf = (options: Readonly<ProgramOptions>, settings: Settings): boolean =>
  options.keepalive === settings.keepaliveAlways &&
  options.keepaliveIdle === settings.keepaliveIdle &&
  options.keepaliveInterval === settings.keepaliveInterval &&
  options.keepaliveProbes === settings.keepaliveProbes &&
  options.connectTimeout === settings.connectTimeout &&
  options.pathMtuDiscovery === settings.pathMtuDiscovery

/** The key for a peer; null: its segments are not signed. */
export function md5KeyFor(keys: readonly Md5Key[], peer: IpAddress): Uint8Array | null {
  for (const candidate of keys) if (samePrefix(candidate, peer)) return candidate.key
  return null
}

function samePrefix({ peer, prefixLength }: Md5Key, address: IpAddress): boolean {
  if (prefixLength === 0) return true
  if (peer.isIPv4 !== address.isIPv4) return false
  const bits = prefixLength + (peer.isIPv4 ? 96 : 0)
  const a = [peer.w0, peer.w1, peer.w2, peer.w3]
  const b = [address.w0, address.w1, address.w2, address.w3]
  for (let word = 0, left = bits; word < 4 && left > 0; word++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left)
    if (((a[word]! ^ b[word]!) & mask) !== 0) return false
  }
  return true
}
