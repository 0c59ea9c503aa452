import {
  type ActiveOpen,
  abort,
  type Connection,
  type Instant,
  Listener,
  openActive,
  openActiveFrom,
  State,
} from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import {
  type AddressAndPort,
  anyAddress,
  destinationOf,
  isAny,
  isUnicast,
  type SocketAddress,
  takeAddress,
} from './address.js'
import type { Errno } from './errno.js'
import { ANYTHING } from './open-file.js'
import { TcpSocket } from './socket.js'

/** bind(2). */
export function bindSocket(s: TcpSocket, to: SocketAddress): Errno | null {
  const wanted = takeAddress(to, s.ipv6, s.personality)
  if (typeof wanted === 'string') return wanted
  if (s.bound !== null || s.listener !== null || s.connection !== null) return 'EINVAL'
  const { address } = wanted
  if (s.own.ipv6Only && address.isIPv4 && !isAny(address)) return 'EADDRNOTAVAIL'
  if (s.own.freeBind && !s.host.isBindable(address)) {
    s.bound = wanted
    return null
  }
  const error = hold(s, address, wanted.port)
  if (error !== null) return error
  s.bound = wanted
  return null
}

/** Takes a local port, 0: any. */
function hold(s: TcpSocket, address: IpAddress, port: number): Errno | null {
  const { reuseAddress, reusePort, ipv6Only } = s.own
  const binding = s.host.ports.bind(address, port, { reuseAddress, reusePort, ipv6Only })
  if (typeof binding === 'string') return binding
  s.binding = binding
  if (s.personality.resetFromBound) binding.socket = boundSocket(s)
  return null
}

/** What the RST to a segment for a bound socket that does nothing carries: what the program asked for (FreeBSD). */
function boundSocket(s: TcpSocket) {
  return {
    get ttl() {
      return s.asked.ttl
    },
    get dscp() {
      return s.asked.dscp
    },
    get md5Key() {
      return s.asked.md5Keys[0]?.key ?? null
    },
  }
}

/** listen(2); on a socket that listens: another backlog. */
export function listenOn(s: TcpSocket, backlog: number, now: Instant): Errno | null {
  if (s.connection !== null && !s.gone) return 'EINVAL'
  if (s.phase !== 'unconnected') return 'EINVAL'
  const { somaxconn } = s.host.settings
  const most = backlog < 0 || backlog > somaxconn ? somaxconn : backlog
  s.backlog = most
  if (s.listener !== null) {
    s.listener.setBacklog(most)
    return null
  }
  if (s.binding === null) {
    const error = hold(s, s.bound?.address ?? anyAddress(s.ipv6), s.bound?.port ?? 0)
    if (error !== null) return error
  }
  const binding = s.binding!
  const error = s.host.ports.listen(binding)
  if (error !== null) return error
  s.connection = null
  s.listener = new Listener(
    s.host,
    {
      local: binding.address,
      localPort: binding.port,
      ipv6Only: s.own.ipv6Only,
      backlog: most,
      user: s,
      options: s.asked,
    },
    now,
  )
  return null
}

/** One try at accept(2): a socket, why not, or null: nobody there yet. */
export function acceptFrom(s: TcpSocket, now: Instant): TcpSocket | Errno | null {
  if (s.listener === null) return 'EINVAL'
  if (s.listener.acceptable === 0) return null
  const accepted = TcpSocket.accepted(s)
  const c = s.listener.accept(accepted, now)
  if (c === null) return null
  accepted.connection = c
  return accepted
}

/** How connect goes about fast open; nothing: it does not. */
export interface ConnectManner {
  /** TCP_FASTOPEN_CONNECT and MSG_FASTOPEN: the SYN waits for text, if there is a cookie. */
  readonly deferred?: boolean
  /** Text that goes with the SYN if there is a cookie, and after the handshake if not. */
  readonly text?: Uint8Array
}

