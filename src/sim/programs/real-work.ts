import { type AsyncHook, createHook } from 'node:async_hooks'
import { here } from './scope.js'
import type { NodeTimer } from './timers.js'

/** Kinds of Node's resources that are one piece of work for another thread or for the system, and say once that it is done. */
const WORK = new Set([
  ...['FSREQCALLBACK', 'FSREQPROMISE', 'FILEHANDLECLOSEREQ', 'PROCESSWRAP'],
  ...['GETADDRINFOREQWRAP', 'GETNAMEINFOREQWRAP', 'QUERYWRAP'],
  ...['CHECKPRIME', 'CIPHER', 'DERIVEBITS', 'HASH', 'KEYEXPORT', 'KEYGEN', 'KEYPAIRGEN', 'PBKDF2'].map(crypto),
  ...['RANDOMBYTES', 'RANDOMPRIME', 'SCRYPT', 'SIGN', 'VERIFY'].map(crypto),
])
const NOT_WORK = new Set(['PROMISE', 'TickObject', 'Microtask'])

function crypto(job: string): string {
  return `${job}REQUEST`
}

/** What Node makes for work of these kinds. */
interface Job {
  /** Jobs of `crypto` have it: those that are done at once give what they found, the others are another thread's. */
  run?(): unknown
}
/** A child process, and how many of its ends have come: its own and those of its pipes. */
interface Child {
  readonly _closesNeeded: number
  readonly _closesGot: number
  once(event: 'close', listener: () => void): void
}
interface ZlibHandle {
  /** What is being worked on. */
  buffer?: unknown
}
type Compiler = (...args: unknown[]) => Promise<unknown>
interface Immediate {
  _destroyed: boolean
}

/**
 * What programs have to wait for in real time, seen by the resources that Node makes in their name: files, `zlib`,
 * `crypto`, child processes, WebAssembly that is being compiled. While any of it is under way virtual time stands still.
 */
export class RealWork {
  readonly #done: () => void
  readonly #jobs = new Map<number, Job>()
  readonly #zlib = new Map<number, WeakRef<ZlibHandle>>()
  #immediates: Immediate[] = []
  #compiling = 0
  /** Programs run. */
  #began = false
  readonly #hook: AsyncHook
  readonly #after: AsyncHook
  #lookingAfter = false

  /**
   * @param done something that was under way is done
   * @param left somebody left something for later: a tick, a microtask, a promise
   */
  constructor(done: () => void, left: () => void) {
    this.#done = done
    this.#hook = createHook({
      init: (id, type, _trigger, resource) => {
        left()
        if (!NOT_WORK.has(type)) this.#begins(id, type, resource)
      },
    })
    this.#after = createHook({ after: (id) => this.#ended(id) })
  }

  /** Looks out from now on; gives a function that ends that. */
  watch(): () => void {
    this.#hook.enable()
    const compiled = this.#watchCompilers()
    return () => {
      this.#hook.disable()
      this.#after.disable()
      compiled()
    }
  }

  /** Programs run from now on: what others begin is not theirs. */
  begin(): void {
    this.#began = true
  }

  /** There are immediates to come. */
  get immediates(): boolean {
    if (this.#immediates.length === 0) return false
    this.#immediates = this.#immediates.filter((immediate) => !immediate._destroyed)
    return this.#immediates.length > 0
  }

  get underWay(): boolean {
    if (this.#jobs.size > 0 || this.#compiling > 0) return true
    for (const [id, ref] of this.#zlib) {
      const handle = ref.deref()
      if (handle === undefined) this.#zlib.delete(id)
      else if (handle.buffer) return true
    }
    this.#lookAfter(this.#zlib.size > 0)
    return false
  }

  #begins(id: number, type: string, resource: object): void {
    const place = here()
    if (place === undefined) return
    if (type === 'Timeout') {
      if (!isTestRunners()) place.run.timers.adopt(resource as NodeTimer)
    } else if (type === 'Immediate') this.#immediates.push(resource as Immediate)
    else if (type === 'ZLIB') {
      this.#zlib.set(id, new WeakRef(resource as ZlibHandle))
      this.#lookAfter(true)
    } else if (WORK.has(type)) {
      this.#jobBegins(id, resource)
    }
  }

  #jobBegins(id: number, job: Job): void {
    const { run } = job
    const underWay = () => {
      this.#jobs.set(id, job)
      this.#lookAfter(true)
    }
    if (run === undefined) return underWay()
    job.run = () => {
      const found: unknown = run.call(job)
      if (!Array.isArray(found)) underWay()
      return found
    }
  }

  #ended(id: number): void {
    const job = this.#jobs.get(id)
    const child = job === undefined ? undefined : childOf(job)
    // it is gone, and what it printed is still to come
    if (child !== undefined && child._closesGot < child._closesNeeded) {
      child.once('close', () => {
        this.#jobs.delete(id)
        this.#done()
      })
    } else if (this.#jobs.delete(id) || this.#zlib.has(id)) this.#done()
  }

  /** Costs every promise something, so only when there is work. */
  #lookAfter(on: boolean): void {
    if (on === this.#lookingAfter) return
    this.#lookingAfter = on
    if (on) this.#after.enable()
    else this.#after.disable()
  }

  #watchCompilers(): () => void {
    const { WebAssembly: compilers } = globalThis as unknown as { WebAssembly: Record<string, Compiler> }
    const names = ['compile', 'instantiate', 'compileStreaming', 'instantiateStreaming'] as const
    const before = names.map((name) => compilers[name])
    names.forEach((name, i) => {
      const compile = before[i]
      if (compile === undefined) return
      compilers[name] = (...args) => {
        const compiled = Reflect.apply(compile, compilers, args)
        if (here() === undefined && this.#began) return compiled
        this.#compiling++
        const done = () => {
          this.#compiling--
          this.#done()
        }
        compiled.then(done, done)
        return compiled
      }
    })
    return () => {
      names.forEach((name, i) => {
        if (before[i] !== undefined) compilers[name] = before[i]
      })
    }
  }
}

/** The child process that a handle is for. */
function childOf(job: Job): Child | undefined {
  const owner = Object.getOwnPropertySymbols(job).find(({ description }) => description === 'owner_symbol')
  const child = owner === undefined ? undefined : (job as Record<symbol, unknown>)[owner]
  return typeof child === 'object' && child !== null && '_closesGot' in child ? (child as Child) : undefined
}

/** Vitest's report of what a program prints, and the like: it goes to another process, and is not the program's. */
const TEST_RUNNER =
  /[\\/]node_modules[\\/](?:vitest|@vitest|birpc|tinypool|jest|@jest|mocha|ava)[\\/-]|node:internal\/test_runner/
/** What is between a program and its timer. */
const BETWEEN = /^node:(?:internal\/(?:async_hooks|timers)|timers)|[\\/]sim[\\/]programs[\\/]real-work\.[jt]s$/

/** True when a timer is being made by what runs tests rather than by what is tested. */
function isTestRunners(): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = 10
  Error.prepareStackTrace = (_error, sites) => sites
  const sites = new Error('who').stack as unknown as NodeJS.CallSite[]
  Error.stackTraceLimit = stackTraceLimit
  Error.prepareStackTrace = prepareStackTrace
  for (const site of sites) {
    const file = site.getFileName()
    if (typeof file === 'string' && !BETWEEN.test(file)) return TEST_RUNNER.test(file)
  }
  return false
}
