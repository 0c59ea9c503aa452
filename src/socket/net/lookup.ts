import { type FindAddresses, LOCALHOST } from '../names.js'
import { isIP } from './addresses.js'
import type { Lookup } from './context.js'
import { systemError } from './errors.js'

/** Names with their addresses, as in a hosts file. */
export type Hosts = Readonly<Record<string, string | readonly string[]>>

/** Finds names in a table, `localhost` always; never asks the network of the machine. */
export function hostsLookup(hosts: Hosts = {}): Lookup {
  return namesLookup((name) => [hosts[name] ?? []].flat())
}

/** Finds names as a host does, and `localhost` always. */
export function namesLookup(find: FindAddresses): Lookup {
  return (name, { family, all }, callback) => {
    const answer = (known: readonly string[]): void => {
      const found = (known.length === 0 && name === 'localhost' ? LOCALHOST : known)
        .map((address) => ({ address, family: isIP(address) }))
        .filter((a) => family === 0 || a.family === family)
      const [first] = found
      if (first === undefined) {
        const error = Object.assign(systemError('ENOTFOUND', 'getaddrinfo'), { errno: -3008, hostname: name })
        error.message = `${error.message} ${name}`
        callback(error, '')
      } else if (all) callback(null, found)
      else callback(null, first.address, first.family)
    }
    // what the program throws in its callback is nobody's promise
    const later = (act: () => void) => queueMicrotask(act)
    const known = isIP(name) === 0 ? find(name) : [name]
    if (!('then' in known)) return later(() => answer(known))
    known.then(
      (addresses) => later(() => answer(addresses)),
      (error: Error) => later(() => callback(error, '')),
    )
  }
}
