import { writable } from '../tcp/index.js'
import { errnoNumber } from './errno.js'
import { Poll } from './open-file.js'
import { lingerOf, millisOf, timevalOf } from './option-value.js'
import { bufferSizes, memoryInfo } from './socket-memory.js'
import {
  ask,
  flagOption,
  intOption,
  type OptionTable,
  readOnly,
  type SocketOption,
  storedOption,
} from './socket-option.js'

/** SOL_SOCKET, on both systems. */
const BOTH: OptionTable = {
  SO_REUSEADDR: ownFlag('reuseAddress'),
  SO_REUSEPORT: ownFlag('reusePort'),
  SO_KEEPALIVE: flagOption('keepalive'),
  SO_OOBINLINE: flagOption('oobInline'),
  SO_LINGER: {
    set: (s, value, now) => {
      const linger = lingerOf(value)
      if (linger === null) return 'EINVAL'
      return ask(s, { linger: linger.on ? linger.seconds : -1 }, now)
    },
    get: (s) => ({ on: s.asked.linger >= 0, seconds: Math.max(0, s.asked.linger) }),
  },
  SO_SNDBUF: bufferOption('send'),
  SO_RCVBUF: bufferOption('receive'),
  SO_SNDTIMEO: timeOption('sendTimeout'),
  SO_RCVTIMEO: timeOption('receiveTimeout'),
  SO_RCVLOWAT: intOption({
    set: (s, n) => {
      s.own.receiveLowat = n < 0 ? 0x7fffffff : Math.max(1, n)
      return null
    },
    get: (s) => s.own.receiveLowat,
  }),
  SO_ERROR: readOnly((s) => {
    const error = s.takeError()
    if (error !== null) return errnoNumber(error, s.personality.system)
    const c = s.connection
    const soft = c?.softError ?? null
    if (c !== null) c.softError = null
    return soft === null ? 0 : errnoNumber(soft, s.personality.system)
  }),
  SO_TYPE: readOnly((s) => s.personality.numbers.SOCK_STREAM!),
  SO_PROTOCOL: readOnly((s) => s.personality.numbers.IPPROTO_TCP!),
  SO_DOMAIN: readOnly((s) => (s.ipv6 ? s.personality.numbers.AF_INET6! : s.personality.numbers.AF_INET!)),
  SO_ACCEPTCONN: readOnly((s) => Number(s.listener !== null)),
  SO_BROADCAST: storedOption('SO_BROADCAST', 0),
  SO_DEBUG: storedOption('SO_DEBUG', 0),
  SO_DONTROUTE: storedOption('SO_DONTROUTE', 0),
  SO_TIMESTAMP: storedOption('SO_TIMESTAMP', 0),
  SO_MAX_PACING_RATE: storedOption('SO_MAX_PACING_RATE', -1),
}

const LINUX: OptionTable = {
  ...BOTH,
  SO_SNDLOWAT: readOnly(() => 1),
  SO_SNDBUFFORCE: bufferOption('send', true),
  SO_RCVBUFFORCE: bufferOption('receive', true),
  SO_PRIORITY: storedOption('SO_PRIORITY', 0, 0),
  SO_MARK: storedOption('SO_MARK', 0),
  SO_NO_CHECK: storedOption('SO_NO_CHECK', 0),
  SO_TIMESTAMPNS: storedOption('SO_TIMESTAMPNS', 0),
  SO_TIMESTAMPING: intOption({
    min: 0,
    set: (s, n) => {
      s.own.timestamping = n
      if (n !== 0) s.errorQueue.countTextFrom(s, n)
      return null
    },
    get: (s) => s.own.timestamping,
  }),
  SO_ZEROCOPY: intOption({
    min: 0,
    max: 1,
    set: (s, n) => {
      s.own.zeroCopy = n === 1
      return null
    },
    get: (s) => Number(s.own.zeroCopy),
  }),
  SO_BUSY_POLL: storedOption('SO_BUSY_POLL', 0, 0),
  SO_PREFER_BUSY_POLL: storedOption('SO_PREFER_BUSY_POLL', 0),
  SO_BUSY_POLL_BUDGET: storedOption('SO_BUSY_POLL_BUDGET', 8, 0, 0xffff),
  SO_INCOMING_CPU: storedOption('SO_INCOMING_CPU', -1),
  SO_INCOMING_NAPI_ID: readOnly(() => 0),
  SO_PEEK_OFF: storedOption('SO_PEEK_OFF', -1),
  SO_SELECT_ERR_QUEUE: storedOption('SO_SELECT_ERR_QUEUE', 0),
  SO_BINDTOIFINDEX: storedOption('SO_BINDTOIFINDEX', 0, 0),
  SO_BUF_LOCK: readOnly((s) => Number(s.asked.sendBuffer > 0) | (Number(s.asked.receiveBuffer > 0) << 1)),
  SO_RESERVE_MEM: storedOption('SO_RESERVE_MEM', 0, 0),
  SO_TXREHASH: storedOption('SO_TXREHASH', 1, -1, 1),
  SO_RCVMARK: storedOption('SO_RCVMARK', 0),
  SO_COOKIE: readOnly((s) => s.observed?.id ?? 0),
  SO_MEMINFO: readOnly((s) => memoryInfo(s)),
}

