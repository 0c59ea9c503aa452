import { areIPv4Options } from '../wire/index.js'
import { intOf } from './option-value.js'
import { ask, intOption, type OptionTable, readOnly, type SocketOption, storedOption } from './socket-option.js'

/** Bits of the TOS octet that are ECN's: TCP's own business. */
const ECN_BITS = 3

/** IP_TOS, IPV6_TCLASS: the DSCP of every packet. */
function trafficClass(): SocketOption {
  return intOption({
    min: -1,
    max: 255,
    set: (s, n, now) => ask(s, { dscp: n < 0 ? 0 : n & ~ECN_BITS }, now),
    get: (s) => s.asked.dscp,
  })
}

/** IP_TTL, IPV6_UNICAST_HOPS: -1 is the default. */
function hopLimit(min: number): SocketOption {
  return {
    set: (s, value, now) => {
      const n = intOf(value)
      if (n === null || n > 255 || (n < min && n !== -1)) return 'EINVAL'
      return ask(s, { ttl: n }, now)
    },
    get: (s) => (s.asked.ttl < 0 ? s.host.settings.ttl : s.asked.ttl),
  }
}

/** IP_MTU_DISCOVER by Linux's numbers: DONT 0, WANT 1, DO 2, PROBE 3, INTERFACE 4, OMIT 5. */
const MTU_DISCOVER: SocketOption = intOption({
  min: 0,
  max: 5,
  set: (s, n, now) => {
    s.own.mtuDiscover = n
    return ask(s, { pathMtuDiscovery: n === 1 || n === 2 || n === 3 }, now)
  },
  get: (s) => s.own.mtuDiscover,
})

const MTU: SocketOption = readOnly((s) => {
  const c = s.connection
  return c === null || s.gone ? { errno: 'ENOTCONN' } : c.path.mtu
})

function ownFlag(name: 'receiveErrors' | 'freeBind'): SocketOption {
  return intOption({
    set: (s, n) => {
      s.own[name] = n !== 0
      return null
    },
    get: (s) => Number(s.own[name]),
  })
}

/** IP_OPTIONS: source routes above all. What is read is what packets carry now: the way back, after a passive open. */
const IP_OPTIONS: SocketOption = {
  set: (s, value, now) => {
    if (!(value instanceof Uint8Array) || !areIPv4Options(value)) return 'EINVAL'
    return ask(s, { ipOptions: value.length === 0 ? null : value.slice() }, now)
  },
  get: (s) => s.connection?.ipOptions ?? s.asked.ipOptions ?? new Uint8Array(0),
}

const LINUX_IP: OptionTable = {
  IP_OPTIONS,
  IP_TOS: trafficClass(),
  IP_TTL: hopLimit(1),
  IP_MTU_DISCOVER: MTU_DISCOVER,
  IP_MTU: MTU,
  IP_RECVERR: ownFlag('receiveErrors'),
  IP_FREEBIND: ownFlag('freeBind'),
  IP_TRANSPARENT: ownFlag('freeBind'),
  IP_BIND_ADDRESS_NO_PORT: storedOption('IP_BIND_ADDRESS_NO_PORT', 0),
  IP_MINTTL: storedOption('IP_MINTTL', 0, 0, 255),
  IP_PKTINFO: storedOption('IP_PKTINFO', 0),
  IP_RECVTTL: storedOption('IP_RECVTTL', 0),
  IP_RECVTOS: storedOption('IP_RECVTOS', 0),
  IP_RECVERR_RFC4884: storedOption('IP_RECVERR_RFC4884', 0, 0, 1),
  IP_LOCAL_PORT_RANGE: storedOption('IP_LOCAL_PORT_RANGE', 0),
}

