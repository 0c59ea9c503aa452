import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, inject } from 'vitest'
import { checkEdges, edgesTaken } from '../../src/tcp/states/states.js'

// Every change of state in every test is looked up in the table; one that is not there throws.
checkEdges(true)

afterAll(() => {
  const taken: [string, number][] = []
  for (const [{ from, event, to }, count] of edgesTaken())
    if (count > 0) taken.push([`${from} --${event}--> ${to}`, count])
  const name = `${process.pid}-${Math.random().toString(36).slice(2)}.json`
  writeFileSync(join(inject('edgeCounts'), name), JSON.stringify(taken))
})
