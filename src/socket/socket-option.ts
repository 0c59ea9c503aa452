import { type Instant, type ProgramOptions, setOptions } from '../tcp/index.js'
import type { Errno } from './errno.js'
import { intOf, type OptionFailure, type OptionValue } from './option-value.js'
import type { TcpSocket } from './socket.js'

/** One socket option. What is left out cannot be done: ENOPROTOOPT. */
export interface SocketOption {
  readonly set?: (s: TcpSocket, value: OptionValue, now: Instant) => Errno | null
  readonly get?: (s: TcpSocket, now: Instant) => OptionValue | OptionFailure
}

/** Options of one level by name. */
export type OptionTable = Readonly<Record<string, SocketOption>>

/** Changes what the program asks of TCP, wherever the socket stands. */
export function ask(s: TcpSocket, change: Partial<ProgramOptions>, now: Instant): null {
  s.asked = { ...s.asked, ...change }
  if (s.listener !== null) s.listener.ask(change)
  if (s.connection !== null && !s.gone) setOptions(s.connection, change, now)
  return null
}

interface IntOption {
  readonly min?: number
  readonly max?: number
  readonly set: (s: TcpSocket, value: number, now: Instant) => Errno | null
  readonly get?: (s: TcpSocket, now: Instant) => number
}

/** An option that takes an int between `min` and `max`; EINVAL otherwise. */
export function intOption({ min, max, set, get }: IntOption): SocketOption {
  return {
    set: (s, value, now) => {
      const n = intOf(value)
      if (n === null || (min !== undefined && n < min) || (max !== undefined && n > max)) return 'EINVAL'
      return set(s, n, now)
    },
    ...(get === undefined ? {} : { get }),
  }
}

/** An option of TCP that is on or off. */
export function flagOption(name: BooleanOption): SocketOption {
  return intOption({
    set: (s, n, now) => ask(s, { [name]: n !== 0 }, now),
    get: (s) => Number(s.asked[name]),
  })
}

type BooleanOption = {
  [K in keyof ProgramOptions]: ProgramOptions[K] extends boolean ? K : never
}[keyof ProgramOptions]

/** An option that is kept and given back, and changes nothing here. */
export function storedOption(name: string, initial: number, min?: number, max?: number): SocketOption {
  return intOption({
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    set: (s, n) => {
      s.store(name, n)
      return null
    },
    get: (s) => s.stored(name) ?? initial,
  })
}

/** An option that only tells. */
export const readOnly = (get: (s: TcpSocket, now: Instant) => OptionValue | OptionFailure): SocketOption => ({ get })
