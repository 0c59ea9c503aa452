import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { failureText, linuxKernel, runScript } from '../src/drill/index.js'
import { whyNoKernel } from './fixtures/kernel-judge.js'

const folder = fileURLToPath(new URL('./against-linux/', import.meta.url))
const names = readdirSync(folder).filter((file) => file.endsWith('.pkt'))

describe('what a Linux 6.18 kernel did, our TCP does in virtual time', () => {
  test.each(names)('%s', (name) => {
    const run = runScript(readFileSync(folder + name, 'utf8'), { profile: 'linux', file: folder + name }, 'ipv4')
    expect(run.ok, failureText(run)).toBe(true)
  })
})

const reason = whyNoKernel()

describe.skipIf(reason !== null)(
  `the kernel of this machine does it too${reason === null ? '' : ` (${reason})`}`,
  () => {
    test.each(names)('%s', { retry: 2, timeout: 120_000 }, async (name) => {
      const target = await linuxKernel()
      const options = { profile: 'linux', file: folder + name, target } as const
      const run = runScript(readFileSync(folder + name, 'utf8'), options, 'ipv4')
      expect(run.ok, failureText(run)).toBe(true)
    })
  },
)
