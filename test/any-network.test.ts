import fc from 'fast-check'
import { test } from 'vitest'
import { checkAll, play, scenario } from './fixtures/any-network.js'

/** ESTAB_RUNS=100000 for the long run. */
const RUNS = Number(process.env.ESTAB_RUNS ?? 300)

test('whatever is lost, doubled, garbled, overtaken and delayed, both ends see the octets sent, in order, and end CLOSED', () => {
  fc.assert(
    fc.property(scenario, (s) => checkAll(play(s))),
    { numRuns: RUNS },
  )
}, 86_400_000)
