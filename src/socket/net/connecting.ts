import { isIP } from './addresses.js'
import type { EndOptions } from './arguments.js'
import { type AddressFilter, blockListOf } from './block-list.js'
import { ConnectionHandle } from './connection-handle.js'
import type { LookupOptions } from './context.js'
import {
  allFailed,
  argumentType,
  bindError,
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNumber,
  checkPort,
  checkString,
  connectError,
  connectionTimeout,
  ipBlocked,
  notAnAddress,
  notAnAddressFamily,
  type SystemError,
} from './errors.js'
import type { NetSocket } from './net-socket.js'

const { nextTick } = process

/** Shortest `autoSelectFamilyAttemptTimeout`, ms. */
export const SHORTEST_ATTEMPT = 10
/** dns.ADDRCONFIG */
const ADDRCONFIG = 32

interface Target {
  readonly host: string
  readonly port: number
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly blockList: AddressFilter | null
}

interface Address {
  readonly text: string
  readonly family: 4 | 6
}

/** Unix domain sockets: no host here has any, and that is what a program is told. */
export function connectToPath(socket: NetSocket, { path }: EndOptions): () => void {
  checkString(path, 'options.path')
  return () => nextTick(() => fail(socket, connectError('ENOENT', path, 0)))
}

/** Checks what it is asked; what is returned finds the address and connects. */
export function connectByName(socket: NetSocket, options: EndOptions): () => void {
  const { localAddress, localPort } = options
  const host = options.host || 'localhost'
  if (localAddress && isIP(localAddress) === 0) throw notAnAddress(localAddress)
  if (localPort) checkNumber(localPort, 'options.localPort')
  if (options.port !== undefined && typeof options.port !== 'number' && typeof options.port !== 'string') {
    throw argumentType('options.port', ['number', 'string'], options.port)
  }
  const port = checkPort(options.port)
  const { selection } = socket.context
  const { autoSelectFamily = selection.on, autoSelectFamilyAttemptTimeout: given } = options
  if (options.autoSelectFamily !== undefined && options.autoSelectFamily !== null) {
    checkBoolean(autoSelectFamily, 'options.autoSelectFamily')
  }
  let patience = selection.attemptTimeout
  if (given !== undefined) {
    checkInteger(given, 'options.autoSelectFamilyAttemptTimeout', 1)
    patience = Math.max(SHORTEST_ATTEMPT, given)
  }
  const target: Target = {
    host,
    port,
    localAddress: localAddress || undefined,
    localPort: localPort || undefined,
    blockList: blockListOf(options.blockList),
  }
  const family = isIP(host)
  if (family !== 0) {
    return () =>
      nextTick(() => {
        if (socket.connecting) connectTo(socket, target, { text: host, family })
      })
  }
  if (options.lookup !== undefined && options.lookup !== null) checkFunction(options.lookup, 'options.lookup')
  else checkString(host, 'hostname')
  return () => {
    socket._host = host
    const asked = lookupOptions(options)
    if (autoSelectFamily && asked.family === 0 && localAddress === undefined)
      findAll(socket, target, options, asked, patience)
    else findOne(socket, target, options, asked)
  }
}

function lookupOptions({ family, hints }: EndOptions): LookupOptions {
  const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family
  const number = wanted === 4 || wanted === 6 ? wanted : 0
  return { family: number, hints: hints || (number === 0 ? ADDRCONFIG : 0) }
}

type AnyLookup = (name: string, options: LookupOptions, callback: (...found: never[]) => void) => void

const lookupOf = (socket: NetSocket, { lookup }: EndOptions): AnyLookup =>
  (lookup as AnyLookup | undefined) ?? (socket.context.lookup as AnyLookup)

function findOne(socket: NetSocket, target: Target, options: EndOptions, asked: LookupOptions): void {
  lookupOf(socket, options)(target.host, asked, (error: SystemError | null, text: string, family: number) => {
    socket.emit('lookup', error, text, family, target.host)
    if (!socket.connecting) return
    if (error) return failSoon(socket, error)
    const fault = faultOf(text, family, target)
    if (fault !== null) return failSoon(socket, fault)
    socket._unrefTimer()
    connectTo(socket, target, { text, family: family as 4 | 6 })
  })
}

/** Every address, those of the families by turns, the first one's first (RFC 8305 4). */
function findAll(socket: NetSocket, target: Target, options: EndOptions, asked: LookupOptions, patience: number): void {
  type Found = { address: string; family: number }[]
  lookupOf(socket, options)(target.host, { ...asked, all: true }, (error: SystemError | null, found: Found) => {
    if (!socket.connecting) return
    if (error) {
      socket.emit('lookup', error, undefined, undefined, target.host)
      return failSoon(socket, error)
    }
    let fault: Error | null = null
    const good: Address[] = []
    for (const { address: text, family } of found) {
      socket.emit('lookup', error, text, family, target.host)
      const wrong = faultOf(text, family, target)
      if (wrong === null) good.push({ text, family: family as 4 | 6 })
      else fault ??= wrong
    }
    if (!socket.connecting) return
    if (good.length === 0) return failSoon(socket, fault ?? notAnAddress(undefined))
    socket._unrefTimer()
    const ordered = byTurns(good)
    if (ordered.length === 1) return connectTo(socket, target, ordered[0]!)
    socket._attempts = new Attempts(socket, target, ordered, patience)
    socket._attempts.next()
  })
}

