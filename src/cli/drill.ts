import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  type FlagSetting,
  failureText,
  jsonReport,
  type RunResult,
  runVariants,
  summary,
  type VariantChoice,
} from '../drill/index.js'
import type { ProfileName } from '../tcp/index.js'
import { ladder, pcapng } from '../trace/index.js'

export interface DrillChoices {
  readonly profile: ProfileName
  readonly variants: VariantChoice
  readonly json?: boolean
  readonly pcap?: string
  readonly ladder?: boolean
  readonly seed: number
  /** packetdrill's own flags. */
  readonly flags: readonly FlagSetting[]
}

/** Runs scripts and prints what became of them; gives the exit code. */
export function drillFiles(paths: readonly string[], choices: DrillChoices): number {
  const files: string[] = []
  for (const path of paths) {
    const found = scriptsAt(path)
    if (found === null) {
      process.stderr.write(`error: ${path}: no such file or directory\n`)
      return 2
    }
    files.push(...found)
  }
  if (files.length === 0) {
    process.stderr.write(`error: no scripts (*.pkt) in ${paths.join(', ')}\n`)
    return 2
  }
  const verbose = choices.flags.some(({ name }) => name === 'verbose')
  const runs: RunResult[] = []
  for (const file of files) {
    for (const run of runFile(file, choices)) {
      if (choices.pcap !== undefined) writeCapture(run, choices.pcap, files.length)
      if (choices.json !== true) print(run, choices.ladder === true, verbose)
      // events are large: what is printed is forgotten
      runs.push({ ...run, events: [], output: [] })
    }
  }
  process.stdout.write(choices.json ? `${JSON.stringify(jsonReport(runs))}\n` : `${summary(runs)}\n`)
  return runs.every(({ ok }) => ok) ? 0 : 1
}

/** Runs one script as all its variants. */
export function runFile(
  file: string,
  choices: Omit<DrillChoices, 'variants'> & { variants?: VariantChoice },
): RunResult[] {
  const source = readFileSync(file, 'utf8')
  const options = {
    profile: choices.profile,
    file,
    flags: choices.flags,
    readFile: (path: string) => readBeside(file, path),
    packets: choices.pcap !== undefined,
    events: choices.pcap !== undefined || choices.ladder === true,
    seed: choices.seed,
  }
  return runVariants(source, options, choices.variants)
}

function print(run: RunResult, withLadder: boolean, verbose: boolean): void {
  if (verbose) for (const line of run.output) process.stdout.write(`${line}\n`)
  if (withLadder) {
    process.stdout.write(`${run.file} [${run.variant}]\n${ladder(run.events, { width: columns() })}\n`)
  }
  if (!run.ok) process.stdout.write(`${failureText(run)}\n`)
}

const columns = (): number => Math.max(72, process.stdout.columns ?? 100)

/** One run: the file named; several: a file for each, named after its script. */
function writeCapture(run: RunResult, path: string, files: number): void {
  const [, stem = path, extension = '.pcapng'] = /^(.*?)(\.[^./]*)?$/.exec(path) ?? []
  const script = run.file.replace(/^.*\//, '').replace(/\.pkt$/, '')
  const name = files === 1 ? path : `${stem}-${script}-${run.variant}${extension}`
  writeFileSync(name, pcapng(run.events))
}

/** Scripts at a path, in order; null: there is nothing there. */
function scriptsAt(path: string): string[] | null {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return null
  if (!found.isDirectory()) return [path]
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.pkt'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/**
 * A file that a script names by a path from where it stood in its own project: suites are also kept flatter than they
 * were, so that `../../common/defaults.sh` is looked for further down as well.
 */
function readBeside(file: string, path: string): string | null {
  for (let wanted = path; ; wanted = wanted.slice(3)) {
    const text = readText(resolve(dirname(file), wanted))
    if (text !== null || !wanted.startsWith('../')) return text
  }
}

function readText(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() ? readFileSync(path, 'utf8') : null
}
