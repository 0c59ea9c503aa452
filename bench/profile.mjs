// Where the time goes: a CPU profile of one measurement, in shares by group of functions and by function.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Groups by what the place of a function matches, the first that does. */
const GROUPS = [
  ['garbage collection', /^\(garbage collector\)/],
  [
    'copying text, cutting frames',
    /^(copy\w*|wasm-function\[1\]|allocate|lend\w*|take\w*Block|set|subarray|fill|slice) |send-text\.js|wire\/(frame|slab)\.js/,
  ],
  ['checksums', /checksum|wasm|vector-memory/i],
  ['wire: headers written and read', /wire\//],
  ['tcp: sending', /tcp\/(send|congestion|recovery)\//],
  ['tcp: receiving', /tcp\/(receive|open)\//],
  ['tcp: the rest', /tcp\//],
  ['ip', /ip\//],
  ['link', /link\//],
  ['sim', /sim\//],
  ['trace', /trace\//],
  ['drill', /drill\//],
  ['socket', /socket\//],
  ["the benchmark's own programs", /bench\//],
  ['Node: modules, streams, timers', /node:/],
]

/** Shares of CPU time of `node ...words`, as text. */
export function profileOf(words) {
  const folder = mkdtempSync(join(tmpdir(), 'estab-profile-'))
  try {
    const options = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', folder]
    const { status, stderr } = spawnSync(process.execPath, [...options, ...words], { encoding: 'utf8' })
    const [name] = readdirSync(folder)
    if (status !== 0 || name === undefined) return `no profile: ${stderr.trim()}`
    return shares(JSON.parse(readFileSync(join(folder, name), 'utf8')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function shares({ nodes, samples, timeDeltas }) {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const functions = new Map()
  const groups = new Map()
  let total = 0
  for (let i = 0; i < samples.length; i++) {
    const place = places.get(samples[i])
    if (place.startsWith('(idle)') || place.startsWith('(program)') || place.startsWith('(root)')) continue
    const group = GROUPS.find(([, pattern]) => pattern.test(place))?.[0] ?? 'the rest'
    functions.set(place, (functions.get(place) ?? 0) + timeDeltas[i])
    groups.set(group, (groups.get(group) ?? 0) + timeDeltas[i])
    total += timeDeltas[i]
  }
  const lines = (map, most) =>
    [...map]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`)
  return [...lines(groups, GROUPS.length + 1), '', ...lines(functions, 20)].join('\n')
}

function placeOf({ functionName, url, lineNumber, columnNumber }) {
  const file = url.replace(/^.*\/(dist|bench)\//, (_, folder) => (folder === 'bench' ? 'bench/' : ''))
  const place = file === 'machine.js' ? placeInMachine(lineNumber, columnNumber) : `${file}:${lineNumber + 1}`
  return `${functionName || '(anonymous)'} ${place}`
}

/** Of dist/machine.js, which is put together from many modules (tools/build.mjs). */
let sources = null

function placeInMachine(line, column) {
  const map = new URL('../dist/machine.js.map', import.meta.url)
  sources ??= new SourceMap(JSON.parse(readFileSync(map, 'utf8')))
  const { originalSource, originalLine } = sources.findEntry(line, column)
  // what the bundler put around them
  if (originalSource === undefined) return `machine.js:${line + 1}`
  return `${originalSource.replace(/^.*src\//, '').replace('.ts', '.js')}:${originalLine + 1}`
}
