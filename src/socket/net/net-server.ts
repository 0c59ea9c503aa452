import { EventEmitter } from 'node:events'
import { getDefaultHighWaterMark } from 'node:stream'
import { type AddressInfo, isIP } from './addresses.js'
import { type Callback, type EndOptions, flag, formArguments, initialDelay } from './arguments.js'
import { type AddressFilter, blockListOf } from './block-list.js'
import type { ConnectionHandle } from './connection-handle.js'
import type { NetContext } from './context.js'
import {
  alreadyListening,
  argumentType,
  argumentValue,
  checkPort,
  checkSignal,
  listenError,
  notRunning,
  systemError,
} from './errors.js'
import { ListenerHandle } from './listener-handle.js'
import type { NetSocket } from './net-socket.js'
import type { SocketOptions } from './socket-options.js'

const { nextTick } = process

export interface ServerOptions {
  allowHalfOpen?: boolean
  pauseOnConnect?: boolean
  noDelay?: boolean
  keepAlive?: boolean
  /** ms */
  keepAliveInitialDelay?: number
  highWaterMark?: number
  /** Whose connections are closed as soon as they are accepted. */
  blockList?: AddressFilter
}

/** As libuv: 511 where a program does not say. */
const DEFAULT_BACKLOG = 511

/** `net.Server`. Made by `setUp`, not by a constructor, so that it can be called in every way that Node's can. */
export class NetServer extends EventEmitter {
  declare context: NetContext
  declare makeSocket: (options: SocketOptions) => NetSocket
  declare _handle: ListenerHandle | null
  declare _connections: number
  declare _connectionKey: string | undefined
  declare _unref: boolean
  /** A name is looked up on the way to listening. */
  declare _finding: boolean
  declare allowHalfOpen: boolean
  declare pauseOnConnect: boolean
  declare noDelay: boolean
  declare keepAlive: boolean
  /** s */
  declare keepAliveInitialDelay: number
  declare highWaterMark: number
  declare _blockList: AddressFilter | null
  /** Not there: as many as come. */
  declare maxConnections: number
  declare dropMaxConnection: boolean
  /** In Node's types, so that this is one of its servers to them; in no Node that this runs on. */
  declare connections: number
  declare [Symbol.asyncDispose]: () => Promise<void>

  setUp(
    context: NetContext,
    makeSocket: (options: SocketOptions) => NetSocket,
    optionsOrListener?: unknown,
    listener?: unknown,
  ): void {
    const options = serverOptions(optionsOrListener)
    const onConnection = typeof optionsOrListener === 'function' ? optionsOrListener : listener
    this.context = context
    this.makeSocket = makeSocket
    this._handle = null
    this._connections = 0
    this._unref = false
    this._finding = false
    this.allowHalfOpen = options.allowHalfOpen || false
    this.pauseOnConnect = Boolean(options.pauseOnConnect)
    this.noDelay = flag(options.noDelay, 'options.noDelay')
    this.keepAlive = flag(options.keepAlive, 'options.keepAlive')
    this.keepAliveInitialDelay = Math.trunc(initialDelay(options.keepAliveInitialDelay) / 1000)
    this.highWaterMark =
      options.highWaterMark === undefined || options.highWaterMark < 0
        ? getDefaultHighWaterMark(false)
        : options.highWaterMark
    this._blockList = blockListOf(options.blockList)
    if (typeof onConnection === 'function') this.on('connection', onConnection as Callback)
  }

  // --- listening ---

  listen(...args: unknown[]): this {
    const [formed, callback] = formArguments(args)
    if (this._handle !== null || this._finding) throw alreadyListening()
    if (callback !== null) this.once('listening', callback)
    const options = listenOptions(formed, args)
    const backlog = Number(options.backlog) || backlogOf(args) || DEFAULT_BACKLOG
    if (options.signal !== undefined) this._closeOn(options.signal)
    const { port, host, path, fd } = options
    if (typeof fd === 'number' && fd >= 0) {
      // descriptors are the system's
      this._refuse(systemError('EINVAL', 'listen'))
      return this
    }
    if (typeof port === 'number' || typeof port === 'string') {
      const number = checkPort(port, 'options.port')
      const ipv6Only = Boolean(options.ipv6Only)
      if (host) this._listenOnName(host, number, backlog, ipv6Only)
      else this._listenOn(null, number, backlog, ipv6Only)
      return this
    }
    if (typeof path === 'string') {
      // no host here has Unix domain sockets
      this._refuse(listenError('EACCES', path, 0))
      return this
    }
    if (!('port' in options || 'path' in options)) {
      throw argumentValue('options', options, 'must have the property "port" or "path"')
    }
    throw argumentValue('options', options)
  }

  _closeOn(signal: unknown): void {
    checkSignal(signal, 'options.signal')
    const aborted = () => this.close()
    if (signal.aborted) nextTick(aborted)
    else {
      signal.addEventListener('abort', aborted, { once: true })
      this.once('close', () => signal.removeEventListener('abort', aborted))
    }
  }

