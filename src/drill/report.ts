import { endpointText, type TraceEvent } from '../trace/index.js'
import type { IpVersion } from './language/flags.js'
import type { StoryEntry } from './story.js'

/** What went wrong, and where. */
export interface RunError {
  /** Both from 1. */
  readonly line: number
  readonly column: number
  readonly message: string
  /** Lines below the message: what was expected, what was sent, and why. */
  readonly detail: readonly string[]
}

/** The life of one connection. */
export interface ConnectionHistory {
  /** `192.168.0.1:8080` */
  readonly local: string
  readonly remote: string
  readonly states: readonly StateEntry[]
}

export interface StateEntry {
  /** Virtual seconds from the start of the script. */
  readonly at: number
  /** As RFC 9293 names it. */
  readonly state: string
  /** The event of the transition table: `rcv FIN`, `CLOSE`. */
  readonly cause: string
}

/** One script, run once. */
export interface RunResult {
  readonly file: string
  readonly variant: IpVersion
  readonly ok: boolean
  readonly error: RunError | null
  readonly virtualSeconds: number
  readonly wallMs: number
  readonly connections: readonly ConnectionHistory[]
  /** What `--verbose` shows, what `print` in code printed, and what does not make a script fail. */
  readonly output: readonly string[]
  /** What became of every line, if it was asked for. */
  readonly story: readonly StoryEntry[]
  /** Everything that happened, if it was asked for; times in ms from the start of the script. */
  readonly events: readonly TraceEvent[]
}

/** The histories of all connections of a run, in the order of their first change of state. */
export function histories(events: Iterable<TraceEvent>, start: number): ConnectionHistory[] {
  const lives = new Map<number, { local: string; remote: string; states: StateEntry[] }>()
  for (const event of events) {
    if (event.type !== 'state') continue
    const { id, local, localPort, remote, remotePort } = event.subject
    const life = lives.get(id) ?? { local: '', remote: '', states: [] }
    lives.set(id, life)
    // addresses are known by the last change at the latest
    life.local = endpointText({ address: local, port: localPort })
    life.remote = endpointText({ address: remote, port: remotePort })
    life.states.push({ at: inSeconds(event.at - start), state: event.to, cause: event.cause })
  }
  return [...lives.values()]
}

/** Milliseconds as seconds, whole microseconds. */
export const inSeconds = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1e6

/** The object that `--json` prints. */
export function jsonReport(runs: readonly RunResult[]): object {
  return {
    runs: runs.map(jsonRun),
    passed: runs.filter(({ ok }) => ok).length,
    failed: runs.filter(({ ok }) => !ok).length,
  }
}

/** One run of `jsonReport`. */
export const jsonRun = ({ file, variant, ok, error, virtualSeconds, wallMs, connections }: RunResult): object => ({
  file,
  variant,
  ok,
  error: error === null ? null : { line: error.line, column: error.column, message: messageOf(error) },
  virtualSeconds,
  wallMs,
  connections,
})

const messageOf = ({ message, detail }: RunError): string => [message, ...detail].join('\n')

/** A failed run as a person reads it; `target` is said where runs on several are told of. */
export function failureText({ file, variant, error }: RunResult, target?: string): string {
  if (error === null) return ''
  const lines = [`${file}:${error.line}:${error.column}: ${error.message}`, ...error.detail.map((line) => `  ${line}`)]
  lines[0] += target === undefined ? `  [${variant}]` : `  [${target}, ${variant}]`
  return lines.join('\n')
}

/** Runs that passed and all, by directory. */
export function summary(runs: readonly RunResult[]): string {
  const directories = new Map<string, { passed: number; all: number }>()
  for (const { file, ok } of runs) {
    const slash = file.lastIndexOf('/')
    const directory = slash < 0 ? '.' : file.slice(0, slash)
    const count = directories.get(directory) ?? { passed: 0, all: 0 }
    directories.set(directory, { passed: count.passed + Number(ok), all: count.all + 1 })
  }
  const rows = [...directories].sort(([a], [b]) => (a < b ? -1 : 1))
  const total = { passed: runs.filter(({ ok }) => ok).length, all: runs.length }
  if (rows.length > 1) rows.push(['all', total])
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, { passed, all }]) => {
      const failed = passed === all ? '' : `  ${all - passed} failed`
      return `${name.padEnd(width)}  ${`${passed}/${all}`.padStart(9)}${failed}`
    })
    .join('\n')
}
