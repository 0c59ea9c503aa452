import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { EDGES } from '../../src/tcp/states/states.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder where each test file leaves the edges it took, and how often. */
    edgeCounts: string
  }
}

/** Adds up what the test files counted, and says at the end which edges of the state table no test took. */
export default function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'estab-edges-'))
  project.provide('edgeCounts', folder)
  return async () => {
    const counts = new Map<string, number>()
    const files = readdirSync(folder)
    for (const file of files) {
      const taken: [string, number][] = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      for (const [edge, count] of taken) counts.set(edge, (counts.get(edge) ?? 0) + count)
    }
    rmSync(folder, { recursive: true })
    const names = EDGES.map(({ from, event, to }) => `${from} --${event}--> ${to}`)
    const missing = names.filter((name) => !counts.has(name))
    console.log(`edges of the state table taken: ${names.length - missing.length} of ${names.length}`)
    // a run of a few files is not expected to take them all
    const { testFiles } = await project.globTestFiles()
    if (files.length < testFiles.length && process.env.ESTAB_EDGES === undefined) return
    for (const name of missing) console.log(`  not taken: ${name}`)
  }
}
