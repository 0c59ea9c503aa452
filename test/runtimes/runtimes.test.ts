import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { build, type Rollup } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as estab from '../../src/index.js'
import * as sim from '../../src/sim/index.js'
import * as tun from '../../src/socket/tun/index.js'
import type { Outcome } from './check.js'
import { nodeFaceChecks, otherRuntimeChecks, programChecks } from './node-face.js'
import { simulationChecks } from './simulation.js'
import { webStreamChecks } from './web-streams.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => process.env.PATH!.split(':').map((directory) => join(directory, name)))
  .find((file) => existsSync(file))

/** A project of its own that has the built package as a dependency, by its exports. */
let project = ''

const EVERYWHERE = [...webStreamChecks(estab), ...simulationChecks(sim)].map(({ title }) => title)
const ON_NODE = [...nodeFaceChecks(estab), ...programChecks(sim)].map(({ title }) => title)
const NOT_NODE = otherRuntimeChecks(tun).map(({ title }) => title)
const NO_NODE = 'host.net says what it needs'

const PROGRAM = `
import * as estab from 'estab'
import * as sim from 'estab/sim'
import { runAll } from '${here('check.ts')}'
import { simulationChecks } from '${here('simulation.ts')}'
import { webStreamChecks } from '${here('web-streams.ts')}'
const everywhere = [...webStreamChecks(estab), ...simulationChecks(sim)]
`
const ON_NODE_PROGRAM = `${PROGRAM}
import * as tun from 'estab/tun'
import { nodeFaceChecks, otherRuntimeChecks, programChecks } from '${here('node-face.ts')}'
const isNode = !('Bun' in globalThis || 'Deno' in globalThis)
const checks = [...everywhere, ...nodeFaceChecks(estab), ...programChecks(sim), ...(isNode ? [] : otherRuntimeChecks(tun))]
const outcomes = await runAll(checks)
console.log(JSON.stringify(outcomes))
process.exit(0)
`
const BROWSER_PROGRAM = `${PROGRAM}
async function netIsMissing() {
  try {
    sim.createNetwork().host('a').net
  } catch (error) {
    if (/^host.net is the node:net API, .* In a browser use host.connect/.test(error.message)) return
    throw error
  }
  throw new Error('there is a host.net')
}
globalThis.outcomes = () => runAll([...everywhere, { title: '${NO_NODE}', run: netIsMissing }])
`

/** One file that holds the program, and with \`browser\` the package too. */
async function bundle(program: string, browser: boolean): Promise<string> {
  const entry = join(project, browser ? 'browser.mjs' : 'main.mjs')
  writeFileSync(entry, program)
  const result = (await build({
    configFile: false,
    logLevel: 'error',
    root: project,
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry, formats: [browser ? 'iife' : 'es'], name: 'program' },
      rolldownOptions: browser ? {} : { external: [/^estab/, /^node:/] },
    },
  })) as Rollup.RollupOutput[]
  return result[0]!.output[0].code
}

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'tools/set-up.mjs')])
  project = mkdtempSync(join(tmpdir(), 'estab-runtimes-'))
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/estab'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "dependencies": { "estab": "*" } }')
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

interface Runtime {
  readonly name: string
  /** Null: it is here. */
  readonly missing: string | null
  readonly titles: readonly string[]
  run(): Promise<Outcome[]>
}

/** A runtime of the package \`name\`, or Node itself; it is given no right to use the network. */
function command(name: string, program: string, words: readonly string[]): Runtime {
  return {
    name,
    missing: existsSync(program) ? null : `npm package ${name} is not installed`,
    titles: [...EVERYWHERE, ...ON_NODE, ...(name === 'node' ? [] : NOT_NODE)],
    async run() {
      const file = join(project, 'program.mjs')
      if (!existsSync(file)) writeFileSync(file, await bundle(ON_NODE_PROGRAM, false))
      const { stdout } = await run(program, [...words, file], { cwd: project, maxBuffer: 1e7 })
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome[]
    },
  }
}

const browser: Runtime = {
  name: 'Chromium',
  missing: CHROMIUM === undefined ? 'no chromium (Debian: chromium)' : null,
  titles: [...EVERYWHERE, NO_NODE],
  async run() {
    const opened = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] })
    try {
      const page = await opened.newPage()
      const code = await bundle(BROWSER_PROGRAM, true)
      expect(code).not.toMatch(/\brequire\(|from ['"]node:/)
      await page.addScriptTag({ content: code })
      return await page.evaluate(() => (globalThis as unknown as { outcomes(): Promise<Outcome[]> }).outcomes())
    } finally {
      await opened.close()
    }
  },
}

const bin = (name: string) => join(root, 'node_modules/.bin', name)

describe.each([
  command('node', process.execPath, []),
  command('bun', bin('bun'), []),
  command('deno', bin('deno'), ['run', '--allow-env', '--allow-read', '--allow-sys']),
  browser,
])('$name', ({ name, missing, titles, run: runThere }) => {
  if (missing !== null && process.env.CI !== undefined) {
    test(`${name} is tested in CI`, () => expect.fail(`it cannot be: ${missing}`))
  }
  describe.skipIf(missing !== null)(missing === null ? 'runs the built package' : `skipped: ${missing}`, () => {
    let outcomes: Outcome[] = []

    beforeAll(async () => {
      outcomes = await runThere()
    }, 120_000)

    test.each(titles)('%s', (title) => {
      const outcome = outcomes.find((one) => one.title === title)
      expect(outcome, 'it was not run').toBeDefined()
      expect(outcome!.error).toBeNull()
    })
  })
})
