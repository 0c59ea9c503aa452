import dns from 'node:dns'
import { promisify } from 'node:util'
import { namesLookup } from '../../socket/net/index.js'
import { here } from './scope.js'

type Found = (error: Error | null, ...found: never[]) => void

/** `dns` knows the hosts of the network, and nothing else, where a program lives on one. Gives a function that ends that. */
export function answerNames(): () => void {
  const callbacks = dns as unknown as Record<string, (...args: unknown[]) => unknown>
  const promises = dns.promises as unknown as Record<string, (...args: unknown[]) => unknown>
  const before: [typeof callbacks, string, (...args: unknown[]) => unknown][] = []

  function replace(module: typeof callbacks, name: string, simulated: (...args: unknown[]) => unknown): void {
    const nodes = module[name]!
    before.push([module, name, nodes])
    module[name] = (...args) => (here() === undefined ? Reflect.apply(nodes, module, args) : simulated(...args))
  }

  const lookup = (name: unknown, given: unknown, found?: unknown): void => {
    const callback = (found ?? given) as Found
    const asked = typeof given === 'number' ? { family: given } : typeof given === 'object' ? given : {}
    const options = { family: 0, hints: 0, ...(asked as object) }
    namesLookup(here()!.host.lookup)(String(name ?? 'localhost'), options, callback as never)
  }
  const resolve =
    (family: 4 | 6) =>
    (name: unknown, ...given: unknown[]) => {
      const callback = given.at(-1) as (error: Error | null, addresses?: string[]) => void
      lookup(name, { family, all: true }, (error: Error | null, all: { address: string }[]) => {
        if (error) callback(Object.assign(error, { syscall: family === 4 ? 'queryA' : 'queryAaaa' }))
        else
          callback(
            null,
            all.map(({ address }) => address),
          )
      })
    }
  const lookupLater = (name: unknown, given: unknown) =>
    new Promise((done, fail) => {
      lookup(name, given ?? {}, (error: Error | null, address: unknown, family?: number) => {
        if (error) fail(error)
        else done(Array.isArray(address) ? address : { address, family })
      })
    })

  replace(callbacks, 'lookup', lookup)
  replace(promises, 'lookup', lookupLater)
  for (const family of [4, 6] as const) {
    replace(callbacks, `resolve${family}`, resolve(family))
    replace(promises, `resolve${family}`, promisify(resolve(family)))
  }
  return () => {
    for (const [module, name, nodes] of before) module[name] = nodes
  }
}
