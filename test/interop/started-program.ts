import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

/** A program that was started. What it does is noted as it does it, so that nobody who asks later has missed it. */
interface Life {
  readonly command: string
  /** What it has written to either output so far, in the order in which it was read. */
  readonly heard: Buffer[]
  readonly out: Buffer[]
  complaint: string
  /** Fulfilled with the exit code, or null for a signal, when it has ended and all it wrote was read. */
  readonly ended: Promise<number | null>
  over: boolean
  /** Called when there is something new. */
  readonly watchers: Set<() => void>
}

/** The programs of the test that runs. */
const lives = new Map<ChildProcess, Life>()
/** What that test waits for, in words. */
const waits = new Set<() => string>()

interface StartOptions {
  readonly uid?: number
  readonly gid?: number
  /** Takes what the program writes to standard output, which is not kept then. */
  readonly reader?: (chunk: Buffer) => void
}

/** A program that runs until it ends, or the test does. */
export function start(
  program: string,
  words: readonly string[],
  { reader, ...ids }: StartOptions = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(program, words, ids)
  child.stdin.on('error', () => {})
  const life: Life = {
    command: commandOf(program, words),
    heard: [],
    out: [],
    complaint: '',
    ended: new Promise((resolve) => child.once('close', resolve)),
    over: false,
    watchers: new Set(),
  }
  const tell = () => {
    for (const watch of life.watchers) watch()
  }
  const keep = (chunk: Buffer) => {
    life.heard.push(chunk)
    life.out.push(chunk)
    tell()
  }
  child.stdout.on('data', reader ?? keep)
  child.stderr.on('data', (chunk: Buffer) => {
    life.heard.push(chunk)
    life.complaint += chunk
    tell()
  })
  child.once('close', () => {
    life.over = true
    tell()
  })
  lives.set(child, life)
  return child
}

/** The words of a command, as long as they help. */
function commandOf(program: string, words: readonly string[]): string {
  const whole = [program, ...words].join(' ')
  return `\`${whole.length > 200 ? `${whole.slice(0, 200)} …` : whole}\``
}

function lifeOf(child: ChildProcess): Life {
  const life = lives.get(child)
  if (life === undefined) throw new Error('that program was not started by `start`, or by another test')
  return life
}

const text = ({ heard }: Life): string => Buffer.concat(heard).toString()

/** What a program has written by its end, its exit code, and what it complained of. */
export interface Ending {
  readonly code: number | null
  readonly out: Buffer
  readonly complaint: string
}

/** Waits for the end of a program, which may have come already. */
export async function ending(child: ChildProcess): Promise<Ending> {
  const life = lifeOf(child)
  const code = await waiting(
    () => `the end of ${life.command}, which has written '${shortened(text(life))}'`,
    life.ended,
  )
  return { code, out: Buffer.concat(life.out), complaint: life.complaint }
}

/** Waits until a program has written something like this, to either output; it may have done so already. */
export function said(child: ChildProcess, what: RegExp): Promise<void> {
  const life = lifeOf(child)
  const heard = new Promise<void>((resolve, reject) => {
    const look = () => {
      if (what.test(text(life))) resolve()
      else if (life.over) reject(new Error(`${life.command} ended before it said ${what}: ${text(life)}`))
      else return
      life.watchers.delete(look)
    }
    life.watchers.add(look)
    look()
  })
  return waiting(() => `${life.command} to say ${what}: it has written '${shortened(text(life))}'`, heard)
}

const shortened = (written: string): string => (written.length > 1000 ? `… ${written.slice(-1000)}` : written)

/** Waits for something that has a name: that is what a test fails with which does not end in time. */
export async function waiting<T>(what: () => string, comes: Promise<T>): Promise<T> {
  waits.add(what)
  try {
    return await comes
  } finally {
    waits.delete(what)
  }
}

/** Looks until something is so, as long as the test runs. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
  const name = typeof what === 'string' ? () => what : what
  const look = async () => {
    while (!(await isSo())) {
      // the test has ended without us
      if (!waits.has(name)) throw new Error(`nobody waits any more for ${name()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await waiting(name, look())
}

interface RunOptions {
  readonly maxBuffer?: number
  readonly uid?: number
  readonly gid?: number
}

const execute = promisify(execFile)

/** Runs a program to its end, which is to be a good one. */
export function run(program: string, words: readonly string[], options?: RunOptions): Promise<{ stdout: string }> {
  return waiting(() => `the end of ${commandOf(program, words)}`, execute(program, words, options ?? {}))
}

/** The same, for output that is no text. */
export function runForOctets(
  program: string,
  words: readonly string[],
  options?: RunOptions,
): Promise<{ stdout: Buffer }> {
  const octets = execute(program, words, { ...options, encoding: 'buffer' })
  return waiting(() => `the end of ${commandOf(program, words)}`, octets)
}

/** The test is over: nothing of it runs any more. Gives what it still waited for. */
export async function endPrograms(): Promise<string[]> {
  const unmet = [...waits].map((what) => what())
  waits.clear()
  for (const child of lives.keys()) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  lives.clear()
  return unmet
}
