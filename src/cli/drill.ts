import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  type FlagSetting,
  failureText,
  jsonReport,
  jsonRun,
  linuxKernel,
  type Parting,
  parting,
  partingText,
  type RunResult,
  runVariants,
  summary,
  type TargetKind,
  type VariantChoice,
} from '../drill/index.js'
import type { ProfileName } from '../tcp/index.js'
import { ladder, pcapng } from '../trace/index.js'

/** What scripts are run on; both: how they compare. */
export type Against = 'estab' | 'linux'

export interface DrillChoices {
  readonly profile: ProfileName
  readonly against?: readonly Against[]
  readonly variants: VariantChoice
  readonly json?: boolean
  readonly pcap?: string
  readonly ladder?: boolean
  readonly seed: number
  /** packetdrill's own flags. */
  readonly flags: readonly FlagSetting[]
}

/** Runs scripts and prints what became of them; gives the exit code. */
export async function drillFiles(paths: readonly string[], choices: DrillChoices): Promise<number> {
  const against = choices.against ?? ['estab']
  if (!against.includes('linux')) return drillAll(paths, choices, undefined)
  if (choices.profile !== 'linux') return refuse(`the kernel of this machine is not ${choices.profile}'s`)
  try {
    const kernel = await linuxKernel()
    return against.includes('estab') ? compareAll(paths, choices, kernel) : drillAll(paths, choices, kernel)
  } catch (error) {
    if (error instanceof Error) return refuse(error.message)
    throw error
  }
}

function refuse(reason: string): number {
  process.stderr.write(`error: ${reason}\n`)
  return 2
}

function drillAll(paths: readonly string[], choices: DrillChoices, target: TargetKind | undefined): number {
  const files = scriptsIn(paths)
  if (typeof files === 'string') return refuse(files)
  const verbose = choices.flags.some(({ name }) => name === 'verbose')
  const runs: RunResult[] = []
  for (const file of files) {
    if (target !== undefined) announce(file, runFile(file, choices))
    for (const run of runFile(file, choices, { target })) {
      if (choices.pcap !== undefined) writeCapture(run, choices.pcap, files.length)
      if (choices.json !== true) print(run, choices.ladder === true, verbose)
      // events are large: what is printed is forgotten
      runs.push({ ...run, events: [], output: [] })
    }
  }
  process.stdout.write(choices.json ? `${JSON.stringify(jsonReport(runs))}\n` : `${summary(runs)}\n`)
  return runs.every(({ ok }) => ok) ? 0 : 1
}

/** A kernel's clock cannot be wound forward: says of a script that takes long how long it took in virtual time. */
function announce(file: string, ours: readonly RunResult[]): void {
  const seconds = ours.reduce((sum, { virtualSeconds }) => sum + virtualSeconds, 0)
  if (seconds > LONG) process.stderr.write(`${file}: its runs take ${duration(seconds)} of the kernel's time\n`)
}

/** Seconds after which somebody who waits would like to know. */
const LONG = 10

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

/** Runs each script on our host and on the kernel, and prints both results and where they part. */
function compareAll(paths: readonly string[], choices: DrillChoices, kernel: TargetKind): number {
  const files = scriptsIn(paths)
  if (typeof files === 'string') return refuse(files)
  const verbose = choices.flags.some(({ name }) => name === 'verbose')
  const found: { parting: Parting | null; runs: readonly [RunResult, RunResult] }[] = []
  for (const file of files) {
    const ours = runFile(file, choices, { story: true })
    announce(file, ours)
    for (const [i, run] of runFile(file, choices, { target: kernel, story: true }).entries()) {
      const runs = [ours[i]!, run] as const
      if (choices.pcap !== undefined) {
        for (const [which, each] of runs.entries()) writeCapture(each, choices.pcap, files.length, BOTH[which])
      }
      found.push({ parting: parting(...runs), runs })
      if (choices.json !== true) printComparison(found.at(-1)!, choices.ladder === true, verbose)
    }
  }
  const apart = found.filter(({ parting }) => parting !== null).length
  const same = found.length - apart
  if (choices.json === true) {
    const comparisons = found.map(({ parting, runs: [estab, linux] }) => ({
      estab: jsonRun(estab),
      linux: jsonRun(linux),
      parting,
    }))
    process.stdout.write(`${JSON.stringify({ comparisons, same, apart })}\n`)
  } else process.stdout.write(`${same} the same, ${apart} not\n`)
  return apart === 0 ? 0 : 1
}

const BOTH = ['estab', 'linux'] as const

function printComparison(
  { parting, runs }: { parting: Parting | null; runs: readonly [RunResult, RunResult] },
  withLadder: boolean,
  verbose: boolean,
): void {
  const [{ file, variant }] = runs
  const results = runs.map(({ ok }, i) => `${BOTH[i]} ${ok ? 'passes' : 'fails'}`)
  process.stdout.write(`${file} [${variant}]: ${results.join(', ')}\n`)
  if (parting !== null) process.stdout.write(`${partingText(parting, BOTH).join('\n')}\n`)
  for (const [i, run] of runs.entries()) print(run, withLadder, verbose, BOTH[i])
}

/** Runs one script as all its variants. */
export function runFile(
  file: string,
  choices: Omit<DrillChoices, 'variants'> & { variants?: VariantChoice },
  { target, story = false }: { readonly target?: TargetKind | undefined; readonly story?: boolean } = {},
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
    story,
    ...(target === undefined ? {} : { target }),
  }
  return runVariants(source, options, choices.variants)
}

/** @param target said where there are several */
function print(run: RunResult, withLadder: boolean, verbose: boolean, target?: Against): void {
  const which = target === undefined ? run.variant : `${target}, ${run.variant}`
  if (verbose) for (const line of run.output) process.stdout.write(`${line}\n`)
  if (withLadder) {
    process.stdout.write(`${run.file} [${which}]\n${ladder(run.events, { width: columns() })}\n`)
  }
  if (!run.ok) process.stdout.write(`${failureText(run, target)}\n`)
}

const columns = (): number => Math.max(72, process.stdout.columns ?? 100)

/** One run: the file named; several: a file for each, named after its script and, of several, its target. */
function writeCapture(run: RunResult, path: string, files: number, target?: Against): void {
  const [, stem = path, extension = '.pcapng'] = /^(.*?)(\.[^./]*)?$/.exec(path) ?? []
  const script = run.file.replace(/^.*\//, '').replace(/\.pkt$/, '')
  const parts = [...(files === 1 ? [] : [script, run.variant]), ...(target === undefined ? [] : [target])]
  const name = [stem, ...parts].join('-') + extension
  writeFileSync(name, pcapng(run.events))
}

/** All scripts at some paths, in order; or why there are none. */
function scriptsIn(paths: readonly string[]): string[] | string {
  const files: string[] = []
  for (const path of paths) {
    const found = scriptsAt(path)
    if (found === null) return `${path}: no such file or directory`
    files.push(...found)
  }
  return files.length > 0 ? files : `no scripts (*.pkt) in ${paths.join(', ')}`
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
