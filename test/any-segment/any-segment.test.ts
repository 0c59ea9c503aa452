import { describe, expect, test } from 'vitest'
import { linuxKernel } from '../../src/drill/index.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import { whyNoKernel } from '../fixtures/kernel-judge.js'
import { type Cell, cells, outcome, STATES } from './cells.js'

/**
 * The lines of linux/ are what a Linux 6.18 kernel did (`ESTAB_AGAINST_LINUX=1` asks the kernel of this machine again).
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
    const lines = judged.map((cell) => outcome(cell, profile))
    const told = profile === 'linux' ? lines.map((line) => withoutWindow(line, state)) : lines
    await expect(`${told.join('\n')}\n`).toMatchFileSnapshot(fileOf(profile, state))
  })
})

const reason = whyNoKernel()

describe.skipIf(reason !== null)(
  `any segment, as the kernel of this machine${reason === null ? '' : ` (${reason})`}`,
  () => {
    test.each(STATES)('in %s', { timeout: 600_000 }, async (state) => {
      const kernel = await linuxKernel()
      const lines = cells(state)
        .filter(followed)
        .map((cell) =>
          withoutWindow(
            patiently(() => outcome(cell, 'linux', kernel)),
            state,
          ),
        )
      await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(fileOf('linux', state))
    })
  },
)

/** The clock of a kernel: what came a few milliseconds late is asked again. */
function patiently(ask: () => string): string {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return ask()
    } catch {
      // asked again
    }
  }
  return ask()
}
