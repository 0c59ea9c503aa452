import type { IpAddress } from '../wire/index.js'
import type { Errno } from './errno.js'

/** struct linger; seconds. */
export interface Linger {
  readonly on: boolean
  readonly seconds: number
}

/** struct timeval; both count. */
export interface Timeval {
  readonly seconds: number
  readonly microseconds: number
}

/** struct tcp_md5sig: the key for a peer (Linux). A key of no octets takes it away. */
export interface Md5Signature {
  readonly peer: IpAddress
  /** Bits; TCP_MD5SIG_EXT with a prefix. Left out: this one host. */
  readonly prefixLength?: number
  readonly key: Uint8Array
}

/** struct tcp_function_set (FreeBSD). */
export interface FunctionBlock {
  readonly name: string
  readonly sharers: number
}

/** What an option is given and gives back, as plain values: an int, a string, octets, or a struct of its own. */
export type OptionValue =
  | number
  | string
  | Uint8Array
  | readonly number[]
  | Linger
  | Timeval
  | Md5Signature
  | FunctionBlock
  | Readonly<Record<string, number>>

/** What getsockopt failed with. */
export interface OptionFailure {
  readonly errno: Errno
}

export const optionFailed = (value: OptionValue | OptionFailure): value is OptionFailure =>
  typeof value === 'object' && 'errno' in value

/** An int, however it was given: a number, [1], or four octets, least first. */
export function intOf(value: OptionValue): number | null {
  if (typeof value === 'number') return value
  if (value instanceof Uint8Array) {
    if (value.length < 4) return null
    return value[0]! | (value[1]! << 8) | (value[2]! << 16) | (value[3]! << 24)
  }
  if (Array.isArray(value) && typeof value[0] === 'number') return value[0]
  return null
}

export function lingerOf(value: OptionValue): Linger | null {
  if (typeof value === 'object' && 'on' in value && 'seconds' in value) {
    const { on, seconds } = value
    return { on: Boolean(on), seconds: Number(seconds) }
  }
  if (Array.isArray(value) && value.length >= 2) return { on: value[0] !== 0, seconds: Number(value[1]) }
  return null
}

/** ms of a struct timeval; null: it is none, or its microseconds are out of range. */
export function millisOf(value: OptionValue): number | null {
  let seconds: number
  let microseconds: number
  if (typeof value === 'object' && 'microseconds' in value && 'seconds' in value) {
    seconds = Number(value.seconds)
    microseconds = Number(value.microseconds)
  } else if (Array.isArray(value) && value.length >= 2) {
    seconds = Number(value[0])
    microseconds = Number(value[1])
  } else return null
  if (microseconds < 0 || microseconds >= 1_000_000) return null
  return Math.max(0, seconds) * 1000 + microseconds / 1000
}

export const timevalOf = (ms: number): Timeval => ({
  seconds: Math.floor(ms / 1000),
  microseconds: Math.round((ms % 1000) * 1000),
})