const FREEBSD_IP: OptionTable = {
  IP_OPTIONS,
  IP_TOS: trafficClass(),
  IP_TTL: hopLimit(0),
  IP_MINTTL: storedOption('IP_MINTTL', 0, 0, 255),
  IP_DONTFRAG: intOption({
    set: (s, n, now) => ask(s, { pathMtuDiscovery: n !== 0 }, now),
    get: (s) => Number(s.asked.pathMtuDiscovery),
  }),
  IP_RECVTTL: storedOption('IP_RECVTTL', 0),
  IP_RECVTOS: storedOption('IP_RECVTOS', 0),
  IP_BINDANY: ownFlag('freeBind'),
  IP_PORTRANGE: storedOption('IP_PORTRANGE', 0, 0, 2),
}

const V6_ONLY: SocketOption = intOption({
  set: (s, n) => {
    if (s.bound !== null || s.listener !== null || s.connection !== null) return 'EINVAL'
    s.own.ipv6Only = n !== 0
    return null
  },
  get: (s) => Number(s.own.ipv6Only),
})

const LINUX_IPV6: OptionTable = {
  IPV6_V6ONLY: V6_ONLY,
  IPV6_TCLASS: trafficClass(),
  IPV6_UNICAST_HOPS: hopLimit(0),
  IPV6_MTU_DISCOVER: MTU_DISCOVER,
  IPV6_MTU: {
    ...MTU,
    set: (s, value, now) => {
      const n = intOf(value)
      if (n === null || (n !== 0 && n < 1280)) return 'EINVAL'
      return ask(s, { mtuLimit: n }, now)
    },
  },
  IPV6_RECVERR: ownFlag('receiveErrors'),
  IPV6_FREEBIND: ownFlag('freeBind'),
  IPV6_DONTFRAG: storedOption('IPV6_DONTFRAG', 0),
  IPV6_AUTOFLOWLABEL: storedOption('IPV6_AUTOFLOWLABEL', 1),
  IPV6_FLOWINFO_SEND: storedOption('IPV6_FLOWINFO_SEND', 0),
  IPV6_FLOWINFO: storedOption('IPV6_FLOWINFO', 0),
  IPV6_RECVPKTINFO: storedOption('IPV6_RECVPKTINFO', 0),
  IPV6_RECVHOPLIMIT: storedOption('IPV6_RECVHOPLIMIT', 0),
  IPV6_RECVTCLASS: storedOption('IPV6_RECVTCLASS', 0),
  IPV6_MINHOPCOUNT: storedOption('IPV6_MINHOPCOUNT', 0, 0, 255),
  IPV6_RECVERR_RFC4884: storedOption('IPV6_RECVERR_RFC4884', 0, 0, 1),
}

/** Smallest MTU every IPv6 link has, octets (RFC 8200 5). */
const MIN_MTU_IPV6 = 1280

const FREEBSD_IPV6: OptionTable = {
  IPV6_V6ONLY: V6_ONLY,
  IPV6_BINDV6ONLY: V6_ONLY,
  IPV6_TCLASS: trafficClass(),
  IPV6_UNICAST_HOPS: hopLimit(0),
  IPV6_USE_MIN_MTU: intOption({
    min: -1,
    max: 1,
    set: (s, n, now) => {
      s.store('IPV6_USE_MIN_MTU', n)
      return ask(s, { mtuLimit: n === 1 ? MIN_MTU_IPV6 : 0 }, now)
    },
    get: (s) => s.stored('IPV6_USE_MIN_MTU') ?? -1,
  }),
  IPV6_DONTFRAG: storedOption('IPV6_DONTFRAG', 0),
  IPV6_AUTOFLOWLABEL: storedOption('IPV6_AUTOFLOWLABEL', 1),
  IPV6_PATHMTU: MTU,
  IPV6_RECVPKTINFO: storedOption('IPV6_RECVPKTINFO', 0),
  IPV6_RECVHOPLIMIT: storedOption('IPV6_RECVHOPLIMIT', 0),
  IPV6_RECVTCLASS: storedOption('IPV6_RECVTCLASS', 0),
  IPV6_BINDANY: ownFlag('freeBind'),
}

export const IP_LEVEL = { linux: LINUX_IP, freebsd: FREEBSD_IP }
export const IPV6_LEVEL = { linux: LINUX_IPV6, freebsd: FREEBSD_IPV6 }
