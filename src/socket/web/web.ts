import type { Host } from '../../ip/index.js'
import type { Instant } from '../../tcp/index.js'
import { type IpAddress, parseIpAddress } from '../../wire/index.js'
import type { SocketAddress } from '../address.js'
import type { Alive } from '../alive.js'
import { type FindAddresses, LOCALHOST } from '../names.js'
import { bindSocket, listenOn, startConnect } from '../opening.js'
import { LINUX } from '../personality.js'
import { type SocketSpace, TcpSocket } from '../socket.js'
import { SocketError } from './socket-error.js'
import { entered, type HostAndPort, placeText, WebConnection, type WebContext } from './web-connection.js'
import { WebListener } from './web-listener.js'

/** A host whose connections are to be web streams: a `LiveHost`. */
export interface WebHost extends Host {
  readonly clock: { readonly now: Instant }
  readonly lookup: FindAddresses
  readonly alive: Alive | null
}

/** Where to: `{ hostname: '10.0.0.2', port: 80 }`, '10.0.0.2:80', '[fd00::2]:80'. */
export type ConnectAddress = HostAndPort | string

export interface ConnectOptions {
  /** The writable side outlives the peer's FIN; false when not given: then it is closed as soon as that was read. */
  readonly allowHalfOpen?: boolean
  /** TLS is not for a TCP: only 'off', which it is when not given. */
  readonly secureTransport?: 'off'
}

export interface ListenOptions {
  /** 0: any that is free; `address` of the listener tells which. */
  readonly port: number
  /** An address of this host; every address, of both families, when not given. */
  readonly hostname?: string
  /** For each connection: the writable side outlives the peer's FIN; false when not given. */
  readonly allowHalfOpen?: boolean
  /** Connections that may wait to be accepted; 511 when not given. */
  readonly backlog?: number
}

/** Connections of a host as web streams. */
export interface Web {
  /**
   * A connection that opens: `opened` tells when, or why not.
   * @throws TypeError for what is no address, and for an option that is not there
   */
  connect(address: ConnectAddress, options?: ConnectOptions): WebConnection
  /**
   * @throws SocketError EADDRINUSE, EADDRNOTAVAIL
   * @throws TypeError when the port is none
   */
  listen(options: ListenOptions): WebListener
}

const DEFAULT_BACKLOG = 511
const { AF_INET, AF_INET6 } = LINUX.numbers

export function createWeb(host: WebHost): Web {
  const space: SocketSpace = { host, personality: LINUX, md5Keys: [] }
  const context: WebContext = { host, clock: host.clock, alive: host.alive }

  async function open(connection: WebConnection, to: HostAndPort): Promise<void> {
    const what = `connect ${placeText(to)}`
    const address = await addressOf(host, to.hostname, what)
    const socket = new TcpSocket(space, !address.isIPv4)
    const error = entered(context, (now) => startConnect(socket, addressed(address, to.port), {}, now))
    if (error !== null) throw new SocketError(error, what)
    connection.stand(socket)
  }

  return {
    connect(address, { allowHalfOpen = false, secureTransport = 'off' } = {}) {
      const to = hostAndPort(address)
      if (secureTransport !== 'off') {
        throw new TypeError(`connect: secureTransport '${secureTransport}' is not there, a connection is TCP ('off')`)
      }
      const connection = new WebConnection(context, allowHalfOpen, `connect ${placeText(to)}`)
      open(connection, to).catch((error: Error) => connection.fail(error))
      return connection
    },
    listen({ port, hostname = '::', allowHalfOpen = false, backlog = DEFAULT_BACKLOG }) {
      checkPort('listen', port, 0)
      const address = parseIpAddress(hostname)
      const socket = new TcpSocket(space, !address.isIPv4)
      socket.own.reuseAddress = true
      const error = entered(
        context,
        (now) => bindSocket(socket, addressed(address, port)) ?? listenOn(socket, backlog, now),
      )
      if (error !== null) throw new SocketError(error, `listen ${placeText({ hostname, port })}`)
      return new WebListener(context, socket, allowHalfOpen)
    },
  }
}

const addressed = (address: IpAddress, port: number): SocketAddress => ({
  family: (address.isIPv4 ? AF_INET : AF_INET6)!,
  address,
  port,
})

/** Of the addresses of a name, the first that a route leads to. */
async function addressOf(host: WebHost, name: string, what: string): Promise<IpAddress> {
  if (isAddress(name)) return parseIpAddress(name)
  const found = await host.lookup(name)
  const texts = found.length > 0 ? found : name === 'localhost' ? LOCALHOST : []
  const addresses = texts.map(parseIpAddress)
  const [first] = addresses
  if (first === undefined) throw new SocketError('ENOTFOUND', what)
  return addresses.find((address) => host.sourceAddress(address) !== null) ?? first
}

const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name)

/** @throws TypeError */
function hostAndPort(address: ConnectAddress): HostAndPort {
  if (typeof address !== 'string') {
    checkPort('connect', address.port, 1)
    if (typeof address.hostname !== 'string' || address.hostname === '') {
      throw new TypeError(
        `connect: hostname must be a name or an address, such as '10.0.0.2' (got ${address.hostname})`,
      )
    }
    return address
  }
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address)
  if (match === null) throw new TypeError(`connect: '${address}' is not host:port, such as '10.0.0.2:80' or '[::1]:80'`)
  const port = Number(match[3])
  checkPort('connect', port, 1)
  return { hostname: (match[1] ?? match[2])!, port }
}

function checkPort(call: string, port: unknown, least: number): void {
  if (Number.isInteger(port) && (port as number) >= least && (port as number) <= 65_535) return
  throw new TypeError(`${call}: port must be a whole number from ${least} to 65535 (got ${String(port)})`)
}
