import type { Environment } from './environment.js'
import { FREEBSD_SYSCTLS } from './sysctl-freebsd.js'
import { LINUX_SYSCTLS } from './sysctl-linux.js'

export type SysctlFamily = 'linux' | 'freebsd'

/** One sysctl: its value as text, read from and written to a host. `set` returns what is wrong with the text, or null. */
export interface Sysctl {
  get(env: Environment): string
  set(env: Environment, value: string): string | null
}

const families: Record<SysctlFamily, ReadonlyMap<string, Sysctl>> = { linux: LINUX_SYSCTLS, freebsd: FREEBSD_SYSCTLS }

const find = (name: string): Sysctl | undefined => LINUX_SYSCTLS.get(name) ?? FREEBSD_SYSCTLS.get(name)

/** The value of a sysctl of either family (`net.ipv4.tcp_sack`, `net.inet.tcp.msl`) as the system prints it; null: no such name. */
export function getSysctl(env: Environment, name: string): string | null {
  return find(name)?.get(env) ?? null
}

/** Sets one. Returns null when done, else a sentence: the name is unknown, or what its value must be. */
export function setSysctl(env: Environment, name: string, value: string): string | null {
  const sysctl = find(name)
  if (sysctl === undefined) return `unknown sysctl '${name}'`
  const problem = sysctl.set(env, value.trim())
  return problem === null ? null : `${name}: ${problem}, not '${value}'`
}

/** The names of a family in alphabetical order. */
export function listSysctls(family: SysctlFamily): string[] {
  return [...families[family].keys()].sort()
}
