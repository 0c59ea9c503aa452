import { expect, test } from 'vitest'
// @ts-expect-error: a program of its own, which this runs
import { nodeSource, runNodeSuite } from './node-suite/run.mjs'

/** Many minutes of processes, and sources that only `apt-get source nodejs` brings: run when asked for. */
const source: string | null = process.env.ESTAB_NODE_SUITE === undefined ? null : nodeSource()

test.skipIf(source === null)(
  "Node's own tests of net pass over a host's loopback, where they apply",
  async () => {
    const { passed, failed } = await runNodeSuite(source)
    expect(failed).toEqual([])
    expect(passed.length).toBeGreaterThan(100)
  },
  600_000,
)
