import type { Host } from '../../ip/index.js'
import type { Instant } from '../../tcp/index.js'
import { type IpAddress, parseIpAddress } from '../../wire/index.js'
import type { SocketAddress } from '../address.js'
import { bindSocket, listenOn, startConnect } from '../opening.js'
import { LINUX, type Personality } from '../personality.js'
import { type SocketSpace, TcpSocket } from '../socket.js'
import { NetworkError } from './network-error.js'
import { WebConnection } from './web-connection.js'
import { WebListener } from './web-listener.js'

export interface WebOptions {
  /** The host's time, ms. */
  readonly now: () => Instant
  /** Finds the address of a name that is neither an address nor `localhost`. */
  readonly lookup?: (hostname: string) => Promise<string>
}

export interface ConnectOptions {
  readonly hostname: string
  readonly port: number
  /** The writable side outlives the peer's FIN; false when not given. */
  readonly allowHalfOpen?: boolean
}

export interface ListenOptions {
  /** 0: any that is free. */
  readonly port: number
  /** Every address, of both families, when not given. */
  readonly hostname?: string
  readonly allowHalfOpen?: boolean
  readonly backlog?: number
}

/** Connections of a host as web streams. */
export interface Web {
  /** A connection that opens: `opened` tells when, or why not. */
  connect(options: ConnectOptions): WebConnection
  /** @throws NetworkError EADDRINUSE, EADDRNOTAVAIL */
  listen(options: ListenOptions): WebListener
}

const DEFAULT_BACKLOG = 511

export function createWeb(host: Host, { now, lookup = unknownName }: WebOptions): Web {
  const personality: Personality = LINUX
  const space: SocketSpace = { host, personality, md5Keys: [] }
  const { AF_INET, AF_INET6 } = personality.numbers

  const addressed = (address: IpAddress, port: number): SocketAddress => ({
    family: (address.isIPv4 ? AF_INET : AF_INET6)!,
    address,
    port,
  })

  function entered<T>(act: (at: Instant) => T): T {
    const at = now()
    host.enter(at)
    try {
      return act(at)
    } finally {
      host.leave(at)
    }
  }

  async function open(connection: WebConnection, { hostname, port }: ConnectOptions): Promise<void> {
    const address = parsed(hostname) ?? parseIpAddress(await lookup(hostname))
    const asked = `connect ${hostname}:${port}`
    const socket = new TcpSocket(space, !address.isIPv4)
    const error = entered((at) => startConnect(socket, addressed(address, port), {}, at))
    if (error !== null) throw new NetworkError(error, asked)
    connection.stand(socket, asked)
  }

  return {
    connect(options) {
      const connection = new WebConnection(now, options.allowHalfOpen ?? false)
      open(connection, options).catch((error: Error) => connection.fail(error))
      return connection
    },
    listen({ port, hostname = '::', allowHalfOpen = false, backlog = DEFAULT_BACKLOG }) {
      const address = parseIpAddress(hostname)
      const socket = new TcpSocket(space, !address.isIPv4)
      socket.own.reuseAddress = true
      const error = entered((at) => bindSocket(socket, addressed(address, port)) ?? listenOn(socket, backlog, at))
      if (error !== null) throw new NetworkError(error, `listen ${hostname}:${port}`)
      return new WebListener(socket, now, allowHalfOpen)
    },
  }
}

/** null: it is a name. */
function parsed(hostname: string): IpAddress | null {
  if (hostname === 'localhost') return parseIpAddress('127.0.0.1')
  if (!/^[\d.]+$|:/.test(hostname)) return null
  return parseIpAddress(hostname)
}

async function unknownName(hostname: string): Promise<string> {
  throw new NetworkError('ENOTFOUND', `lookup ${hostname}`)
}