function byTurns(addresses: readonly Address[]): Address[] {
  const first = addresses.filter((a) => a.family === addresses[0]!.family)
  const others = addresses.filter((a) => a.family !== addresses[0]!.family)
  return Array.from({ length: Math.max(first.length, others.length) }, (_, i) => [first[i], others[i]])
    .flat()
    .filter((a) => a !== undefined)
}

function faultOf(text: unknown, family: unknown, { host, port }: Target): Error | null {
  if (typeof text !== 'string' || isIP(text) === 0) return notAnAddress(text)
  return family === 4 || family === 6 ? null : notAnAddressFamily(family, host, port)
}

const failSoon = (socket: NetSocket, error: Error): void => nextTick(() => fail(socket, error))

function fail(socket: NetSocket, error: Error): void {
  if (socket.connecting || !socket.destroyed) socket.destroy(error)
}

/** The only address there is. */
function connectTo(socket: NetSocket, target: Target, address: Address): void {
  const handle = socket._handle!
  handle.toFamily(address.family === 6)
  const error = begin(handle, target, address, (failed) => {
    if (socket.destroyed || socket._handle !== handle) return
    if (failed === null) socket.connected()
    else socket.destroy(attemptError(failed, target, address))
  })
  if (error !== null) return void socket.destroy(error)
  socket.emit('connectionAttempt', address.text, target.port, address.family)
}

/** Binds where it was asked for, and connects. */
function begin(
  handle: ConnectionHandle,
  target: Target,
  { text, family }: Address,
  done: (failed: string | null) => void,
): Error | null {
  const { localAddress, localPort, port, blockList } = target
  if (blockList?.check(text, `ipv${family}`)) return ipBlocked(text)
  if (localAddress !== undefined || localPort !== undefined) {
    const from = localAddress ?? (family === 6 ? '::' : '0.0.0.0')
    const error = handle.bindTo(from, localPort ?? 0)
    if (error !== null) return bindError(error, from, localPort ?? 0)
  }
  const error = handle.connect(text, port, done)
  if (error === null) return null
  const { address, port: bound } = handle.local
  return connectError(error, text, port, `${address}:${bound}`)
}

function attemptError(code: string, target: Target, { text }: Address): SystemError {
  const { localAddress, localPort, port } = target
  const local = localAddress !== undefined && localPort !== undefined ? `${localAddress}:${localPort}` : undefined
  const error = connectError(code, text, port, local)
  if (localAddress !== undefined) error.localAddress = localAddress
  if (localPort !== undefined) error.localPort = localPort
  return error
}

/** Connection attempts to one address after the other: the next begins when one fails or takes long. The first wins. */
export class Attempts {
  readonly #socket: NetSocket
  readonly #target: Target
  readonly #addresses: readonly Address[]
  /** ms */
  readonly #patience: number
  readonly #errors: Error[] = []
  #at = 0
  #timer: unknown = null
  /** The attempt that runs; null: none does. */
  #handle: ConnectionHandle | null = null

  constructor(socket: NetSocket, target: Target, addresses: readonly Address[], patience: number) {
    this.#socket = socket
    this.#target = target
    this.#addresses = addresses
    this.#patience = patience
    socket.autoSelectFamilyAttemptedAddresses = []
  }

  next(): void {
    this.#noTimer()
    const socket = this.#socket
    const { port } = this.#target
    const address = this.#addresses[this.#at++]
    if (address === undefined) return this.#exhausted()
    const { text, family } = address
    socket.autoSelectFamilyAttemptedAddresses.push(`${text}:${port}`)
    const handle = ConnectionHandle.unconnected(socket.context, family === 6)
    this.#handle = handle
    socket.emit('connectionAttempt', text, port, family)
    const error = begin(handle, this.#target, address, (failed) => this.#done(handle, address, failed))
    if (error !== null) return this.#failed(handle, address, error)
    if (this.#at === this.#addresses.length) return
    this.#timer = socket.context.timers.setTimeout(() => this.#late(handle, address), this.#patience)
  }

  stop(): void {
    this.#noTimer()
    this.#handle?.close()
    this.#handle = null
    this.#at = this.#addresses.length
  }

  #late(handle: ConnectionHandle, address: Address): void {
    this.#timer = null
    this.#socket.emit('connectionAttemptTimeout', address.text, this.#target.port, address.family)
    this.#errors.push(attemptError('ETIMEDOUT', this.#target, address))
    handle.close()
    if (this.#socket.connecting) this.next()
  }

  #done(handle: ConnectionHandle, address: Address, failed: string | null): void {
    if (this.#handle !== handle || !this.#socket.connecting) return handle.close()
    if (failed !== null) return this.#failed(handle, address, attemptError(failed, this.#target, address))
    this.#noTimer()
    const socket = this.#socket
    const before = socket._handle
    this.#handle = null
    socket._attempts = null
    socket.stand(handle)
    before?.close()
    socket.connected()
  }

  #failed(handle: ConnectionHandle, { text, family }: Address, error: Error): void {
    this.#errors.push(error)
    handle.close()
    this.#socket.emit('connectionAttemptFailed', text, this.#target.port, family, error)
    if (this.#socket.connecting) this.next()
  }

  #exhausted(): void {
    this.#handle = null
    this.#socket.destroy(this.#errors.length === 0 ? connectionTimeout() : allFailed(this.#errors))
  }

  #noTimer(): void {
    if (this.#timer !== null) this.#socket.context.timers.clearTimeout(this.#timer)
    this.#timer = null
  }
}
