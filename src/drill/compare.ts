import type { Position } from './language/ast.js'
import type { RunResult } from './report.js'
import type { StoryEntry } from './story.js'
import { seconds, Timeline } from './timeline.js'

/** Where two runs of one script part. */
export interface Parting {
  /** null: after the script, or beside it. */
  readonly position: Position | null
  /** What the one and the other did there; null: nothing, it was over. */
  readonly first: StoryEntry | null
  readonly second: StoryEntry | null
}

/** Runs in real time are not exact. */
const TIMES = new Timeline({ micros: 14_000, percent: 12.5 })

/** The first thing that two runs did differently; null: they did the same. */
export function parting(first: RunResult, second: RunResult): Parting | null {
  const [a, b] = [first.story, second.story]
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [one, other] = [a[i] ?? null, b[i] ?? null]
    if (one !== null && other !== null && sameText(one.text, other.text) && sameGap(one, other, a[i - 1], b[i - 1]))
      continue
    return { position: (one ?? other)!.position, first: one, second: other }
  }
  return null
}

/** Fields of tcp_info that measure time, and what they may differ by in their own unit. */
const MEASURED =
  /^tcpi_(?:(rto|ato|rtt|rttvar|rcv_rtt|min_rtt|busy_time|rwnd_limited|sndbuf_limited)|last_\w+|total_rto_time)$/

function sameText(one: string, other: string): boolean {
  if (one === other) return true
  const [words, others] = [one.split(' '), other.split(' ')]
  return words.length === others.length && words.every((word, i) => word === others[i] || sameValue(word, others[i]!))
}

/** `tcpi_rtt=100000` and `tcpi_rtt=101000` */
function sameValue(word: string, other: string): boolean {
  const [name = '', value = ''] = word.split('=')
  const measured = MEASURED.exec(name)
  if (measured === null || !other.startsWith(`${name}=`)) return false
  const [a, b] = [Number(value), Number(other.slice(name.length + 1))]
  const unit = measured[1] === undefined ? 1000 : 1
  return Math.abs(a - b) * unit <= TIMES.toleranceAfter(Math.max(a, b) * unit, 0)
}

/** Both came as long after what came before them. */
function sameGap(one: StoryEntry, other: StoryEntry, before?: StoryEntry, beforeOther?: StoryEntry): boolean {
  if (one.at === other.at) return true
  const gap = one.at - (before?.at ?? 0)
  const otherGap = other.at - (beforeOther?.at ?? 0)
  return Math.abs(gap - otherGap) <= TIMES.toleranceAfter(Math.max(gap, otherGap), 0)
}

/** The lines that say where two runs part. */
export function partingText({ position, first, second }: Parting, names: readonly [string, string]): string[] {
  const where = position === null ? 'in what the script says nothing of' : `at line ${position.line}`
  const width = Math.max(...names.map((name) => name.length))
  const timeWidth = Math.max(...[first, second].map((entry) => (entry === null ? 0 : timeOf(entry).length)))
  const row = (name: string, entry: StoryEntry | null) =>
    `  ${name.padEnd(width)}  ${entry === null ? 'nothing' : `${timeOf(entry).padEnd(timeWidth)}  ${entry.text}`}`
  return [`they part ${where}`, row(names[0], first), row(names[1], second)]
}

const timeOf = ({ at }: StoryEntry): string => (Number.isFinite(at) ? seconds(at) : '     ')
