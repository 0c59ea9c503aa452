import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import type { Errno } from '../errno.js'
import type { AddressInfo } from './addresses.js'
import { type EndOptions, formArguments, initialDelay, type OnRead } from './arguments.js'
import { type Attempts, connectByName, connectToPath } from './connecting.js'
import { ConnectionHandle, type Reader } from './connection-handle.js'
import type { NetContext } from './context.js'
import {
  abortError,
  checkDuration,
  checkFunction,
  closedBeforeConnection,
  missingArguments,
  socketClosed,
  systemError,
} from './errors.js'
import { IdleTimeout } from './idle-timeout.js'
import type { NetServer } from './net-server.js'
import { bufferOf, onreadOf, type SocketOptions } from './socket-options.js'
import { lengthOf, octetsOf, refuseWritesAfterEnd, type WrittenChunk } from './writing.js'

const { nextTick } = process

type WriteCallback = (error?: Error | null) => void

/**
 * `net.Socket`: a connection as a Duplex stream. Made by `setUp`, not by a constructor, so that `net.Socket` can be called
 * in every way that Node's can.
 */
export class NetSocket extends Duplex implements Reader {
  declare context: NetContext
  declare _handle: ConnectionHandle | null
  declare connecting: boolean
  /** Set by a server to itself. */
  declare server: NetServer | null
  declare _server: NetServer | null
  /** ms of `setTimeout`; undefined: never set. */
  declare timeout: number | undefined
  /** Not there before several addresses are tried. */
  declare autoSelectFamilyAttemptedAddresses: string[]
  /** The name that is connected to, for errors of `tls`. */
  declare _host: string | null
  declare _parent: NetSocket | null
  declare _attempts: Attempts | null
  declare _read_: number
  declare _dispatched: number
  /** null: there never was a time-out. */
  declare _idle: IdleTimeout | null
  /** Octets that waited for room in the send buffer when a write was made or the time-out came. */
  declare _waitingBefore: number
  declare _onread: OnRead | null
  declare _ownBuffer: Uint8Array | null
  declare _pendingData: string | Buffer | WrittenChunk[] | null
  declare _pendingEncoding: BufferEncoding | ''
  /** It was asked for text before it was connected. */
  declare _wantsText: boolean
  declare _resetting: boolean
  declare _noDelay: boolean
  declare _keepAlive: boolean
  /** s */
  declare _keepAliveDelay: number
  declare _unref: boolean
  declare _local: AddressInfo | null
  declare _remote: AddressInfo | null

  setUp(context: NetContext, options: SocketOptions): void {
    this.context = context
    this.connecting = false
    this.server = null
    this._server = null
    this._host = null
    this._parent = null
    this._attempts = null
    this._read_ = 0
    this._dispatched = 0
    this._idle = null
    this._waitingBefore = 0
    this._pendingData = null
    this._pendingEncoding = ''
    this._wantsText = false
    this._resetting = false
    this._noDelay = Boolean(options.noDelay)
    this._keepAlive = Boolean(options.keepAlive)
    this._keepAliveDelay = Math.trunc(initialDelay(options.keepAliveInitialDelay) / 1000)
    this._unref = false
    this._local = null
    this._remote = null
    this._onread = onreadOf(options)
    this._ownBuffer = this._onread === null ? null : bufferOf(this._onread)
    this._handle = options.handle ?? null
    this.on('end', refuseWritesAfterEnd)
    if (options.signal !== undefined) destroyOn(this, options.signal)
    if (this._handle === null) return
    this.stand(this._handle)
    if (options.pauseOnCreate) {
      // as if it had been paused: nothing is read until `resume`
      this.pause()
    } else if (!options.manualStart) this.read(0)
  }

  /** From now on it stands on a handle. */
  stand(handle: ConnectionHandle): void {
    this._handle = handle
    this._local = null
    this._resetting = false
    this._read_ = 0
    this._dispatched = 0
    handle.reader = this
    if (this._unref) handle.unref()
  }

  // --- connecting ---

  connect(...args: unknown[]): this {
    const [options, callback] = formArguments(args)
    if (Object.hasOwn(this, 'write')) Reflect.deleteProperty(this, 'write')
    if (this.destroyed) {
      this._handle = null
      this._remote = null
    }
    const isPath = Boolean(options.path)
    const start = isPath ? connectToPath(this, options) : this._prepared(options)
    if (this._handle === null) {
      ;(this as unknown as { _undestroy(): void })._undestroy()
      this.stand(ConnectionHandle.unconnected(this.context, false))
    }
    if (callback !== null) this.once('connect', callback)
    this._idle?.active()
    this.connecting = true
    start()
    return this
  }

  _prepared(options: EndOptions): () => void {
    if (options.port === undefined || options.port === null) {
      if (options.port === undefined && options.path === undefined) throw missingArguments('options', 'port', 'path')
    }
    return connectByName(this, options)
  }

