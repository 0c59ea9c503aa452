import { inspect } from 'node:util'
import { errnoNumber } from '../errno.js'

/** An error of the system as Node throws it. */
export interface SystemError extends Error {
  errno?: number
  code: string
  syscall?: string
  address?: string
  port?: number
  localAddress?: string
  localPort?: number
}

/** What Node's libuv says of an error where a call names the address it was about. */
const EXPLAINED: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available',
  EAFNOSUPPORT: 'address family not supported',
  EINVAL: 'invalid argument',
  ENOBUFS: 'no buffer space available',
  ENOTSUP: 'operation not supported on socket',
}

/** libuv's number of an error: the system's, negative. */
const errnoOf = (code: string): number => -errnoNumber(code === 'ENOTSUP' ? 'EOPNOTSUPP' : code, 'linux')

/** `read ECONNRESET` */
export function systemError(code: string, syscall: string): SystemError {
  return Object.assign(new Error(`${syscall} ${code}`), { errno: errnoOf(code), code, syscall })
}

const place = (address: string, port: number): string => (port > 0 ? `${address}:${port}` : address)

/** `connect ECONNREFUSED 192.0.2.1:80 - Local (192.0.2.2:0)` */
export function connectError(code: string, address: string, port: number, local?: string): SystemError {
  return placeError('connect', code, address, port, local === undefined ? '' : ` - Local (${local})`)
}

/** `bind EADDRNOTAVAIL 192.0.2.2` */
export const bindError = (code: string, address: string, port: number): SystemError =>
  placeError('bind', code, address, port, '')

function placeError(syscall: string, code: string, address: string, port: number, more: string): SystemError {
  const error: SystemError = Object.assign(new Error(`${syscall} ${code} ${place(address, port)}${more}`), {
    errno: errnoOf(code),
    code,
    syscall,
    address,
  })
  if (port > 0) error.port = port
  return error
}

/** `listen EADDRINUSE: address already in use :::80` */
export function listenError(code: string, address: string, port: number): SystemError {
  const text = EXPLAINED[code] ?? code
  const error: SystemError = Object.assign(new Error(`listen ${code}: ${text} ${place(address, port)}`), {
    code,
    errno: errnoOf(code),
    syscall: 'listen',
    address,
  })
  if (port > 0) error.port = port
  return error
}

type ErrorConstructor = new (message: string, options?: ErrorOptions) => Error

/** An error with a code of Node's; its stack begins `TypeError [ERR_…]: …` as Node's does. */
function coded<T extends Error>(error: T, code: string): T & { code: string } {
  const { name } = error
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true, writable: true })
  void error.stack
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true, enumerable: false })
  Reflect.deleteProperty(error, 'name')
  return Object.assign(error, { code })
}

const make = (Base: ErrorConstructor, code: string, message: string, options?: ErrorOptions) =>
  coded(new Base(message, options), code)

/** How Node names a value it did not expect. */
function received(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') {
    const name = value.constructor?.name
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 })
  }
  const text = inspect(value, { colors: false })
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`
}

const kindOf = (name: string): string => (name.includes('.') ? 'property' : 'argument')

/** `expected`: names of types ('number') or, with a capital, of classes ('Uint8Array'). */
export function argumentType(name: string, expected: readonly string[], value: unknown): Error {
  const types = expected.filter((e) => e !== 'Object' && e === e.toLowerCase())
  const classes = expected.filter((e) => !types.includes(e) && e !== 'Object')
  if (expected.includes('Object')) types.push('object')
  const parts: string[] = []
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${listed(types)}`)
  if (classes.length > 0) parts.push(`an instance of ${listed(classes)}`)
  const subject = name.endsWith(' argument') ? `The ${name}` : `The "${name}" ${kindOf(name)}`
  return make(
    TypeError,
    'ERR_INVALID_ARG_TYPE',
    `${subject} must be ${parts.join(' or ')}. Received ${received(value)}`,
  )
}

