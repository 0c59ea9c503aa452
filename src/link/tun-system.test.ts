import { expect, test, vi } from 'vitest'
import { openTun } from './tun.js'

vi.mock('koffi', () => {
  throw new Error('it is not installed')
})

test.runIf(process.platform === 'linux')('without koffi, a sentence says what to install', async () => {
  await expect(openTun()).rejects.toThrow(
    "A TUN device needs the optional package 'koffi', which did not load: run `npm install koffi`.",
  )
})