  _listenOnName(name: string, port: number, backlog: number, ipv6Only: boolean): void {
    if (isIP(name) !== 0) return this._listenOn(name, port, backlog, ipv6Only)
    this._finding = true
    const found = (error: Error | null, address: unknown): void => {
      const wanted = this._finding
      this._finding = false
      if (error) this.emit('error', error)
      else if (wanted) this._listenOn(String(address), port, backlog, ipv6Only)
    }
    this.context.lookup(name, { family: 0, hints: 0 }, found)
  }

  /** @param address null: any, of both families */
  _listenOn(address: string | null, port: number, backlog: number, ipv6Only: boolean): void {
    const place = address ?? '::'
    this._connectionKey = `${isIP(place)}:${place}:${port}`
    const handle = new ListenerHandle(this.context, isIP(place) === 6)
    // what connections ask for they inherit
    if (this.noDelay) handle.setNoDelay(true)
    if (this.keepAlive) handle.setKeepAlive(true, this.keepAliveInitialDelay)
    const error = handle.bindTo(place, port, ipv6Only) ?? handle.listen(backlog)
    if (error !== null) {
      handle.close()
      return this._refuse(listenError(error, place, port))
    }
    handle.onconnection = (_error, accepted) => this._accept(accepted)
    if (this._unref) handle.unref()
    this._handle = handle
    nextTick(() => {
      if (this._handle === handle) this.emit('listening')
    })
  }

  _refuse(error: Error): void {
    nextTick(() => this.emit('error', error))
  }

  _accept(handle: ConnectionHandle): void {
    if (this.maxConnections !== undefined && this._connections >= this.maxConnections) return this._drop(handle)
    const from = handle.remote?.address
    if (from !== undefined && this._blockList?.check(from, isIP(from) === 6 ? 'ipv6' : 'ipv4')) return handle.close()
    const socket = this.makeSocket({
      handle,
      allowHalfOpen: this.allowHalfOpen,
      pauseOnCreate: this.pauseOnConnect,
      readable: true,
      writable: true,
      readableHighWaterMark: this.highWaterMark,
      writableHighWaterMark: this.highWaterMark,
      noDelay: this.noDelay,
      keepAlive: this.keepAlive,
      keepAliveInitialDelay: this.keepAliveInitialDelay * 1000,
    })
    socket.askHandle()
    this._connections++
    socket.server = this
    socket._server = this
    this.emit('connection', socket)
  }

  _drop(handle: ConnectionHandle): void {
    const { local, remote } = handle
    handle.close()
    this.emit('drop', {
      localAddress: local.address,
      localPort: local.port,
      localFamily: local.family,
      remoteAddress: remote?.address,
      remotePort: remote?.port,
      remoteFamily: remote?.family,
    })
  }

  // --- closing ---

  close(callback?: unknown): this {
    if (typeof callback === 'function') {
      const told = callback as (error?: Error) => void
      if (this._handle === null && !this._finding) this.once('close', () => told(notRunning()))
      else this.once('close', () => told())
    }
    this._finding = false
    this._handle?.close()
    this._handle = null
    this._emitCloseIfDrained()
    return this
  }

  _emitCloseIfDrained(): void {
    if (this._handle !== null || this._connections > 0) return
    nextTick(() => this.emit('close'))
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')](): Promise<void> {
    if (this._handle === null) return
    await new Promise<void>((resolve, reject) => {
      this.close((error?: Error) => (error ? reject(error) : resolve()))
    })
  }

  /** What an async listener of `connection` throws ends that connection. */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: string, socket: NetSocket): void {
    if (event === 'connection') socket.destroy(error)
    else this.emit('error', error)
  }

  // --- what it tells ---

  get listening(): boolean {
    return this._handle !== null
  }

  address(): AddressInfo | null {
    return this._handle?.local ?? null
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    nextTick(callback, null, this._connections)
    return this
  }

  ref(): this {
    this._unref = false
    this._handle?.ref()
    return this
  }

  unref(): this {
    this._unref = true
    this._handle?.unref()
    return this
  }
}

function serverOptions(given: unknown): ServerOptions {
  if (typeof given === 'function' || given === null || given === undefined) return {}
  if (typeof given !== 'object') throw argumentType('options', ['Object'], given)
  return { ...given }
}

/** `listen()`, `listen(cb)`, `listen(undefined)` and the like mean any free port. */
function listenOptions(formed: EndOptions, args: readonly unknown[]): EndOptions {
  const anyPort =
    args.length === 0 ||
    typeof args[0] === 'function' ||
    (formed.port === undefined && 'port' in formed) ||
    formed.port === null
  return anyPort ? { ...formed, port: 0 } : formed
}

/** `listen(port, backlog)`, `listen(port, host, backlog)` */
function backlogOf(args: readonly unknown[]): number {
  const number = (value: unknown) => Math.max(0, Number(value) || 0)
  return (args.length > 1 && number(args[1])) || (args.length > 2 && number(args[2])) || 0
}
