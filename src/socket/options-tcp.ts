import {
  CONGESTION_CONTROLS,
  type Instant,
  type Md5Key,
  type ProgramOptions,
  State,
  setQuickAck,
} from '../tcp/index.js'
import type { Errno } from './errno.js'
import { intOf, type Md5Signature, type OptionValue } from './option-value.js'
import type { TcpSocket } from './socket.js'
import {
  ask,
  flagOption,
  intOption,
  type OptionTable,
  readOnly,
  type SocketOption,
  storedOption,
} from './socket-option.js'
import { tcpInfoOf } from './tcp-info.js'

/** Smallest and largest TCP_MAXSEG on Linux, octets. */
const MIN_MAXSEG = 88
const MAX_MAXSEG = 32767
/** Longest TCP_LINGER2 on Linux, s. */
const MAX_LINGER2 = 120
/** Longest key of TCP_MD5SIG, octets. */
const MAX_MD5_KEY = 80

type NumberOption = {
  [K in keyof ProgramOptions]: ProgramOptions[K] extends number ? K : never
}[keyof ProgramOptions]

/** A time that the program says in seconds. */
function secondsOption(name: NumberOption, min: number, max: number): SocketOption {
  return intOption({
    min,
    max,
    set: (s, n, now) => ask(s, { [name]: n * 1000 }, now),
    get: (s) => Math.round(s.asked[name] / 1000),
  })
}

function countOption(name: NumberOption, min: number, max: number, fallback?: (s: TcpSocket) => number): SocketOption {
  return intOption({
    min,
    max,
    set: (s, n, now) => ask(s, { [name]: n }, now),
    get: (s) => s.asked[name] || (fallback?.(s) ?? 0),
  })
}

const NODELAY = flagOption('noDelay')
const CORK = flagOption('cork')

const CONGESTION: SocketOption = {
  set: (s, value, now) => {
    const name = textOf(value)
    if (name === null) return 'EINVAL'
    return CONGESTION_CONTROLS.includes(name) ? ask(s, { congestionControl: name }, now) : 'ENOENT'
  },
  get: (s) => s.asked.congestionControl || s.host.settings.congestionControl,
}

