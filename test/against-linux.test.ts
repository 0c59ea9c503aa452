import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { failureText, runScript } from '../src/drill/index.js'
import { judgedByKernel } from './fixtures/kernel-judges.js'

const folder = fileURLToPath(new URL('./against-linux/', import.meta.url))
const names = readdirSync(folder).filter((file) => file.endsWith('.pkt'))

describe('what a Linux 6.18 kernel did, our TCP does in virtual time', () => {
  test.each(names)('%s', (name) => {
    const run = runScript(readFileSync(folder + name, 'utf8'), { profile: 'linux', file: folder + name }, 'ipv4')
    expect(run.ok, failureText(run)).toBe(true)
  })
})

judgedByKernel('the kernel of this machine does it too', (askKernel) => {
  // the clock of a kernel: what came a few milliseconds late is asked again
  test.concurrent.each(names)('%s', { retry: 3, timeout: 120_000 }, async (name) => {
    const run = await askKernel(readFileSync(folder + name, 'utf8'), { profile: 'linux', file: folder + name })
    expect(run.ok, failureText(run)).toBe(true)
  })
})
