import { createRequire, syncBuiltinESMExports } from 'node:module'
import { giveTlsItsSockets, type SecuringModules } from './install-tls.js'
import type { Net } from './net.js'
import { NetSocket } from './net-socket.js'
import type { SocketOptions } from './socket-options.js'

type Constructor = { (...args: unknown[]): unknown; prototype: object } & (new (...args: unknown[]) => object)

/**
 * Puts `net` in the place of `node:net`, however and whenever a program imports it: `net.connect`, `http`, `https`, `tls`,
 * `ws`, database clients and the like live on the host from now on. Sockets of the system that are not TCP (pipes to child
 * processes, standard output) stay Node's, and so do servers that were made before. Gives a function that puts `node:net`
 * back.
 */
export function replaceNodeNet(net: Net): () => void {
  const require = createRequire(import.meta.url)
  const tls = require('node:tls') as SecuringModules['tls']
  const http = require('node:http') as { Server: Constructor; Agent: { prototype: { createConnection: unknown } } }
  const module = require('node:net') as SecuringModules['net']
  const before = Object.getOwnPropertyDescriptors(module)
  const [nodesSocket, nodesServer] = [module.Socket, module.Server]
  const Socket = eitherSocket(net.Socket as unknown as Constructor, nodesSocket)
  for (const [name, value] of Object.entries({ ...net, Socket, Stream: Socket })) {
    Object.defineProperty(module, name, { value, configurable: true, enumerable: true, writable: true })
  }
  // what these took from `net` when they were loaded
  Object.setPrototypeOf(http.Server.prototype, net.Server.prototype)
  Object.setPrototypeOf(tls.Server.prototype, net.Server.prototype)
  const agents = http.Agent.prototype
  const { createConnection } = agents
  agents.createConnection = net.createConnection
  const takeBackSecuring = giveTlsItsSockets({ net: module, tls }, nodesSocket)
  syncBuiltinESMExports()
  return () => {
    takeBackSecuring()
    agents.createConnection = createConnection
    for (const { prototype } of [http.Server, tls.Server]) Object.setPrototypeOf(prototype, nodesServer.prototype)
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
  Object.defineProperty(Socket, Symbol.hasInstance, {
    value(this: Constructor, value: unknown): boolean {
      const isOne = (of: Constructor) => Function.prototype[Symbol.hasInstance].call(of, value)
      return isOne(this) || (this === made && isOne(nodes))
    },
  })
  Object.defineProperty(ours.prototype, 'constructor', { value: Socket, configurable: true, writable: true })
  const made = Object.setPrototypeOf(Socket, ours) as Constructor
  return made
}