function listed(names: readonly string[]): string {
  if (names.length < 3) return names.join(' or ')
  return `${names.slice(0, -1).join(', ')}, or ${names.at(-1)}`
}

export function argumentValue(name: string, value: unknown, reason = 'is invalid'): Error {
  const text = inspect(value)
  const shown = text.length > 128 ? `${text.slice(0, 128)}...` : text
  return make(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kindOf(name)} '${name}' ${reason}. Received ${shown}`)
}

export const outOfRange = (name: string, range: string, value: unknown): Error =>
  make(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`,
  )

export const badPort = (name: string, port: unknown): Error =>
  make(RangeError, 'ERR_SOCKET_BAD_PORT', `${name} should be >= 0 and < 65536. Received ${received(port)}.`)

export function missingArguments(...names: string[]): Error {
  const quoted = names.map((name) => `"${name}"`)
  return make(TypeError, 'ERR_MISSING_ARGS', `The ${quoted.join(' or ')} argument must be specified`)
}

export const alreadyListening = (): Error =>
  make(Error, 'ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.')
export const notRunning = (): Error => make(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.')
export const socketClosed = (): Error => make(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed')
export const closedBeforeConnection = (): Error =>
  make(Error, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established')
export const connectionTimeout = (): Error => make(Error, 'ERR_SOCKET_CONNECTION_TIMEOUT', 'Socket connection timeout')
export const notAnAddress = (text: unknown): Error =>
  make(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${text}`)
export const notAnAddressFamily = (family: unknown, host: string, port: number): Error =>
  Object.assign(make(RangeError, 'ERR_INVALID_ADDRESS_FAMILY', `Invalid address family: ${family} ${host}:${port}`), {
    host,
    port,
  })
export const ipBlocked = (address: string): Error =>
  make(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`)
export const invalidAddress = (): Error => make(Error, 'ERR_INVALID_ADDRESS', 'Invalid address')
export const abortError = (cause: unknown): Error =>
  Object.assign(new Error('The operation was aborted', cause === undefined ? {} : { cause }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  })

/** Every address was tried, and none answered. */
export function allFailed(errors: readonly Error[]): AggregateError & { code: unknown } {
  const [first] = errors
  return Object.assign(new AggregateError(errors), { code: (first as SystemError | undefined)?.code })
}

// --- arguments ---

type AnyFunction = (...args: never[]) => unknown

export function checkFunction(value: unknown, name: string): asserts value is AnyFunction {
  if (typeof value !== 'function') throw argumentType(name, ['function'], value)
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw argumentType(name, ['number'], value)
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw argumentType(name, ['string'], value)
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw argumentType(name, ['boolean'], value)
}

/** A whole number from `least` to `most`. */
export function checkInteger(value: unknown, name: string, least: number, most = 0x7fffffff): asserts value is number {
  checkNumber(value, name)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value)
}

/** A port as a number; a string of digits will do. */
export function checkPort(port: unknown, name = 'Port'): number {
  const isText = typeof port === 'string' && port.trim().length > 0
  const number = Number(port)
  if ((typeof port !== 'number' && !isText) || number !== number >>> 0 || number > 0xffff) throw badPort(name, port)
  return number
}

export function checkSignal(signal: unknown, name: string): asserts signal is AbortSignal {
  if (signal === null || typeof signal !== 'object' || !('aborted' in signal)) {
    throw argumentType(name, ['AbortSignal'], signal)
  }
}

const LONGEST_TIMEOUT = 0x7fffffff

/** A while in ms as setTimeout takes it. */
export function checkDuration(ms: unknown, name: string): number {
  checkNumber(ms, name)
  if (ms < 0 || !Number.isFinite(ms)) throw outOfRange(name, 'a non-negative finite number', ms)
  if (ms <= LONGEST_TIMEOUT) return ms
  process.emitWarning(
    `${ms} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${LONGEST_TIMEOUT}.`,
    'TimeoutOverflowWarning',
  )
  return LONGEST_TIMEOUT
}
