import { formArguments } from './arguments.js'
import { NetSocket } from './net-socket.js'

type Constructor = { (...args: unknown[]): unknown; prototype: object } & (new (...args: unknown[]) => object)

/** `node:net` as it is replaced, and `node:tls`. */
export interface SecuringModules {
  readonly net: {
    Socket: Constructor
    Server: Constructor
    connect(options: object): unknown
    [name: string]: unknown
  }
  readonly tls: {
    TLSSocket: Constructor
    Server: Constructor
    connect(...args: unknown[]): unknown
  }
}

const isNodes = Function.prototype[Symbol.hasInstance]

/** What a secure socket tells of its connection, and asks of it. */
const TOLD = ['localAddress', 'localPort', 'localFamily', 'remoteAddress', 'remotePort', 'remoteFamily'] as const
const ASKED = ['address', 'setNoDelay', 'setKeepAlive', 'ref', 'unref'] as const

interface SecureSocket {
  _parent: NetSocket
  connecting: boolean
  emit(event: string, ...args: unknown[]): boolean
  setTimeout(ms: number): unknown
}

/** How `tls` comes to stand on sockets of ours. */
export interface SecureSockets {
  /** Runs what makes a secure socket on `socket`. */
  securing<T>(socket: NetSocket, make: () => T): T
  /**
   * `tls.connect` and `tls.TLSSocket` stand on sockets of ours, those they make themselves where `here()` says so. Gives a
   * function that takes it back.
   */
  lay(here: () => boolean): () => void
}

/**
 * Lets `tls` stand on sockets of ours: the inside of a secure socket wants a handle of the system, or else takes the
 * socket below for a stream like any other, which ours must then look like.
 * @param nodesSocket `net.Socket` as Node made it
 */
export function secureSockets(
  { net, tls }: SecuringModules,
  nodesSocket: Constructor,
  isOurs: (it: unknown) => boolean,
): SecureSockets {
  const nodes = { connect: tls.connect, TLSSocket: tls.TLSSocket }

  /** Runs what makes a secure socket on `socket`; meanwhile `net.Socket` is Node's, and so ours is none. */
  function securing<T>(socket: NetSocket, make: () => T): T {
    const { Socket } = net
    let secure: SecureSocket | null = null
    function NodesSocket(this: object, options: unknown): unknown {
      if (this instanceof nodes.TLSSocket) secure = this as unknown as SecureSocket
      return Reflect.apply(nodesSocket, this, [options])
    }
    NodesSocket.prototype = nodesSocket.prototype
    Object.defineProperty(NodesSocket, Symbol.hasInstance, {
      value: (it: object) => isNodes.call(nodesSocket, it) && !isOurs(it),
    })
    net.Socket = NodesSocket as unknown as Constructor
    try {
      return make()
    } finally {
      net.Socket = Socket
      if (secure !== null) join(secure, socket)
    }
  }

  const connectOn =
    (here: () => boolean): SecuringModules['tls']['connect'] =>
    (...args) => {
      const [formed, callback] = formArguments(args)
      const more = args.find((arg, i): arg is object => i > 0 && typeof arg === 'object' && arg !== null)
      const options: Record<string, unknown> = { ...formed, ...more }
      const { socket: given, timeout, onread: _onread, ...connection } = options
      const standsOnOther = given ? !isOurs(given) : Boolean(options.path) || !here()
      if (standsOnOther) return nodes.connect(...args)
      const socket = (given || net.connect(connection)) as NetSocket
      const secure = securing(socket, () => nodes.connect({ ...options, socket }, callback)) as SecureSocket
      if (!given && timeout) secure.setTimeout(timeout as number)
      return secure
    }

  const TLSSocket = new Proxy(nodes.TLSSocket, {
    construct(target, [socket, ...more], made) {
      const make = () => Reflect.construct(target, [socket, ...more], made)
      return isOurs(socket) ? securing(socket, make) : make()
    },
  })

  return {
    securing,
    lay(here) {
      Object.assign(tls, { connect: connectOn(here), TLSSocket })
      return () => Object.assign(tls, nodes)
    },
  }
}

/** `tls` stands on sockets of ours, and its servers do. Gives a function that takes it back. */
export function giveTlsItsSockets(modules: SecuringModules, nodesSocket: Constructor): () => void {
  const { net, tls } = modules
  const { securing, lay } = secureSockets(modules, nodesSocket, (it) => it instanceof NetSocket)
  const takeBack = lay(() => true)
  const ours = { Server: net.Server }

  /** `tls.Server` calls this with what makes secure sockets of those it is given. */
  function Server(this: unknown, options: unknown, listener: unknown): unknown {
    if (!(this instanceof tls.Server)) return Reflect.apply(ours.Server, this, [options, listener])
    const secure = (socket: NetSocket) => securing(socket, () => Reflect.apply(listener as () => void, this, [socket]))
    return Reflect.apply(ours.Server, this, [options, secure])
  }
  Server.prototype = ours.Server.prototype
  net.Server = Object.setPrototypeOf(Server, ours.Server) as Constructor

  return () => {
    takeBack()
    net.Server = ours.Server
  }
}

/** What `tls` does for sockets it knows. */
function join(secure: SecureSocket, socket: NetSocket): void {
  secure._parent = socket
  for (const name of TOLD) Object.defineProperty(secure, name, { configurable: true, get: () => socket[name] })
  for (const name of ASKED) {
    const ask = (...args: never[]): unknown => {
      const told: unknown = Reflect.apply(socket[name], socket, args)
      return told === socket ? secure : told
    }
    Object.defineProperty(secure, name, { configurable: true, writable: true, value: ask })
  }
  if (!socket.connecting) return
  secure.connecting = true
  socket.on('lookup', (...found) => secure.emit('lookup', ...found))
  socket.once('connect', () => {
    secure.connecting = false
    secure.emit('connect')
    secure.emit('ready')
  })
}
