import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { run } from './commands.js'

let printed = ''
let complained = ''

beforeEach(() => {
  printed = ''
  complained = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained += text
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

const PASSES = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.1 connect(3, ..., ...) = 0
+0 > S 0:0(0) <...>
+.1 < S. 0:0(0) ack 1 win 1000
+0 > . 1:1(0) ack 1
`
const FAILS = PASSES.replace('. 1:1(0) ack 1\n', '. 2:2(0) ack 1\n')

/** A directory with a script that passes and one that fails. */
function scripts(): { directory: string; passes: string; fails: string } {
  const directory = mkdtempSync(join(tmpdir(), 'estab-'))
  const passes = join(directory, 'passes.pkt')
  const fails = join(directory, 'fails.pkt')
  writeFileSync(passes, PASSES)
  writeFileSync(fails, FAILS)
  return { directory, passes, fails }
}

describe('estab drill', () => {
  test('ends with 0 when all scripts pass, 1 when one fails, 2 when there is none', async () => {
    const { directory, passes } = scripts()
    expect(await run(['drill', passes])).toBe(0)
    expect(await run(['drill', directory])).toBe(1)
    expect(await run(['drill', join(directory, 'none')])).toBe(2)
    expect(complained).toContain('none: no such file')
  })

  test('tells where a script fails, and sums up by directory', async () => {
    const { directory, fails } = scripts()
    await run(['drill', '--variants', 'ipv4', directory])
    expect(printed).toContain(`${fails}:5:4: expected an outgoing segment`)
    expect(printed).toMatch(/1\/2 {2}1 failed/)
  })

  test('prints one object with --json', async () => {
    const { directory, fails } = scripts()
    await run(['drill', '--json', '--variants', 'ipv4', directory])
    const report = JSON.parse(printed)
    expect(report).toMatchObject({ passed: 1, failed: 1 })
    expect(report.runs[0]).toMatchObject({ file: fails, variant: 'ipv4', ok: false, error: { line: 5, column: 4 } })
    expect(report.runs[1]).toMatchObject({ ok: true, error: null, virtualSeconds: 0.1 })
    expect(report.runs[1].connections[0].states.at(-1)).toEqual({ at: 0.1, state: 'ESTABLISHED', cause: 'rcv SYN,ACK' })
  })

  test("takes packetdrill's own flags", async () => {
    const { directory } = scripts()
    const script = join(directory, 'symbol.pkt')
    writeFileSync(script, PASSES.replace('= 3', '= THREE'))
    expect(await run(['drill', '-D', 'THREE=3', '--ip_version=ipv6', '--tolerance_usecs', '9000', script])).toBe(0)
    expect(await run(['drill', '--tolerance_usecs=soon', script])).toBe(2)
    expect(complained).toContain('tolerance_usecs')
  })

  test('-v tells of every call and packet, and --help of -v and -D', async () => {
    const { passes } = scripts()
    expect(await run(['drill', '-v', '--variants', 'ipv4', passes])).toBe(0)
    expect(printed).toMatch(/^socket call: 0\.0+\noutbound sniffed packet: .* > S 0:0\(0\)/)
    expect(await run(['drill', '--help'])).toBe(0)
    expect(printed).toMatch(/-v, --verbose +print/)
    expect(printed).toMatch(/-D, --define <NAME=VALUE> +what/)
  })

  test('draws connections and writes captures', async () => {
    const { directory, passes } = scripts()
    const capture = join(directory, 'out.pcapng')
    await run(['drill', '--variants', 'ipv4', '--ladder', '--pcap', capture, passes])
    expect(printed).toContain('SYN-SENT')
    expect(readFileSync(capture).readUInt32LE(0)).toBe(0x0a0d0d0a)
  })
})

test('estab states prints the table of transitions in each of its forms', async () => {
  for (const [format, part] of [
    ['table', 'TIME-WAIT'],
    ['ascii', 'ESTAB'],
    ['mermaid', 'stateDiagram'],
    ['svg', '<svg'],
  ] as const) {
    printed = ''
    expect(await run(['states', '--format', format])).toBe(0)
    expect(printed).toContain(part)
  }
})

test('estab scenario lists and runs the gallery', async () => {
  expect(await run(['scenario', 'list'])).toBe(0)
  expect(printed).toContain('four-way-close')
  expect(await run(['scenario', 'run', 'four-way-close', '--ladder'])).toBe(0)
  expect(printed).toContain('TIME-WAIT')
  expect(await run(['scenario', 'run', 'no-such-thing'])).toBe(2)
})

test('a command that is none is wrong use', async () => {
  expect(await run(['frobnicate'])).toBe(2)
  expect(await run(['--version'])).toBe(0)
  expect(printed).toMatch(/^\d+\.\d+\.\d+\n$/)
})
