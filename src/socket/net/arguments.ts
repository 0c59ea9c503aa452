import type { LookupFunction } from 'node:net'
import { checkBoolean, checkNumber } from './errors.js'

/** Marks arguments that were brought into form already: `http` and `tls` pass them on. */
const inForm: unique symbol = Symbol('arguments in form')

export type Callback = (...args: unknown[]) => void

/** What `connect` and `listen` take in all their forms. */
export interface EndOptions {
  port?: unknown
  host?: string
  path?: unknown
  fd?: unknown
  localAddress?: string
  localPort?: number
  family?: unknown
  hints?: number
  lookup?: LookupFunction
  autoSelectFamily?: boolean
  autoSelectFamilyAttemptTimeout?: number
  noDelay?: unknown
  keepAlive?: unknown
  keepAliveInitialDelay?: unknown
  signal?: AbortSignal
  timeout?: number
  onread?: OnRead
  backlog?: unknown
  blockList?: unknown
  ipv6Only?: boolean
  exclusive?: boolean
  [other: string]: unknown
}

/** The `onread` option: text comes into one buffer. */
export interface OnRead {
  buffer: Uint8Array | (() => Uint8Array)
  callback(this: unknown, count: number, buffer: Uint8Array): boolean | undefined
}

export type FormedArguments = [options: EndOptions, callback: Callback | null] & { [inForm]?: true }

/** `(options, cb)`, `(path, cb)`, `(port, host, cb)` and so on as `[options, cb]`. */
export function formArguments(args: readonly unknown[]): FormedArguments {
  if (isInForm(args[0])) return args[0]
  const [first, second] = args
  let options: EndOptions = {}
  if (typeof first === 'object' && first !== null) options = first as EndOptions
  else if (isPath(first)) options.path = first
  else if (args.length > 0) {
    options.port = first
    if (args.length > 1 && typeof second === 'string') options.host = second
  }
  const last = args.at(-1)
  const formed: FormedArguments = [options, typeof last === 'function' ? (last as Callback) : null]
  formed[inForm] = true
  return formed
}

const isInForm = (first: unknown): first is FormedArguments => Array.isArray(first) && inForm in first

const isPath = (value: unknown): boolean => typeof value === 'string' && !(Number(value) >= 0 && value.trim() !== '')

/** What `keepAliveInitialDelay` means, ms. */
export function initialDelay(given: unknown): number {
  if (given === undefined) return 0
  checkNumber(given, 'options.keepAliveInitialDelay')
  return Math.max(0, given)
}

/** An option that is true, false or not given. */
export function flag(given: unknown, name: string): boolean {
  if (given === undefined || given === null) return false
  checkBoolean(given, name)
  return given
}
