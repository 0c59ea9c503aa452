import type { Network } from '../network.js'
import { Run, type RunOptions } from './run.js'
import { at, here } from './scope.js'

export type { RunOptions } from './run.js'

/** The run that goes on in this process, whichever copy of this module began it. */
const GOING_ON = Symbol.for('estab.run')
const process_ = globalThis as unknown as Record<symbol, Run | undefined>

/** Runs a program on a host of the network, in virtual time. */
export async function run<T>(network: Network, program: () => T | PromiseLike<T>, options: RunOptions): Promise<T> {
  // its http, fetch and timers are not built on what is put in place of node:net and globalThis.setTimeout
  if ('Bun' in globalThis) throw new Error('run: programs of Bun cannot be put into virtual time: use Node or Deno')
  if (process_[GOING_ON] !== undefined) {
    throw new Error(
      here() === undefined
        ? 'run: another run goes on in this process, and there can be one at a time: await it first (did its test time out?)'
        : "run: a run goes on already: for a program on another host there is on('name', program)",
    )
  }
  const made = new Run(network, options)
  process_[GOING_ON] = made
  try {
    return await made.live(options.on ?? 'client', program)
  } finally {
    process_[GOING_ON] = undefined
  }
}

/** Runs a program on another host of the run that goes on. */
export function on<T>(network: Network, host: string, program: () => T): T {
  const place = here()
  if (place === undefined || place.run.network !== network) {
    throw new Error(`on('${host}', …) belongs inside the run of its network: run(async () => { … })`)
  }
  return at(place.run.place(host), program)
}

/** True while a run goes on on this network. */
export const runsOn = (network: Network): boolean => process_[GOING_ON]?.network === network