const FREEBSD: OptionTable = {
  ...BOTH,
  SO_SNDLOWAT: storedOption('SO_SNDLOWAT', 2048, 1),
  SO_PROTOTYPE: BOTH.SO_PROTOCOL!,
  SO_USELOOPBACK: storedOption('SO_USELOOPBACK', 0),
  SO_NOSIGPIPE: storedOption('SO_NOSIGPIPE', 0),
  SO_NO_OFFLOAD: storedOption('SO_NO_OFFLOAD', 0),
  SO_REUSEPORT_LB: ownFlag('reusePort'),
  SO_RERROR: storedOption('SO_RERROR', 0),
  SO_SETFIB: storedOption('SO_SETFIB', 0, 0),
  SO_USER_COOKIE: storedOption('SO_USER_COOKIE', 0),
  SO_LISTENQLIMIT: readOnly((s) => s.backlog),
  SO_LISTENQLEN: readOnly((s) => s.listener?.acceptable ?? 0),
  SO_LISTENINCQLEN: readOnly(() => 0),
}

export const SOCKET_LEVEL = { linux: LINUX, freebsd: FREEBSD }

function ownFlag(name: 'reuseAddress' | 'reusePort'): SocketOption {
  return intOption({
    set: (s, n) => {
      s.own[name] = n !== 0
      return null
    },
    get: (s) => Number(s.own[name]),
  })
}

function timeOption(name: 'sendTimeout' | 'receiveTimeout'): SocketOption {
  return {
    set: (s, value) => {
      const ms = millisOf(value)
      if (ms === null) return typeof value === 'object' ? 'EDOM' : 'EINVAL'
      s.own[name] = ms
      return null
    },
    get: (s) => timevalOf(s.own[name]),
  }
}

/** SO_SNDBUF, SO_RCVBUF: Linux doubles the value for its own overhead and moves it into bounds; FreeBSD takes it or not. */
function bufferOption(which: 'send' | 'receive', force = false): SocketOption {
  return intOption({
    set: (s, n, now) => {
      const { settings } = s.host
      const { personality } = s
      const cap = which === 'send' ? settings.sendBufferCap : settings.receiveBufferCap
      const least = which === 'send' ? personality.minSendBuffer : personality.minReceiveBuffer
      if (personality.strictBuffers && (n <= 0 || n > cap)) return 'ENOBUFS'
      const wanted = force ? Math.max(0, n) : n < 0 ? cap : Math.min(n, cap)
      const octets = Math.max(wanted * settings.bufferFactor, least)
      ask(s, which === 'send' ? { sendBuffer: octets } : { receiveBuffer: octets }, now)
      if (s.connection !== null && writable(s.connection)) s.wake(Poll.Out | Poll.WriteNormal | Poll.WriteBand, now)
      return null
    },
    get: (s) => bufferSizes(s)[which],
  })
}