  /** A handle has its connection. */
  connected(): void {
    this.connecting = false
    this._local = null
    this._idle?.active()
    this.askHandle()
    if (this._wantsText) {
      this._wantsText = false
      this._handle!.readStart()
    }
    this.emit('connect')
    this.emit('ready')
    if (this.readable && !this.isPaused()) this.read(0)
  }

  /** Asks of its connection what it was asked before it had one. */
  askHandle(): void {
    if (this._noDelay) this._handle!.setNoDelay(true)
    if (this._keepAlive) this._handle!.setKeepAlive(true, this._keepAliveDelay)
  }

  get _connecting(): boolean {
    return this.connecting
  }

  get pending(): boolean {
    return this._handle === null || this.connecting
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening'
    if (this.readable) return this.writable ? 'open' : 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  // --- reading ---

  override _read(_size: number): void {
    if (this.connecting || this._handle === null) this._wantsText = true
    else this._handle.readStart()
  }

  /** The buffer of `onread`; null: text comes as it is. */
  get buffer(): Uint8Array | null {
    return this._ownBuffer
  }

  textArrived(chunk: Buffer | null, count: number): void {
    if (this.destroyed) return
    this._read_ += count
    this._idle?.active()
    const wantsMore = chunk === null ? this._textInBuffer(count) : this.push(chunk)
    if (!wantsMore) this._handle?.readStop()
  }

  _textInBuffer(count: number): boolean {
    const onread = this._onread!
    const goesOn = onread.callback.call(this, count, this._ownBuffer!) !== false
    if (typeof onread.buffer === 'function') this._ownBuffer = onread.buffer()
    return goesOn
  }

  endArrived(): void {
    if (this.destroyed) return
    this.push(null)
    this.read(0)
  }

  readFailed(error: Errno): void {
    this.destroy(systemError(error, 'read'))
  }

  override pause(): this {
    if (this._onread !== null && !this.connecting && !this.destroyed) this._handle?.readStop()
    return super.pause()
  }

  override resume(): this {
    this._readOn()
    return super.resume()
  }

  override read(size?: number): unknown {
    this._readOn()
    return super.read(size)
  }

  /** With `onread`, the stream itself never asks. */
  _readOn(): void {
    if (this._onread !== null && !this.connecting && this._handle !== null) this._handle.readStart()
  }

  // --- writing ---

  override _write(data: string | Buffer, encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.connecting) return this._writeWhenConnected(data, encoding, callback)
    const handle = this._handle
    if (handle === null) return callback(socketClosed())
    this._idle?.active()
    const octets = octetsOf(data, encoding)
    this._dispatched += octets.length
    const taken = handle.writeNow(octets)
    this._waitingBefore = 0
    if (typeof taken === 'string') callback(systemError(taken, 'write'))
    else if (taken < octets.length) this._writeText([taken === 0 ? octets : octets.subarray(taken)], handle, callback)
    else callback()
  }

  override _writev(chunks: WrittenChunk[], callback: WriteCallback): void {
    if (this.connecting) return this._writeWhenConnected(chunks, '', callback)
    const handle = this._handle
    if (handle === null) return callback(socketClosed())
    this._idle?.active()
    const octets = chunks.map(({ chunk, encoding }) => octetsOf(chunk, encoding))
    for (const chunk of octets) this._dispatched += chunk.length
    this._writeText(octets, handle, callback)
  }

  _writeText(chunks: readonly Buffer[], handle: ConnectionHandle, callback: WriteCallback): void {
    const error = handle.write(chunks, this._whenWritten(callback))
    this._waitingBefore = handle.writeQueueSize
    if (error === null) callback()
    else if (error !== 'waits') callback(systemError(error, 'write'))
  }

  _whenWritten(callback: WriteCallback): (failed: Errno | null) => void {
    return (failed) => {
      if (this.destroyed) return callback(null)
      this._idle?.active()
      callback(failed === null ? null : systemError(failed, 'write'))
    }
  }

  _writeWhenConnected(
    data: string | Buffer | WrittenChunk[],
    encoding: BufferEncoding | '',
    callback: WriteCallback,
  ): void {
    this._pendingData = data
    this._pendingEncoding = encoding
    const closed = () => callback(closedBeforeConnection())
    this.once('connect', () => {
      this.off('close', closed)
      this._pendingData = null
      this._pendingEncoding = ''
      if (Array.isArray(data)) this._writev(data, callback)
      else this._write(data, encoding as BufferEncoding, callback)
    })
    this.once('close', closed)
  }

  override _final(callback: WriteCallback): void {
    if (this.connecting) {
      this.once('connect', () => this._final(callback))
      return
    }
    if (this._handle === null) return callback()
    this._handle.shutdown((error) => {
      if (error === null || error === 'ENOTCONN' || this.destroyed) callback()
      else callback(systemError(error, 'shutdown'))
    })
  }

