import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
/** The package as it is published, and the examples beside it. */
const copy = mkdtempSync(join(tmpdir(), 'estab-sim-'))

beforeAll(() => {
  for (const path of ['package.json', 'examples']) cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  spawnSync(process.execPath, [join(root, 'tools/build.mjs'), join(copy, 'dist')])
}, 60_000)

afterAll(() => rmSync(copy, { recursive: true, force: true }))

function node(...words: string[]): { status: number | null; printed: string } {
  const env = { ...process.env, NODE_OPTIONS: '' }
  // a test runner inside a test runner would report to it
  delete (env as Record<string, unknown>).NODE_TEST_CONTEXT
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: copy,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, printed: stdout + stderr }
}

test("the example for Node's own test runner, on the package as it is built", () => {
  const { status, printed } = node('--test', 'examples/in-node-test.mjs')
  expect(printed).toContain('pass 2')
  expect(status).toBe(0)
}, 90_000)

test('a process in which a run has ended ends by itself, whatever the program left', () => {
  const { status, printed } = node(
    '--input-type=module',
    '-e',
    `
    import http from 'node:http'
    import { createNetwork } from 'estab/sim'
    const sim = createNetwork()
    const real = Date.now()
    await sim.run(async () => {
      sim.on('server', () => http.createServer((_request, response) => response.end('hello')).listen(80))
      setInterval(() => console.log('never'), 1_000_000)
      console.log(await (await fetch('http://server/')).text(), Date.now())
    })
    console.log(Date.now() - real < 60_000)
    `,
  )
  expect(printed).toBe('hello 946684800000\ntrue\n')
  expect(status).toBe(0)
}, 60_000)

test("what is thrown outside while a run goes on is not taken for the run's", () => {
  const { status, printed } = node(
    '--input-type=module',
    '-e',
    `
    import { createNetwork } from 'estab/sim'
    setTimeout(() => { throw new Error('outside') }, 1)
    const { scrypt } = await import('node:crypto')
    await createNetwork().run(() => new Promise((done) => scrypt('a', 'b', 64, { N: 2 ** 15, maxmem: 2 ** 30 }, done)))
    console.log('not reached')
    `,
  )
  expect(printed).toContain('Error: outside')
  expect(printed).not.toContain('not reached')
  expect(status).not.toBe(0)
}, 60_000)
