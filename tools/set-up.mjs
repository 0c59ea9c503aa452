// Installs and builds what is missing, so that `npm start` and `npm test` work in a fresh clone.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Estab needs Node 20.19 or later; this is ${process.version}.`)
  process.exit(1)
}

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

/** Latest modification below a folder, ms since the epoch. */
function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return latest
}
