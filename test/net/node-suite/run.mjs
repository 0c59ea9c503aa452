// Runs test/parallel/test-net-*.js of Node's own sources against `estab/net`, each file in a process of its own.
//   node test/net/node-suite/run.mjs [--only TEXT] [--verbose]
// The sources are Debian's, outside this repository: get-source.sh beside this gets them, or ESTAB_NODE_SOURCE says where.
// Applicable is what the `net` of the Node that runs passes and is not in not-applicable.json, which says why.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')
/** How long one file may take, ms. */
const PATIENCE = 30_000
const AT_ONCE = 2
/** The files look for globals that were leaked: to those of Node 18, what Node has had since 21 would be leaks. */
const LEAKS = Number(process.versions.node.split('.')[0]) > 20 ? { NODE_TEST_KNOWN_GLOBALS: '0' } : {}

/** Where Node's sources are; null: they are not here. */
export function nodeSource() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = process.env.ESTAB_NODE_SOURCE ?? join(cache, 'estab/node-source')
  return existsSync(join(folder, 'test/parallel')) ? folder : null
}

/** What a run of the suite came to, in one line. */
export function summary(source, { passed, failed, notApplicable }) {
  const version = readFileSync(join(source, 'src/node_version.h'), 'utf8')
  const number = (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(version)[1]
  const tests = `tests of net of Node ${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`
  const applicable = passed.length + failed.length
  return `${passed.length} of ${applicable} applicable ${tests} pass; ${notApplicable.length} do not apply`
}

/** @returns {Promise<{ passed: string[], failed: {name: string, output: string}[], notApplicable: {name: string, reason: string}[] }>} */
export async function runNodeSuite(source, only = '') {
  const reasons = JSON.parse(readFileSync(join(here, 'not-applicable.json'), 'utf8'))
  const work = mkdtempSync(join(tmpdir(), 'estab-net-suite-'))
  const built = join(work, 'built')
  spawnSync(process.execPath, [join(root, 'tools/build.mjs'), built])
  const folder = join(source, 'test/parallel')
  // whatever package the folder above is, these files are CommonJS
  if (!existsSync(join(source, 'package.json'))) writeFileSync(join(source, 'package.json'), '{}\n')
  const names = readdirSync(folder).filter((name) => /^test-net-.*\.m?js$/.test(name) && name.includes(only))
  const passed = []
  const failed = []
  const notApplicable = []
  const waiting = [...names]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const reason = reasons[name]
        if (reason !== undefined) {
          notApplicable.push({ name, reason })
          continue
        }
        const ours = await runFile(join(folder, name), work, built)
        if (ours.passed) passed.push(name)
        else if (!(await runFile(join(folder, name), work, null)).passed) {
          notApplicable.push({ name, reason: `Node ${process.version} itself does not pass it` })
        } else failed.push({ name, output: ours.output })
      }
    }),
  )
  rmSync(work, { recursive: true, force: true })
  return { passed, failed, notApplicable }
}

/** @param built null: with Node's own `net` */
async function runFile(file, work, built) {
  const flags = /^\/\/ Flags:(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1].trim().split(/\s+/) ?? []
  const preload = built === null ? [] : ['--import', pathToFileURL(join(here, 'preload.mjs')).href]
  const own = mkdtempSync(join(work, 'run-'))
  const outputFile = join(own, 'output')
  const output = openSync(outputFile, 'w')
  const child = spawn(process.execPath, [...flags, ...preload, file], {
    cwd: own,
    env: { ...process.env, ...LEAKS, ESTAB_BUILT: built ?? '', NODE_TEST_DIR: own, NODE_OPTIONS: '', NODE_ENV: '' },
    stdio: ['ignore', output, output],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  const [code, signal] = await new Promise((resolve) => child.on('exit', (...how) => resolve(how)))
  clearTimeout(timer)
  closeSync(output)
  const text = readFileSync(outputFile, 'utf8')
  return { passed: code === 0, output: `${signal === 'SIGKILL' ? `no end after ${PATIENCE} ms\n` : ''}${text}` }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const source = nodeSource()
  if (source === null) {
    console.error("Node's sources are not here: get them with test/net/node-suite/get-source.sh")
    process.exit(2)
  }
  const at = process.argv.indexOf('--only')
  const result = await runNodeSuite(source, at < 0 ? '' : process.argv[at + 1])
  for (const { name, output } of result.failed) {
    console.log(`FAIL ${name}`)
    if (process.argv.includes('--verbose')) console.log(output.split('\n').slice(0, 40).join('\n'))
  }
  for (const { name, reason } of result.notApplicable) console.log(`not applicable: ${name}: ${reason}`)
  console.log(summary(source, result))
  process.exitCode = result.failed.length === 0 ? 0 : 1
}
