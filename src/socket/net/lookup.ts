import { isIP } from './addresses.js'
import type { Lookup } from './context.js'
import { systemError } from './errors.js'

/** Names with their addresses, as in a hosts file. */
export type Hosts = Readonly<Record<string, string | readonly string[]>>

const LOCALHOST: Hosts = { localhost: ['127.0.0.1', '::1'] }

/** Finds names in a table, `localhost` always; never asks the network of the machine. */
export function hostsLookup(hosts: Hosts = {}): Lookup {
  return (name, { family, all }, callback) => {
    const known = isIP(name) === 0 ? (hosts[name] ?? LOCALHOST[name]) : name
    const found = (known === undefined ? [] : [known].flat())
      .map((address) => ({ address, family: isIP(address) }))
      .filter((a) => family === 0 || a.family === family)
    queueMicrotask(() => {
      const [first] = found
      if (first === undefined) {
        const error = Object.assign(systemError('ENOTFOUND', 'getaddrinfo'), { errno: -3008, hostname: name })
        error.message = `${error.message} ${name}`
        callback(error, '')
      } else if (all) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}
