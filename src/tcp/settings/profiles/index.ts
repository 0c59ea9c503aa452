import type { Settings } from '../settings.js'
import { freebsd } from './freebsd.js'
import { linux } from './linux.js'
import { rfc9293 } from './rfc9293.js'

export { freebsd, linux, rfc9293 }

const PROFILES = { rfc9293, linux, freebsd }

export type ProfileName = keyof typeof PROFILES

export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[]

/** Each as it was first made: to write so many fields down takes a hundred times as long as to copy them. */
const made: Partial<Record<ProfileName, Settings>> = {}

/**
 * A fresh copy of a profile's settings, for one host.
 * @throws RangeError naming those there are
 */
export function profile(name: ProfileName): Settings {
  if (!Object.hasOwn(PROFILES, name)) {
    throw new RangeError(`no profile '${name}' (there are ${PROFILE_NAMES.join(', ')})`)
  }
  made[name] ??= PROFILES[name]()
  return structuredClone(made[name])
}
