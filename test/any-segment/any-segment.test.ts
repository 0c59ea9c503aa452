import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runScript } from '../../src/drill/index.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import { type AskKernel, judgedByKernel } from '../fixtures/kernel-judges.js'
import { type Cell, cells, optionsOf, STATES, told } from './cells.js'

/**
 * The lines of linux/ are what a Linux 6.18 kernel did; the kernel of this machine is asked again if it is one.
 * Those of rfc9293/ and freebsd/ were read beside RFC 9293 3.10.7 and RFC 5961; half of the cells of FreeBSD's are also in
 * its own test suite. `npx vitest run test/any-segment -u` writes them anew: look at each line that changes.
 */
const fileOf = (folder: string, state: string): string => `./${folder}/${state.toLowerCase().replace(', ', '-')}.txt`

/**
 * Where we do not follow Linux: in a simultaneous open it takes an ACK of nothing for the ACK of its SYN, and scales its
 * window though the peer offered no scaling.
 */
const SIMULTANEOUS = 'SYN-RECEIVED, simultaneous'
const followed = ({ state, name }: Cell): boolean => state !== SIMULTANEOUS || !/^[.PF]+\S*.*ack old/.test(name)
const withoutWindow = (line: string, state: string): string =>
  state === SIMULTANEOUS ? line.replaceAll(/ win \d+/g, '') : line

describe.each(PROFILE_NAMES)('any segment, as %s', (profile) => {
  test.each(STATES)('in %s', async (state) => {
    const judged = cells(state).filter((cell) => profile !== 'linux' || followed(cell))
    const lines = judged.map((cell) => told(cell, runScript(cell.script, optionsOf(cell, profile), 'ipv4')))
    const compared = profile === 'linux' ? lines.map((line) => withoutWindow(line, state)) : lines
    await expect(`${compared.join('\n')}\n`).toMatchFileSnapshot(fileOf(profile, state))
  })
})

judgedByKernel('any segment, as the kernel of this machine', (askKernel) => {
  test.each(STATES)('in %s', { timeout: 600_000 }, async (state) => {
    const written = readFileSync(new URL(fileOf('linux', state), import.meta.url), 'utf8').split('\n')
    const judged = cells(state).filter(followed)
    const lines = await Promise.all(judged.map((cell, i) => patiently(askKernel, cell, written[i]!)))
    expect(`${lines.join('\n')}\n`).toBe(written.join('\n'))
  })
})

/** The clock of a kernel: what came a few milliseconds late, or went otherwise than is written down, is asked again. */
async function patiently(askKernel: AskKernel, cell: Cell, written: string): Promise<string> {
  let line = ''
  for (let attempt = 0; attempt < 4 && line !== written; attempt++) {
    const run = await askKernel(cell.script, optionsOf(cell, 'linux'))
    try {
      line = withoutWindow(told(cell, run), cell.state)
    } catch (error) {
      line = String(error)
    }
  }
  return line
}
