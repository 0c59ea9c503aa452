// Installs and builds what is missing, so that `npm start` and `npm test` work in a fresh clone.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Estab needs Node 20.19 or later; this is ${process.version}.`)
  process.exit(1)
}

takeTurn(join(root, 'node_modules/.estab-set-up'))
const installed = join(root, 'node_modules/.package-lock.json')
const lock = join(root, 'package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  // not `npm ci`: it refuses a lock without the binaries of other platforms, which not every registry mirror has
  run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'])
}

const built = join(root, 'dist/.built')
const changed = Math.max(newest(join(root, 'src')), statSync(join(root, 'tools/build.mjs')).mtimeMs)
if (!existsSync(built) || changed > statSync(built).mtimeMs) run('npm', ['run', '--silent', 'build'])

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  console.error(`set-up: '${command} ${args.join(' ')}' failed${error ? `: ${error.message}` : ''}`)
  process.exit(1)
}

/** Test files that need what is built ask for it at the same time: one builds, the others wait until it has. */
function takeTurn(lock) {
  for (;;) {
    try {
      mkdirSync(dirname(lock), { recursive: true })
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      process.on('exit', () => rmSync(lock, { force: true }))
      return
    } catch (error) {
      // who may not write here will not build here
      if (error.code !== 'EEXIST') return
    }
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  }
}

/** Whether the process that has its turn was killed. */
function isAbandoned(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'latin1')), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Latest modification below a folder, ms since the epoch. */
function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return latest
}
