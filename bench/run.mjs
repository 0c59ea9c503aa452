// npm run bench [-- ROW… | growth] [--quick] [--json FILE] [--markdown | --into-docs] [--from FILE]
// npm run bench -- profile ROW
//
// Every figure of the README and of docs/performance.md. A row is { name, title, zh, unit, ours, peers } and what is to be
// reached: `atLeast` or `atMost`, `goal` (where this goes), `atLeastOf: [peer, ratio]`. `ours(size)` and each of
// `peers` (by the names of PEERS in report.mjs) answer a number, or a sentence that says why there is none on this machine;
// `size` is 1, or 0.3 with --quick. `once`: what does not vary. In place of `ours` and `peers`, `together(size, rounds)` measures
// all sides at once: { ours: […], peer: […], … }. A file of bench/ that exports `rows` is found if it is in FILES.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { profileOf } from './profile.mjs'
import { fillMarkers, growthMarkdown, growthText, rowText, tableHead, tableMarkdown } from './report.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const FILES = ['machine', 'net', 'short', 'memory', 'tun', 'virtual-time'].map((name) => here(`${name}.mjs`))

const rows = []
for (const file of FILES) if (existsSync(file)) rows.push(...((await import(file)).rows ?? []))
const { growth } = await import('./growth.mjs')

if (process.argv[2] === '--one') {
  const [, , , name, whose, size, rounds] = process.argv
  const row = rows.find((one) => one.name === name)
  const sides = row
    ? { ours: row.ours, together: row.together, ...row.peers }
    : growth.find((one) => one.name === name).at
  process.stdout.write(JSON.stringify(await sides[whose](Number(size), Number(rounds))), () => process.exit(0))
  await new Promise(() => {})
}

const asked = readArguments(process.argv.slice(2))
const rounds = asked.quick ? 1 : 5
const size = asked.quick ? 0.3 : 1
const quiet = asked.markdown
const print = (text) => (quiet ? process.stderr : process.stdout).write(`${text}\n`)

const results = asked.from === null ? measureAll() : readResults(asked.from)
if (asked.markdown) {
  const tables = [tableMarkdown, growthMarkdown].flatMap((table) =>
    ['en', 'zh'].map((language) => table(results, language)),
  )
  console.log(tables.filter((table) => table !== '').join('\n\n'))
}
if (asked.intoDocs) for (const file of fillMarkers(results, here('..'))) print(`bench: figures put into ${file}`)
if (asked.from === null) {
  const file = asked.json ?? here('results.json')
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}
process.exit(0)

function readArguments(words) {
  const read = { quick: false, markdown: false, intoDocs: false, json: null, from: null, rows: [], growth: false }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    if (word === '--quick') read.quick = true
    else if (word === '--markdown') read.markdown = true
    else if (word === '--into-docs') read.intoDocs = true
    else if (word === '--json' || word === '--from') {
      const file = words[++i]
      if (file === undefined || file.startsWith('-')) refuse(`${word} needs a file`)
      read[word.slice(2)] = file
    } else if (word === 'growth') read.growth = true
    else if (word === 'profile') profile(words.slice(i + 1))
    else if (word.startsWith('-')) refuse(`there is no option '${word}'`)
    else {
      const named = rows.filter(({ name }) => name === word || name.startsWith(`${word}-`))
      if (named.length === 0)
        refuse(`there is no row '${word}'; there are: ${rows.map(({ name }) => name).join(', ')}, growth`)
      read.rows = rows.filter((row) => read.rows.includes(row) || named.includes(row))
    }
  }
  const everything = read.rows.length === 0 && !read.growth
  if (everything) read.rows = rows
  // the whole truth belongs in the documents
  if (everything && (read.intoDocs || read.markdown)) read.growth = true
  if (read.intoDocs && !everything) refuse('--into-docs puts every figure in, it takes no rows')
  return read
}

/** Prints where the time of one row goes, and ends. */
function profile([name, ...others]) {
  const row = rows.find((one) => one.name === name)
  if (row === undefined || others.length > 0) {
    refuse(`profile needs one row: ${rows.map((one) => one.name).join(', ')}`)
  }
  if (row.together) refuse(`'${name}' is measured in several processes: profile one with TUN_END_ARGV=--cpu-prof`)
  console.log(profileOf(['--expose-gc', here('run.mjs'), '--one', name, 'ours', '1', '1']))
  process.exit(0)
}

function refuse(sentence) {
  console.error(`bench: ${sentence}`)
  process.exit(2)
}

function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return refuse(`cannot read ${file}: ${error.message}`)
  }
}

/** One measurement in a process of its own, with neither garbage nor compiled code of another: a number, or why there is none. */
function alone(name, whose) {
  const words = [
    '--expose-gc',
    '--max-old-space-size=8192',
    here('run.mjs'),
    '--one',
    name,
    whose,
    `${size}`,
    `${rounds}`,
  ]
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  if (status === 0) return JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1))
  return `'${name}' (${whose}) ended with ${signal ?? status}: ${stderr.trim().split('\n').slice(-8).join('\n')}`
}

function measureAll() {
  const measured = {
    node: process.version,
    cpu: cpus()[0].model,
    cores: cpus().length,
    kernel: release(),
    rounds,
    rows: [],
    growth: [],
  }
  print(
    `${measured.cpu}, ${measured.cores} cores, Linux ${measured.kernel}, Node ${measured.node}; medians of ${rounds}`,
  )
  print('rates are per second of CPU time, those over TUN and veth of time\n')
  if (asked.rows.length > 0) print(tableHead())
  for (const row of asked.rows) {
    const result = measureRow(row)
    measured.rows.push(result)
    print(rowText(result))
  }
  for (const table of asked.growth ? growth : []) {
    const result = { ...table, at: undefined, values: {} }
    for (const point of Object.keys(table.at))
      result.values[point] = summary(Array.from({ length: Math.min(rounds, 3) }, () => alone(table.name, point)))
    measured.growth.push(result)
    print(`\n${growthText(result)}`)
  }
  return measured
}

function measureRow({ name, title, zh, unit, atLeast, atMost, goal, atLeastOf, peers = {}, once, together }) {
  let all = Object.fromEntries(['ours', ...Object.keys(peers)].map((whose) => [whose, []]))
  // in turn, so that a machine that slows down slows all
  for (let i = 0; i < (together ? 0 : once ? 1 : rounds); i++) {
    for (const whose of Object.keys(all)) if (typeof all[whose][0] !== 'string') all[whose].push(alone(name, whose))
  }
  if (together) {
    const sides = alone(name, 'together')
    all = typeof sides === 'string' ? { ours: [sides] } : sides
  }
  const medians = Object.fromEntries(Object.entries(all).map(([whose, values]) => [whose, summary(values)]))
  const { ours, ...theirs } = medians
  return { name, title, zh, unit, atLeast, atMost, goal, atLeastOf, ours, peers: theirs, all }
}

/** The median, or the sentence that says why there is no number. */
function summary(values) {
  return values.find((value) => typeof value === 'string') ?? values.toSorted((a, b) => a - b)[values.length >> 1]
}
