import { readdirSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failureText, type RunResult } from '../drill/index.js'
import type { ProfileName } from '../tcp/index.js'
import { displayWidth, ladder } from '../trace/index.js'
import { drillFiles, runFile } from './drill.js'

const DIRECTORY = fileURLToPath(new URL('../../scenarios/', import.meta.url))

interface Scenario {
  readonly name: string
  readonly file: string
  readonly title: string
  readonly chinese: string
  /** What its first comment says below the titles. */
  readonly description: string
}

/** The scenarios of the package, by name. */
export function scenarios(): Scenario[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.pkt'))
    .sort()
    .map((file) => describe(file, readFileSync(`${DIRECTORY}${file}`, 'utf8')))
}

function describe(file: string, text: string): Scenario {
  const comments: string[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('//')) break
    comments.push(line.slice(2).trim())
  }
  const field = (label: RegExp) =>
    comments
      .find((line) => label.test(line))
      ?.replace(label, '')
      .trim() ?? ''
  return {
    name: file.replace(/\.pkt$/, ''),
    file: `${DIRECTORY}${file}`,
    title: field(TITLE),
    chinese: field(CHINESE),
    description: comments
      .filter((line) => !TITLE.test(line) && !CHINESE.test(line))
      .join(' ')
      .trim(),
  }
}

const TITLE = /^title\s*[:：]/i
const CHINESE = /^标题\s*[:：]/

export function listScenarios(): void {
  const all = scenarios()
  const width = Math.max(...all.map(({ name }) => name.length))
  const titles = Math.max(...all.map(({ title }) => displayWidth(title)))
  for (const { name, title, chinese } of all) {
    const gap = ' '.repeat(titles - displayWidth(title))
    process.stdout.write(`${name.padEnd(width)}  ${title}${gap}  ${chinese}`.trimEnd().concat('\n'))
  }
}

export function runScenario(name: string, choices: { profile: ProfileName; ladder?: boolean }): number {
  const found = scenarios().find((scenario) => scenario.name === name)
  if (found === undefined) {
    process.stderr.write(`error: no scenario '${name}'; estab scenario list names them all\n`)
    return 2
  }
  const { title, chinese, description, file } = found
  process.stdout.write(
    `${title}${chinese === '' ? '' : ` · ${chinese}`}\n${description === '' ? '' : `${description}\n`}\n`,
  )
  const [run] = runOnce(file, choices.profile)
  if (run === undefined) return 2
  if (choices.ladder === true) drawn(run)
  for (const { local, remote, states } of run.connections) {
    process.stdout.write(`${local} <> ${remote}\n`)
    for (const { at, state, cause } of states) {
      process.stdout.write(`  ${at.toFixed(3).padStart(10)}  ${state.padEnd(12)}  ${cause}\n`)
    }
  }
  process.stdout.write(run.ok ? '' : `${failureText(run)}\n`)
  return run.ok ? 0 : 1
}

/** What `npm start` shows: a connection opened and closed, as a ladder; then every scenario drilled. */
export async function tour(): Promise<number> {
  for (const name of ['three-way-handshake', 'four-way-close']) {
    const found = scenarios().find((scenario) => scenario.name === name)
    const [run] = found === undefined ? [] : runOnce(found.file, 'linux')
    if (found === undefined || run === undefined) continue
    process.stdout.write(`${found.title} · ${found.chinese}\n\n`)
    drawn(run)
  }
  process.stdout.write('Every scenario, drilled in virtual time:\n\n')
  return drillFiles([relative(process.cwd(), DIRECTORY) || '.'], {
    profile: 'linux',
    variants: 'auto',
    seed: 1,
    flags: [],
  })
}

function runOnce(file: string, profile: ProfileName): RunResult[] {
  return runFile(file, { profile, seed: 1, flags: [], variants: 'auto', ladder: true }).slice(0, 1)
}

function drawn(run: RunResult): void {
  process.stdout.write(`${ladder(run.events, { width: Math.max(72, process.stdout.columns ?? 100) })}\n`)
}
