import { AsyncLocalStorage } from 'node:async_hooks'
import type { LiveHost } from '../../socket/index.js'
import type { NetContext } from '../../socket/net/index.js'
import type { Run } from './run.js'

/** Where code lives: in which run, and on which of its hosts. */
export interface Place {
  readonly run: Run
  readonly host: LiveHost
  readonly net: NetContext
}

const places = new AsyncLocalStorage<Place>()

/** Where the code that runs now lives; undefined: outside, on the real machine. */
export function here(): Place | undefined {
  const place = places.getStore()
  return place === undefined || place.run.over ? undefined : place
}

/** Runs `program`, and whatever it begins, at a place. */
export const at = <T>(place: Place, program: () => T): T => places.run(place, program)