  // --- closing ---

  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.connecting = false
    this._idle?.stop()
    this._attempts?.stop()
    const handle = this._handle
    const failed = Boolean(error)
    if (handle !== null) {
      const told = () => this.emit('close', failed)
      callback(error)
      if (this._resetting) handle.reset(told)
      else handle.close(told)
      handle.reader = null
      this._handle = null
      this._local = null
    } else {
      callback(error)
      nextTick(() => this.emit('close', failed))
    }
    if (this._server === null) return
    this._server._connections--
    this._server._emitCloseIfDrained()
    this._server = null
  }

  /** Closes when everything is written. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  resetAndDestroy(): this {
    if (this._handle === null) this.destroy(socketClosed())
    else if (this.connecting) this.once('connect', () => this._reset())
    else this._reset()
    return this
  }

  _reset(): void {
    this._resetting = true
    this.destroy()
  }

  // --- time ---

  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this
    this.timeout = ms
    const after = checkDuration(ms, 'msecs')
    if (callback !== undefined) checkFunction(callback, 'callback')
    if (after > 0) this._idle ??= new IdleTimeout(this.context, () => this._onTimeout())
    this._idle?.set(after)
    if (callback === undefined) return this
    if (after === 0) this.removeListener('timeout', callback)
    else this.once('timeout', callback)
    return this
  }

  /** What waits to be written goes on: that is not idle. */
  _onTimeout(): void {
    const waiting = this._handle?.writeQueueSize ?? 0
    const progress = this._waitingBefore > 0 && waiting !== this._waitingBefore
    this._waitingBefore = waiting
    if (progress) this._idle?.active()
    else this.emit('timeout')
  }

  _unrefTimer(): void {
    this._idle?.active()
  }

  // --- options ---

  setNoDelay(on?: boolean): this {
    const wanted = on === undefined ? true : Boolean(on)
    if (this._handle === null || this.connecting) this._noDelay = wanted
    else if (wanted !== this._noDelay) {
      this._noDelay = wanted
      this._handle.setNoDelay(wanted)
    }
    return this
  }

  setKeepAlive(on?: boolean, delay = 0): this {
    const wanted = Boolean(on)
    const seconds = Math.trunc(delay / 1000)
    const same = wanted === this._keepAlive && seconds === this._keepAliveDelay
    this._keepAlive = wanted
    this._keepAliveDelay = seconds
    if (this._handle !== null && !this.connecting && !same) this._handle.setKeepAlive(wanted, seconds)
    return this
  }

  ref(): this {
    this._unref = false
    if (this._handle === null) this.once('connect', this.ref)
    else if (typeof this._handle.ref === 'function') this._handle.ref()
    return this
  }

  unref(): this {
    this._unref = true
    if (this._handle === null) this.once('connect', this.unref)
    else if (typeof this._handle.unref === 'function') this._handle.unref()
    return this
  }

  // --- what it tells ---

  get bytesRead(): number {
    return this._read_
  }

  get bytesWritten(): number {
    let octets = this._dispatched
    const state = (this as unknown as { _writableState: { getBuffer(): WrittenChunk[] } | undefined })._writableState
    // asked of the prototype, it has nothing to say
    if (state === undefined) return octets
    octets += lengthOf(state.getBuffer())
    const pending = this._pendingData
    if (Array.isArray(pending)) octets += lengthOf(pending)
    else if (pending !== null) octets += Buffer.byteLength(pending, (this._pendingEncoding || 'utf8') as BufferEncoding)
    return octets
  }

  get _bytesDispatched(): number {
    return this._dispatched
  }

  get bufferSize(): number {
    return this.writableLength
  }

  address(): AddressInfo | Record<string, never> {
    return this._localInfo() ?? {}
  }

  get localAddress(): string | undefined {
    return this._localInfo()?.address
  }

  get localPort(): number | undefined {
    return this._localInfo()?.port
  }

  get localFamily(): string | undefined {
    return this._localInfo()?.family
  }

  get remoteAddress(): string | undefined {
    return this._remoteInfo()?.address
  }

  get remotePort(): number | undefined {
    return this._remoteInfo()?.port
  }

  get remoteFamily(): string | undefined {
    return this._remoteInfo()?.family
  }

  _localInfo(): AddressInfo | null {
    if (this._local === null && this._handle !== null) this._local = this._handle.local
    return this._local
  }

  _remoteInfo(): AddressInfo | null {
    if (this._remote === null && this._handle !== null && !this.connecting) this._remote = this._handle.remote
    return this._remote
  }
}

function destroyOn(socket: NetSocket, signal: AbortSignal): void {
  const aborted = () => void socket.destroy(abortError(signal.reason))
  if (signal.aborted) return nextTick(aborted)
  signal.addEventListener('abort', aborted, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', aborted))
}