/** The first half of connect(2): chooses addresses and sends the SYN. */
export function startConnect(s: TcpSocket, to: SocketAddress, manner: ConnectManner, now: Instant): Errno | null {
  if (s.listener !== null) {
    if (s.personality.connectWhileListening !== 'connect') return s.personality.connectWhileListening
  } else if (s.connection !== null && !s.gone) return 'EISCONN'
  if (s.gone && s.personality.connectAfterFailure !== null) return s.personality.connectAfterFailure
  const peer = takeAddress(to, s.ipv6, s.personality)
  if (typeof peer === 'string') return peer
  const ends = chooseEnds(s, peer)
  if (typeof ends === 'string') return ends

  s.former = null
  s.error = null
  s.readShutdown = false
  s.writeShutdown = false
  s.written = 0
  const request: ActiveOpen = {
    local: ends.local,
    localPort: ends.localPort,
    remote: ends.remote,
    remotePort: ends.remotePort,
    user: s,
    options: s.asked,
    fastOpenDeferred: manner.deferred === true,
    fastOpenText: manner.text,
  }
  const { listener } = s
  s.listener = null
  s.connection = listener === null ? openActive(s.host, request, now) : openActiveFrom(listener, request, now)
  if (s.gone && s.connection.error === 'EADDRNOTAVAIL') {
    s.connection = null
    return 'EADDRNOTAVAIL'
  }
  s.phase = 'connecting'
  return null
}

interface Ends {
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
}

function chooseEnds(s: TcpSocket, peer: AddressAndPort): Ends | Errno {
  const { host } = s
  const remote = destinationOf(peer.address)
  const remotePort = peer.port
  if (!isUnicast(remote) || host.isBroadcast(remote)) return 'ENETUNREACH'
  if (s.own.ipv6Only && remote.isIPv4) return 'ENETUNREACH'
  const held = s.binding ?? s.bound
  const from = held === null || isAny(held.address) ? host.sourceAddress(remote) : held.address
  if (from === null || from.isIPv4 !== remote.isIPv4) return 'ENETUNREACH'
  let localPort = held?.port ?? 0
  if (localPort === 0) {
    localPort = host.ports.forConnection(from, remote, remotePort)
    if (localPort === 0) return 'EADDRNOTAVAIL'
  } else if (!host.ports.tupleIsFree(from, localPort, remote, remotePort)) return 'EADDRNOTAVAIL'
  return { local: from, localPort, remote, remotePort }
}

/**
 * The rest of connect(2): waits for the handshake. 0: connected; null: not yet. `busy` is what is said when it may not
 * wait any longer.
 */
export function awaitConnected(s: TcpSocket, busy: Errno, now: Instant, last: boolean): 0 | Errno | null {
  if (s.opening) return last ? busy : null
  if (s.connection === null || s.gone) {
    const error = s.takeError() ?? 'ECONNABORTED'
    if (s.personality.connectAfterFailure === null) disconnect(s, now)
    else s.phase = 'unconnected'
    s.error = null
    return error
  }
  s.phase = 'connected'
  return 0
}

/** connect to AF_UNSPEC (Linux tcp_disconnect): the socket is as new, bound as before, and its connection is aborted. */
export function disconnect(s: TcpSocket, now: Instant): void {
  if (s.listener !== null) {
    s.listener.close(now)
    s.listener = null
  }
  const c = s.connection
  if (c !== null) {
    if (endsInReset(c)) s.error = 'ECONNRESET'
    c.user = null
    c.error = null
    if (!s.gone) abort(c, now)
    s.former = c
    s.connection = null
  }
  s.phase = 'unconnected'
  s.readShutdown = false
  s.writeShutdown = false
  if (s.bound === null || s.bound.port === 0) releasePort(s)
  s.wake(ANYTHING, now)
}

/** Those who hold the socket are told that the connection was reset, by themselves (Linux tcp_disconnect). */
function endsInReset(c: Connection): boolean {
  switch (c.state) {
    case State.SynSent:
    case State.SynReceived:
    case State.Established:
    case State.CloseWait:
    case State.FinWait1:
    case State.FinWait2:
      return true
    default:
      return false
  }
}

/** Gives the local port back. */
export function releasePort(s: TcpSocket): void {
  if (s.binding === null) return
  s.host.ports.release(s.binding)
  s.binding = null
}
