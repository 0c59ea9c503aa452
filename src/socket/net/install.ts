import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { Net } from './net.js'
import { NetSocket } from './net-socket.js'
import type { SocketOptions } from './socket-options.js'

type Module = Record<string, unknown> & { Socket: Constructor }
type Constructor = { (...args: unknown[]): unknown; prototype: object } & (new (...args: unknown[]) => object)

/**
 * Puts `net` in the place of `node:net`, however a program imports it: `net.connect`, `http` (loaded after this), `ws`,
 * database clients and the like live on the host from now on. Sockets of the system that are not TCP (pipes to child
 * processes, standard output, the inside of `tls`) stay Node's. Gives a function that puts `node:net` back.
 */
export function replaceNodeNet(net: Net): () => void {
  const require = createRequire(import.meta.url)
  // it keeps the sockets it was made of: those of the system
  require('node:tls')
  const module = require('node:net') as Module
  const before = Object.getOwnPropertyDescriptors(module)
  const Socket = eitherSocket(net.Socket as unknown as Constructor, module.Socket)
  for (const [name, value] of Object.entries({ ...net, Socket, Stream: Socket })) {
    Object.defineProperty(module, name, { value, configurable: true, enumerable: true, writable: true })
  }
  syncBuiltinESMExports()
  return () => {
    Object.defineProperties(module, before)
    syncBuiltinESMExports()
  }
}

/** Makes a socket of Node's where it is given something of the system to stand on, or is asked by one of its classes. */
function eitherSocket(ours: Constructor, nodes: Constructor): Constructor {
  function Socket(this: unknown, options?: SocketOptions | number): unknown {
    const ofSystem = typeof options === 'number' || options?.fd !== undefined || Boolean(options?.handle)
    if (this instanceof nodes) return Reflect.apply(nodes, this, [options])
    if (ofSystem) return new nodes(options)
    if (!(this instanceof NetSocket)) return new ours(options)
    return Reflect.apply(ours, this, [options])
  }
  Socket.prototype = ours.prototype
  Object.defineProperty(ours.prototype, 'constructor', { value: Socket, configurable: true, writable: true })
  return Object.setPrototypeOf(Socket, ours) as Constructor
}