const LINUX: OptionTable = {
  TCP_NODELAY: NODELAY,
  TCP_CORK: CORK,
  TCP_CONGESTION: CONGESTION,
  TCP_MAXSEG: {
    set: (s, value, now) => {
      const n = intOf(value)
      if (n === null || (n !== 0 && (n < MIN_MAXSEG || n > MAX_MAXSEG))) return 'EINVAL'
      return ask(s, { maxSegment: n }, now)
    },
    get: (s) => {
      const c = s.connection
      if (c !== null && !s.opening && !s.gone) return c.snd.mss
      return s.asked.maxSegment || s.host.settings.defaultMss4
    },
  },
  TCP_KEEPIDLE: secondsOption('keepaliveIdle', 1, 32767),
  TCP_KEEPINTVL: secondsOption('keepaliveInterval', 1, 32767),
  TCP_KEEPCNT: countOption('keepaliveProbes', 1, 127),
  TCP_SYNCNT: countOption('synRetries', 1, 127, (s) => s.host.settings.synRetries),
  TCP_LINGER2: intOption({
    set: (s, n, now) => ask(s, { finWait2: n < 0 ? 0 : n === 0 ? -1 : Math.min(n, MAX_LINGER2) * 1000 }, now),
    get: (s) => {
      const { finWait2 } = s.asked
      if (finWait2 === 0) return -1
      return Math.round((finWait2 < 0 ? s.host.settings.orphanFinWait2 : finWait2) / 1000)
    },
  }),
  TCP_DEFER_ACCEPT: intOption({
    set: (s, n, now) =>
      ask(s, { deferAccept: n <= 0 ? 0 : retransmissionPeriod(n, s.host.settings.rtoMax) * 1000 }, now),
    get: (s) => Math.round(s.asked.deferAccept / 1000),
  }),
  TCP_WINDOW_CLAMP: intOption({
    set: (s, n, now) => {
      if (n === 0) return s.connection === null ? ask(s, { windowClamp: 0 }, now) : 'EINVAL'
      return ask(s, { windowClamp: Math.max(n, s.personality.minReceiveBuffer / 2) }, now)
    },
    get: (s) => s.asked.windowClamp || (s.connection?.rcv.clamp ?? 0),
  }),
  TCP_INFO: readOnly((s, now) => tcpInfoOf(s, now)),
  TCP_QUICKACK: intOption({
    set: (s, n, now) => {
      s.store('TCP_QUICKACK', Number((n & 1) !== 0))
      if (s.connection !== null && !s.gone && !s.opening) setQuickAck(s.connection, n !== 0, now)
      return null
    },
    get: (s) => {
      const c = s.connection
      return c === null ? (s.stored('TCP_QUICKACK') ?? 1) : Number(c.rcv.pingpong < 1)
    },
  }),
  TCP_MD5SIG: { set: (s, value, now) => setMd5Key(s, value, false, now) },
  TCP_MD5SIG_EXT: { set: (s, value, now) => setMd5Key(s, value, true, now) },
  TCP_USER_TIMEOUT: countOption('userTimeout', 0, 0x7fffffff),
  TCP_FASTOPEN: intOption({
    min: 0,
    set: (s, n, now) => {
      if (s.connection !== null && !s.gone) return 'EINVAL'
      return ask(s, { fastOpenQueue: Math.min(n, s.host.settings.somaxconn) }, now)
    },
    get: (s) => s.asked.fastOpenQueue,
  }),
  TCP_FASTOPEN_CONNECT: intOption({
    min: 0,
    max: 1,
    set: (s, n) => {
      if ((s.host.settings.fastOpen & 1) === 0) return 'EOPNOTSUPP'
      if (s.listener !== null || (s.connection !== null && !s.gone)) return 'EINVAL'
      s.own.fastOpenConnect = n === 1
      return null
    },
    get: (s) => Number(s.own.fastOpenConnect),
  }),
  TCP_FASTOPEN_NO_COOKIE: intOption({
    min: 0,
    max: 1,
    set: (s, n, now) => {
      if (s.connection !== null && !s.gone) return 'EINVAL'
      return ask(s, { fastOpenNoCookie: n === 1 }, now)
    },
    get: (s) => Number(s.asked.fastOpenNoCookie),
  }),
  TCP_FASTOPEN_KEY: {
    set: (s, value, now) => {
      const octets = octetsOf(value)
      if (octets === null || (octets.length !== 16 && octets.length !== 32)) return 'EINVAL'
      const keys = [octets.slice(0, 16)]
      if (octets.length === 32) keys.push(octets.slice(16))
      return ask(s, { fastOpenKeys: keys }, now)
    },
    get: (s) => {
      const keys = s.asked.fastOpenKeys ?? s.host.secrets.fastOpen
      const all = new Uint8Array(16 * keys.length)
      keys.forEach((key, i) => {
        all.set(key, 16 * i)
      })
      return all
    },
  },
  TCP_NOTSENT_LOWAT: intOption({
    set: (s, n, now) => {
      ask(s, { notSentLowat: n >>> 0 }, now)
      return null
    },
    get: (s) => s.asked.notSentLowat,
  }),
  TCP_INQ: intOption({
    min: 0,
    max: 1,
    set: (s, n) => {
      s.own.inQueue = n === 1
      return null
    },
    get: (s) => Number(s.own.inQueue),
  }),
  TCP_THIN_LINEAR_TIMEOUTS: storedOption('TCP_THIN_LINEAR_TIMEOUTS', 0, 0, 1),
  TCP_THIN_DUPACK: storedOption('TCP_THIN_DUPACK', 0, 0, 1),
  TCP_TX_DELAY: storedOption('TCP_TX_DELAY', 0, 0),
  TCP_SAVE_SYN: storedOption('TCP_SAVE_SYN', 0, 0, 2),
  TCP_SAVED_SYN: readOnly(() => new Uint8Array(0)),
  TCP_TIMESTAMP: readOnly((s, now) => Math.floor(now + (s.connection?.tsOffset ?? 0)) | 0),
  TCP_RTO_MAX_MS: intOption({
    min: 1000,
    max: 120_000,
    set: (s, n) => {
      s.store('TCP_RTO_MAX_MS', n)
      return null
    },
    get: (s) => s.stored('TCP_RTO_MAX_MS') ?? s.host.settings.rtoMax,
  }),
  TCP_ULP: { set: () => 'ENOENT', get: () => '' },
  TCP_REPAIR: { set: () => 'EPERM', get: () => 0 },
  TCP_CC_INFO: readOnly(() => []),
}

