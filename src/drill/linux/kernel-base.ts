import { type Errno, errnoName, type Outcome, type Result } from '../../socket/index.js'
import { Mismatch } from '../failure.js'
import type { BlockingThread, Returned } from './blocking-thread.js'
import type { CLibrary, CName, Memory } from './c-library.js'
import type { KernelClock } from './kernel-clock.js'

/** A call that the script does not say to block may take so long before it fails with EINTR. Unit: s. */
const LONGEST_CALL = 20

/** A call that is blocked, and who is told of its end. */
interface Blocked {
  finish(returned: Returned): void
  /** What the kernel works on meanwhile. */
  readonly memory: unknown
}

type Words = readonly (number | bigint | Memory | null)[]

/** How system calls are made: those that block by a thread of their own, so that the script goes on. */
export class KernelBase {
  /** The script says that its next call blocks. */
  blocks = false
  protected readonly c: CLibrary
  protected readonly clock: KernelClock
  readonly #thread: BlockingThread
  readonly #open = new Set<number>()
  #blocked: Blocked | null = null

  constructor(c: CLibrary, thread: BlockingThread, clock: KernelClock) {
    this.c = c
    this.clock = clock
    this.#thread = thread
  }

  /** Tells of a blocked call that has returned. False: none has. */
  settle(): boolean {
    const blocked = this.#blocked
    const returned = blocked === null ? null : this.#thread.take()
    if (blocked === null || returned === null) return false
    this.#blocked = null
    blocked.finish(returned)
    return true
  }

  /** Ends everything that the program of the script holds. */
  closeAll(): void {
    if (this.#blocked !== null) this.#thread.interrupt()
    this.#blocked = null
    for (const fd of this.#open) this.c.call.close(fd)
    this.#open.clear()
  }

  /** A call that is not to block. */
  protected direct(name: CName, ...words: Words): Result {
    const result = this.c.call[name](...words.map(wordOf))
    return result < 0 ? this.#failed(this.c.errno()) : { result }
  }

  /**
   * A call that may block, if the script says so.
   * @param done makes what is told of the call's end
   * @param held memory that is not among the words, but pointed at
   */
  protected patient<R extends Result>(
    name: CName,
    words: Words,
    done: (result: Result) => R,
    held: unknown = null,
  ): Outcome<R> {
    const thread = this.#thread
    if (!this.blocks || thread.busy) {
      this.c.call.alarm(LONGEST_CALL)
      const result = this.direct(name, ...words)
      this.c.call.alarm(0)
      return done(result)
    }
    thread.begin(name, words.map(wordOf))
    const finished = ({ result, errno }: Returned): R => done(result < 0 ? this.#failed(errno) : { result })
    const returned = thread.take()
    if (returned !== null) return finished(returned)
    let told: { readonly result: R; readonly at: number } | null = null
    let tell: (result: R, at: number) => void = () => {}
    this.#blocked = {
      finish: (late) => {
        told = { result: finished(late), at: this.clock.fromMonotonic(late.at) }
        tell(told.result, told.at)
      },
      memory: [words, held],
    }
    return {
      pending: true,
      onDone(then) {
        if (told === null) tell = then
        else then(told.result, told.at)
      },
      cancel: () => {
        thread.interrupt()
        this.#blocked = null
      },
    }
  }

  protected opened(result: Result): Result {
    if (result.result >= 0) this.#open.add(result.result)
    return result
  }

  protected forget(fd: number): void {
    this.#open.delete(fd)
  }

  #failed(errno: number): Result {
    const name: Errno | null = errnoName(errno, 'linux')
    if (name === null) throw new Mismatch(`the call failed with error ${errno}, which has no name here`)
    return { result: -1, errno: name }
  }
}

const wordOf = (word: Words[number]): number | bigint =>
  word === null ? 0 : typeof word === 'object' ? word.address : word
