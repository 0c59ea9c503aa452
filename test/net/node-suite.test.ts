import { expect, test } from 'vitest'
// @ts-expect-error: a program of its own, which this runs
import { nodeSource, runNodeSuite, summary } from './node-suite/run.mjs'

const source: string | null = nodeSource()
const reason = source === null ? " (no sources of Node's: test/net/node-suite/get-source.sh gets them)" : ''

test.skipIf(source === null && process.env.CI === undefined)(
  `Node's own tests of net pass over a host's loopback, where they apply${reason}`,
  async () => {
    expect(source, 'run test/net/node-suite/get-source.sh').not.toBeNull()
    const result = await runNodeSuite(source)
    console.log(summary(source, result))
    expect(result.failed).toEqual([])
    expect(result.passed.length).toBeGreaterThan(100)
  },
  600_000,
)