const FREEBSD: OptionTable = {
  TCP_NODELAY: NODELAY,
  TCP_NOPUSH: CORK,
  TCP_NOOPT: flagOption('noOptions'),
  TCP_CONGESTION: CONGESTION,
  TCP_MAXSEG: intOption({
    min: 1,
    set: (s, n, now) => {
      const { connection } = s
      if (connection !== null && n > connection.snd.mss) return 'EINVAL'
      return ask(s, { maxSegment: n }, now)
    },
    get: (s) => {
      const c = s.connection
      return c !== null && !s.opening ? c.snd.mss : s.asked.maxSegment || s.host.settings.defaultMss4
    },
  }),
  TCP_KEEPINIT: secondsOption('connectTimeout', 0, 0x7fffffff),
  TCP_KEEPIDLE: secondsOption('keepaliveIdle', 0, 0x7fffffff),
  TCP_KEEPINTVL: secondsOption('keepaliveInterval', 0, 0x7fffffff),
  TCP_KEEPCNT: countOption('keepaliveProbes', 0, 0x7fffffff),
  TCP_MAXUNACKTIME: secondsOption('userTimeout', 0, 0x7fffffff),
  TCP_INFO: readOnly((s, now) => tcpInfoOf(s, now)),
  TCP_MD5SIG: intOption({
    set: (s, n, now) => {
      s.store('TCP_MD5SIG', n)
      return ask(s, { md5Keys: n !== 0 ? s.space.md5Keys : [] }, now)
    },
    get: (s) => Number(s.asked.md5Keys.length > 0),
  }),
  TCP_FASTOPEN: {
    set: (s, value, now) => {
      const n = intOf(value)
      if (n === null) return 'EINVAL'
      s.own.fastOpenConnect = n !== 0
      return ask(s, { fastOpenQueue: n === 0 ? 0 : s.host.settings.somaxconn }, now)
    },
    get: (s) => Number(s.own.fastOpenConnect),
  },
  TCP_FUNCTION_BLK: {
    set: (s, value) => {
      const name = typeof value === 'object' && 'name' in value ? value.name : value
      if (name !== 'freebsd' && name !== 'rack') return 'ENOENT'
      s.store('TCP_FUNCTION_BLK', name === 'rack' ? 1 : 0)
      return null
    },
    get: (s) => ({ name: s.stored('TCP_FUNCTION_BLK') === 1 ? 'rack' : 'freebsd', sharers: 1 }),
  },
  TCP_DELACK: storedOption('TCP_DELACK', 0),
  TCP_REMOTE_UDP_ENCAPS_PORT: storedOption('TCP_REMOTE_UDP_ENCAPS_PORT', 0, 0, 65535),
  TCP_LOG: storedOption('TCP_LOG', 0),
  TCP_CCALGOOPT: { set: () => null, get: () => [] },
}

/** Options of FreeBSD's RACK stack: taken, kept, and without effect on the one stack there is. */
const RACK_OPTIONS = /^TCP_(RACK|BBR)_/
const RACK: SocketOption = storedOption('TCP_RACK', 0)

export const TCP_LEVEL = { linux: LINUX, freebsd: FREEBSD }

/** An option of the TCP level by name. */
export function tcpOption(name: string, system: 'linux' | 'freebsd'): SocketOption | undefined {
  return TCP_LEVEL[system][name] ?? (system === 'freebsd' && RACK_OPTIONS.test(name) ? RACK : undefined)
}

/** The options of FreeBSD's TCP level do not work on a connection that is gone. */
export const tcpOptionsGone = (s: TcpSocket): Errno | null =>
  s.connection !== null && s.connection.state === State.Closed ? s.personality.goneOptions : null

/** The time that so many SYN-ACKs take: Linux rounds up to one of them. Seconds. */
function retransmissionPeriod(seconds: number, rtoMax: number): number {
  let period = 1
  let step = 1
  while (seconds > period && period < 0x7fff) {
    step = Math.min(step * 2, rtoMax / 1000)
    period += step
  }
  return period
}

function setMd5Key(s: TcpSocket, value: OptionValue, extended: boolean, now: Instant): Errno | null {
  if (!isMd5Signature(value) || value.key.length > MAX_MD5_KEY) return 'EINVAL'
  const { peer, key } = value
  const prefixLength = (extended ? value.prefixLength : undefined) ?? (peer.isIPv4 ? 32 : 128)
  const rest = s.asked.md5Keys.filter((k) => !(k.peer.equals(peer) && k.prefixLength === prefixLength))
  if (key.length === 0) {
    if (rest.length === s.asked.md5Keys.length) return 'ENOENT'
    return ask(s, { md5Keys: rest }, now)
  }
  const added: Md5Key = { peer, prefixLength, key }
  // the longest prefix first: the first match wins
  const keys = [...rest, added].sort((a, b) => b.prefixLength - a.prefixLength)
  return ask(s, { md5Keys: keys }, now)
}

function isMd5Signature(value: OptionValue): value is Md5Signature {
  return typeof value === 'object' && 'peer' in value && 'key' in value && value.key instanceof Uint8Array
}

function textOf(value: OptionValue): string | null {
  if (typeof value === 'string') return value
  if (!(value instanceof Uint8Array)) return null
  const end = value.indexOf(0)
  return String.fromCharCode(...(end < 0 ? value : value.subarray(0, end)))
}

/** Octets, as such or one per character of a string. */
function octetsOf(value: OptionValue): Uint8Array | null {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' ? Uint8Array.from(value, (letter) => letter.charCodeAt(0)) : null
}
