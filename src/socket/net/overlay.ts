import { createRequire } from 'node:module'
import type { Callback, OnRead } from './arguments.js'
import type { NetContext } from './context.js'
import { Handle } from './handle.js'
import { type SecuringModules, secureSockets } from './install-tls.js'
import { NetServer } from './net-server.js'
import { NetSocket } from './net-socket.js'
import type { SocketOptions } from './socket-options.js'

type Method = (this: object, ...args: unknown[]) => unknown
type Class = (new (...args: unknown[]) => object) & { readonly prototype: object }
interface Modules {
  readonly net: SecuringModules['net']
  readonly tls: SecuringModules['tls']
}

/** `node:net` with several hosts behind it. */
export interface Overlay {
  /** Sockets and servers that programs still hold are nobody's from now on, and nobody hears of it; `node:net` is as before. */
  end(): void
}

/** What a socket of Node's can be asked before it has a connection, and what makes it one of ours. */
const FIRST_CALLS = new Set<PropertyKey>(['connect', 'setTimeout', 'setNoDelay', 'setKeepAlive', 'ref', 'unref'])

/** Those of all that look like Node's that are ours. */
const ours = new WeakSet<object>()
const isOurs = (it: object): boolean => ours.has(it)

/**
 * Lays the sockets and servers of hosts over those of `node:net`: a socket that connects, or a server that listens, while
 * `current()` says on which host its program lives becomes one of that host; where it says null, nothing changes. What is
 * laid over are the methods, not the classes: it does not matter how or when a program came by `net.connect` or
 * `net.Socket`, and `instanceof` holds. (`tls.connect` is replaced: whoever lays this over sees to `syncBuiltinESMExports`.)
 */
export function overlayNodeNet(current: () => NetContext | null): Overlay {
  const require = createRequire(import.meta.url)
  const modules: Modules = { net: require('node:net'), tls: require('node:tls') }
  const Socket = modules.net.Socket as unknown as Class
  const Server = modules.net.Server as unknown as Class
  const sockets = new Set<NetSocket>()
  const servers = new Set<NetServer>()

  /** A socket of Node's class on a handle of ours. */
  function accepted(context: NetContext, options: SocketOptions): NetSocket {
    const { handle: _handle, pauseOnCreate: _pause, ...others } = options
    const socket = new Socket(others) as NetSocket
    setUp(socket, context, options)
    return socket
  }

  function setUp(socket: NetSocket, context: NetContext, options: SocketOptions): void {
    ours.add(socket)
    for (const [name, count] of COUNTS) Object.defineProperty(socket, name, count)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    NetSocket.prototype.setUp.call(socket, context, options)
  }

  function adoptSocket(socket: NetSocket, called: PropertyKey): void {
    const context = current()
    if (context === null || socket.destroyed || socket.connecting) return
    if (socket instanceof modules.tls.TLSSocket && called === 'connect') {
      throw new Error("a simulated host cannot use a tls.connect that was taken from 'node:tls' before the run began")
    }
    if (!socket._handle) setUp(socket, context, askedBefore(socket))
  }

  function adoptServer(server: NetServer): void {
    const context = current()
    if (context === null || server._handle) return
    ours.add(server)
    servers.add(server)
    server.once('close', () => servers.delete(server))
    const { _unref } = server
    const { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark } = server
    NetServer.prototype.setUp.call(server, context, (options) => accepted(context, options))
    Object.assign(server, { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark })
    server._unref = _unref
    if (server instanceof modules.tls.Server) secure(server)
  }

  const security = secureSockets(modules, Socket as never, (it) => typeof it === 'object' && it !== null && isOurs(it))

  /** What it does with each connection wants one it can stand on. */
  function secure(server: NetServer): void {
    for (const listener of server.listeners('connection') as Callback[]) {
      server.off('connection', listener)
      server.on('connection', (socket: NetSocket) =>
        security.securing(socket, () => Reflect.apply(listener, server, [socket])),
      )
    }
  }

  const takeOff = [
    layOver(Socket.prototype, [NetSocket.prototype, TOLD], (socket, called) => {
      if (FIRST_CALLS.has(called)) adoptSocket(socket as NetSocket, called)
    }),
    layOver(Server.prototype, [NetServer.prototype], (server, called) => {
      if (called === 'listen') adoptServer(server as NetServer)
    }),
    security.lay(() => current() !== null),
  ]

  return {
    end() {
      for (const undo of takeOff) undo()
      for (const socket of sockets) {
        socket._idle?.stop()
        socket._handle = null
      }
      for (const server of servers) {
        server._handle = null
        server._connections = 0
      }
    },
  }
}

