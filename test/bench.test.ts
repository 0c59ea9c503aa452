import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const RUN = fileURLToPath(new URL('../bench/run.mjs', import.meta.url))

const bench = (...words: string[]) => spawnSync(process.execPath, [RUN, ...words], { encoding: 'utf8' })

test.each([
  [['no-such-row'], "there is no row 'no-such-row'; there are: bulk, "],
  [['--no-such-option'], "there is no option '--no-such-option'"],
  [['--json'], '--json needs a file'],
  [['--from', '/no/such/file'], 'cannot read /no/such/file'],
  [['--into-docs', 'bulk'], '--into-docs puts every figure in'],
  [['profile'], 'profile needs one row'],
])(
  'npm run bench -- %s ends with 2 and a sentence',
  (words, sentence) => {
    const { status, stdout, stderr } = bench(...words)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(`bench: ${sentence}`)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  },
  60_000,
)

test('figures measured before become tables in both languages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'estab-bench-'))
  try {
    const file = join(folder, 'results.json')
    const row = { name: 'bulk', title: 'bulk', zh: '批量', unit: 'Gbit/s', atLeast: 8, goal: 20 }
    const rows = [
      { ...row, ours: 9.5, peers: { loopback: 4.75 } },
      { ...row, ours: 7.25, peers: { loopback: 'no loopback here' } },
      { name: 'heap', title: 'heap', zh: '堆', unit: 'octets', atMost: 250, ours: 1234, peers: {} },
      {
        name: 'tun',
        title: 'over TUN',
        zh: '经 TUN',
        unit: '/s',
        atLeastOf: ['veth', 0.5],
        ours: 6,
        peers: { veth: 10 },
      },
    ]
    const values = { '1': 1.234, '10': 'not measured' }
    const growth = [{ name: 'growth', title: 'CPU', zh: '时间', over: 'connections', unit: 'µs per segment', values }]
    const about = { node: 'v0', cpu: 'a processor', cores: 2, kernel: '6', rounds: 5 }
    writeFileSync(file, JSON.stringify({ ...about, rows, growth }))
    const { status, stdout } = bench('--from', file, '--markdown')
    expect(status).toBe(0)
    expect(stdout).toContain('| bulk | **9.50 Gbit/s** | ≥ 8 (20) | node:net, kernel loopback: 4.75 Gbit/s | 2.00 |')
    expect(stdout).toContain('| bulk | 7.25 Gbit/s | ≥ 8 (20) |  |  |')
    expect(stdout).toContain('| heap | 1,234 octets | ≤ 250 |  |  |')
    expect(stdout).toContain('| over TUN | **6/s** | ≥ 0.5 × veth | node:net, kernel veth: 10/s | 0.60 |')
    expect(stdout).toContain('| 批量 | **9.50 Gbit/s** |')
    expect(stdout).toContain('| µs per segment | 1.23 | — |')
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)
