import type { Environment } from '../environment.js'
import type { Settings } from './settings.js'
import type { Sysctl } from './sysctl.js'

/** Settings whose value may be any number. */
type NumberSetting = {
  [K in keyof Settings]: Settings[K] extends number ? (number extends Settings[K] ? K : never) : never
}[keyof Settings]
type FlagSetting = { [K in keyof Settings]: Settings[K] extends boolean ? K : never }[keyof Settings] & keyof Settings

/** A whole number as systems write it: decimal, 0x hexadecimal, 0 octal is decimal here. NaN: it is none. */
export function wholeNumber(text: string): number {
  return /^-?(0[xX][0-9a-fA-F]+|\d+)$/.test(text)
    ? text.startsWith('-')
      ? -Number(text.slice(1))
      : Number(text)
    : Number.NaN
}

const INT_MAX = 2147483647

/** What a system prints for a setting without a limit. */
const shown = (value: number): string => String(value === Number.POSITIVE_INFINITY ? INT_MAX : value)

export interface Range {
  readonly min?: number
  readonly max?: number
  /** Of our unit in one of the sysctl's: 1000 for seconds of a setting in ms. */
  readonly scale?: number
}

/** A number setting under a sysctl name. */
export function numeric(setting: NumberSetting, { min = 0, max = 4294967295, scale = 1 }: Range = {}): Sysctl {
  return computed(
    (s) => s[setting] / scale,
    (s, value) => {
      s[setting] = value * scale
    },
    { min, max },
  )
}

/** A yes or no under a sysctl name, 0 or not 0; `inverted`: 0 means yes. */
export function flag(setting: FlagSetting, inverted = false): Sysctl {
  return computed(
    (s) => Number(s[setting] !== inverted),
    (s, value) => {
      ;(s as Record<FlagSetting, boolean>)[setting] = (value !== 0) !== inverted
    },
    { max: 255 },
  )
}

/** A number that stands for something else in the settings. */
export function computed(
  read: (s: Settings) => number,
  write: (s: Settings, value: number) => void,
  { min = 0, max = 4294967295 }: Range = {},
): Sysctl {
  return {
    get: (env) => shown(read(env.settings)),
    set(env, text) {
      const value = wholeNumber(text)
      if (!(value >= min && value <= max)) return `expected a whole number from ${min} to ${max}`
      write(env.settings, value)
      return null
    },
  }
}

/** `min default max`, octets. */
export function buffer(setting: 'receiveBuffer' | 'sendBuffer', after: (s: Settings) => void = () => {}): Sysctl {
  return {
    get: (env) => env.settings[setting].join('\t'),
    set(env, text) {
      const values = text.split(/\s+/).map(wholeNumber)
      if (values.length > 3 || !values.every((v) => v > 0))
        return 'expected up to three positive numbers: min default max'
      const triple = env.settings[setting]
      values.forEach((v, i) => {
        triple[i] = v
      })
      after(env.settings)
      return null
    },
  }
}

const kept = new WeakMap<Environment, Map<string, string>>()

/** A name that systems have and that changes nothing here: its value is kept and given back. */
export function withoutEffect(name: string, initial: string): Sysctl {
  return {
    get: (env) => kept.get(env)?.get(name) ?? initial,
    set(env, text) {
      let values = kept.get(env)
      if (values === undefined) {
        values = new Map()
        kept.set(env, values)
      }
      values.set(name, text)
      return null
    },
  }
}