/**
 * What a socket tells by getters that Node does not let anybody replace: they ask these, or read the counts of the handle,
 * which outlive ours here.
 */
const TOLD = {
  _getpeername(this: NetSocket): object {
    return this._remoteInfo() ?? {}
  },
  _getsockname(this: NetSocket): object {
    return this._localInfo() ?? {}
  },
}
const COUNTS = ['bytesRead', '_bytesDispatched'].map(
  (name) => [name, Object.getOwnPropertyDescriptor(NetSocket.prototype, name)!] as const,
)

/** Closes, without a word to their programs, what they left open on a host: what a system does when they end. */
export function closeLeftOpen({ host }: NetContext): void {
  for (const endpoint of [...host.connections]) {
    const { user } = endpoint as { user?: unknown }
    if (user instanceof Handle) user.close()
  }
}

/**
 * Puts the methods of the layers over those of `nodes`: each asks first whose object it is called on. `before` may make it one
 * of ours. Gives a function that takes them off again.
 */
function layOver(nodes: object, layers: object[], before: (it: object, called: PropertyKey) => void): () => void {
  const were = new Map<PropertyKey, PropertyDescriptor | undefined>()
  for (const layer of layers) {
    for (const name of Reflect.ownKeys(layer)) {
      if (name === 'constructor') continue
      const own = Object.getOwnPropertyDescriptor(nodes, name)
      // getters that ask the methods laid over, and say the same
      if (own?.configurable === false) continue
      const theirs = own ?? inherited(nodes, name)
      were.set(name, own)
      Object.defineProperty(nodes, name, either(Object.getOwnPropertyDescriptor(layer, name)!, theirs, name, before))
    }
  }
  return () => {
    for (const [name, own] of were) {
      if (own === undefined) Reflect.deleteProperty(nodes, name)
      else Object.defineProperty(nodes, name, own)
    }
  }
}

function either(
  layer: PropertyDescriptor,
  theirs: PropertyDescriptor | undefined,
  name: PropertyKey,
  before: (it: object, called: PropertyKey) => void,
): PropertyDescriptor {
  if (layer.get !== undefined) {
    const { get } = layer
    return {
      ...layer,
      get(this: object) {
        return isOurs(this) ? get.call(this) : theirs?.get === undefined ? theirs?.value : theirs.get.call(this)
      },
      set(this: object, value: unknown) {
        if (!isOurs(this) && theirs?.set !== undefined) theirs.set.call(this, value)
        else Object.defineProperty(this, name, { value, configurable: true, writable: true, enumerable: true })
      },
    }
  }
  const method = layer.value as Method
  const value: Method = function (...args) {
    if (!isOurs(this)) before(this, name)
    if (isOurs(this)) return Reflect.apply(method, this, formed(args))
    return Reflect.apply((theirs?.value ?? method) as Method, this, args)
  }
  return { value, configurable: true, writable: true, enumerable: false }
}

function inherited(from: object, name: PropertyKey): PropertyDescriptor | undefined {
  for (let at = Object.getPrototypeOf(from); at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name)
    if (found !== undefined) return found
  }
  return undefined
}

/** Node's `net.connect` hands `[options, callback]` on in one. */
const formed = (args: unknown[]): unknown[] =>
  Array.isArray(args[0]) && args.length === 1 && args[0].length === 2 ? args[0].filter((arg) => arg !== null) : args

/** What a socket of Node's was told when it was made, which it keeps under symbols. */
function askedBefore(socket: NetSocket): SocketOptions {
  const kept = (description: string): unknown => {
    const symbol = Object.getOwnPropertySymbols(socket).find((s) => s.description === description)
    return symbol === undefined ? undefined : (socket as unknown as Record<symbol, unknown>)[symbol]
  }
  const callback = kept('kBufferCb')
  const buffer = kept('kBufferGen') ?? kept('kBuffer')
  const onread = typeof callback === 'function' && buffer ? ({ buffer, callback } as OnRead) : undefined
  return {
    noDelay: Boolean(kept('kSetNoDelay')),
    keepAlive: Boolean(kept('kSetKeepAlive')),
    keepAliveInitialDelay: Number(kept('kSetKeepAliveInitialDelay') ?? 0) * 1000 || 0,
    ...(onread === undefined ? {} : { onread }),
  }
}
