import type { Environment } from '../environment.js'
import type { SettingName } from './settings.js'
import { FREEBSD_SYSCTLS } from './sysctl-freebsd.js'
import { wholeNumber } from './sysctl-kinds.js'
import { LINUX_SYSCTLS } from './sysctl-linux.js'

export type SysctlFamily = 'linux' | 'freebsd'

/** One sysctl: its value as text, read from and written to a host. `set` returns what is wrong with the text, or null. */
export interface Sysctl {
  get(env: Environment): string
  set(env: Environment, value: string): string | null
}

const families: Record<SysctlFamily, ReadonlyMap<string, Sysctl>> = { linux: LINUX_SYSCTLS, freebsd: FREEBSD_SYSCTLS }

function find(env: Environment, name: string): Sysctl | undefined {
  return LINUX_SYSCTLS.get(name) ?? FREEBSD_SYSCTLS.get(name) ?? ownSetting(env, name)
}

/** `estab.` and a setting's own name: also those that no system has a sysctl for; not the few that are lists. */
function ownSetting({ settings }: Environment, name: string): Sysctl | undefined {
  const key = name.slice('estab.'.length) as SettingName
  if (!name.startsWith('estab.') || !Object.hasOwn(settings, key)) return undefined
  const value = settings[key]
  if (typeof value === 'object') return undefined
  return {
    get: () => String(typeof value === 'boolean' ? Number(value) : value),
    set(_env, text) {
      let next: unknown = text
      if (typeof value !== 'string') {
        const number = text === 'Infinity' ? Number.POSITIVE_INFINITY : wholeNumber(text)
        if (Number.isNaN(number)) return 'expected a whole number or Infinity'
        next = typeof value === 'boolean' ? number !== 0 : number
      }
      Object.assign(settings, { [key]: next })
      return null
    },
  }
}

/**
 * The value of a sysctl as the system prints it; null: no such name. Names of either family (`net.ipv4.tcp_sack`,
 * `net.inet.tcp.msl`), and `estab.` before the name of any setting (`estab.timeWaitReuseOnSyn`).
 */
export function getSysctl(env: Environment, name: string): string | null {
  return find(env, name)?.get(env) ?? null
}

/** Sets one. Returns null when done, else a sentence: the name is unknown, or what its value must be. */
export function setSysctl(env: Environment, name: string, value: string): string | null {
  const sysctl = find(env, name)
  if (sysctl === undefined) return `unknown sysctl '${name}'`
  const problem = sysctl.set(env, value.trim())
  return problem === null ? null : `${name}: ${problem}, not '${value}'`
}

/** The names of a family in alphabetical order. */
export function listSysctls(family: SysctlFamily): string[] {
  return [...families[family].keys()].sort()
}
