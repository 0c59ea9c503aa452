import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whyNoDevices } from './fixtures/network-namespace.js'

const root = fileURLToPath(new URL('../', import.meta.url))
const reason = await whyNoDevices()

/** A server that closes first. */
const CLOSES = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 5) = 0
 +.05 < S 0:0(0) win 65535 <mss 1460>
   +0 > S. 0:0(0) ack 1 <mss 1460>
 +.05 < . 1:1(0) ack 1 win 65535
   +0 accept(3, ..., ...) = 4
 +.01 close(4) = 0
   +0 > F. 1:1(0) ack 1
`
/** In a simultaneous open, Linux takes an ACK of nothing for the ACK of its SYN; we do not. */
const PARTS = `
    0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
   +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
   +0 > S 0:0(0) <...>
 +.05 < S 0:0(0) win 65535 <mss 1460>
   +0 > S. 0:0(0) ack 1 <...>
 +.02 < . 1:1(0) ack 0 win 65535
 +.01 write(3, ..., 100) = 100
`
const VERSIONS = ['ipv4', 'ipv6'] as const

if (reason !== null && process.env.CI !== undefined) {
  test('`estab drill --against linux` is tested in CI', () => expect.fail(`it cannot be: ${reason}`))
}

describe.skipIf(reason !== null)(
  reason === null ? 'estab drill --against linux' : `estab drill --against linux (skipped: ${reason})`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'estab-drill-kernel-'))
    const drill = (...words: string[]) =>
      spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), 'drill', ...words], {
        cwd: folder,
        encoding: 'utf8',
      })

    beforeAll(() => {
      execFileSync(process.execPath, [join(root, 'tools/set-up.mjs')])
      writeFileSync(join(folder, 'closes.pkt'), CLOSES)
      writeFileSync(join(folder, 'fails.pkt'), CLOSES.replace('> F.', '> R.'))
      writeFileSync(join(folder, 'parts.pkt'), PARTS)
    }, 60_000)

    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    test.each(VERSIONS)('the kernel runs a script over %s', (version) => {
      const { stdout, status } = drill('--against', 'linux', '--variants', version, 'closes.pkt')
      expect(stdout).toBe('.        1/1\n')
      expect(status).toBe(0)
    })

    test('what the kernel does otherwise than the script says is told as of our own host', () => {
      const { stdout, status } = drill('--against', 'linux', '--variants', 'ipv6', 'fails.pkt')
      expect(stdout).toMatch(/^fails\.pkt:10:7: expected an outgoing segment, got a different one {2}\[ipv6\]\n/)
      expect(stdout).toMatch(/\n {2}sent +0\.\d+ {2}> F\. 1:1\(0\) ack 1 win 64240\n/)
      expect(status).toBe(1)
    })

    test.each(VERSIONS)('both do the same over %s', (version) => {
      const { stdout, status } = drill('--against', 'estab,linux', '--variants', version, 'closes.pkt')
      expect(stdout).toBe(`closes.pkt [${version}]: estab passes, linux passes\n1 the same, 0 not\n`)
      expect(status).toBe(0)
    })

    test.each(VERSIONS)('it is shown where they part over %s', (version) => {
      const { stdout, status } = drill('--against', 'estab,linux', '--variants', version, 'parts.pkt')
      const lines = stdout.replaceAll(/\d\.\d{3,6} +/g, 'TIME  ').split('\n')
      expect(lines).toEqual([
        `parts.pkt [${version}]: estab fails, linux passes`,
        'they part at line 8',
        '  estab  TIME  write = -1 EAGAIN',
        '  linux  TIME  write = 100',
        `parts.pkt:8:7: expected write to return 100, returned -1 EAGAIN  [estab, ${version}]`,
        '0 the same, 1 not',
        '',
      ])
      expect(status).toBe(1)
    })

    test('the comparison as one JSON object', () => {
      const { stdout } = drill('--against', 'estab,linux', '--variants', 'ipv4', '--json', 'parts.pkt', 'closes.pkt')
      expect(JSON.parse(stdout)).toMatchObject({
        same: 1,
        apart: 1,
        comparisons: [
          {
            estab: { ok: false },
            linux: { ok: true },
            parting: { position: { line: 8 }, second: { text: 'write = 100' } },
          },
          { estab: { ok: true }, linux: { ok: true }, parting: null },
        ],
      })
    })
  },
)
