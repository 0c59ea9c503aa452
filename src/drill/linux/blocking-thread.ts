import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { C_FUNCTIONS, type CLibrary, type CName, declaration } from './c-library.js'

/** What a call came to. */
export interface Returned {
  readonly result: number
  readonly errno: number
  /** process.hrtime, ns. */
  readonly at: bigint
}

/** Words of the shared memory: what the thread is to do and does; then arguments, result, errno, time, its id. */
const STATE = 0
const WORDS = { arguments: 1, result: 7, errno: 8, at: 9, thread: 10, which: 11 } as const
const State = { idle: 0n, asked: 1n, calling: 2n, done: 3n } as const

const ROUND_ROBIN = 2
const SIGUSR2 = 12
const SIGALRM = 14
/** The longest a call takes to return or to block: later it is taken to block. Unit: ms. */
const SETTLED = 50

/**
 * The thread's own program. It is text, because a thread that runs a file would need that file in the form in which the
 * main program happens to run: compiled, or transformed by a test runner.
 */
const PROGRAM = `
const { workerData } = require('node:worker_threads')
const koffi = require(workerData.koffiPath)
const library = koffi.load(null)
const calls = workerData.declarations.map((declared) => library.func(declared))
const words = new BigInt64Array(workerData.shared)
const gettid = library.func('int gettid()')
library.func('int sched_setscheduler(int, int, void *)')(0, ${ROUND_ROBIN}, new Int32Array([2]))
const notify = library.func('long write(int, void *, size_t)')
const one = new BigUint64Array([1n])
words[${WORDS.thread}] = BigInt(gettid())
Atomics.store(words, ${STATE}, 0n)
Atomics.notify(words, ${STATE})
for (;;) {
  Atomics.wait(words, ${STATE}, 0n)
  if (Atomics.load(words, ${STATE}) !== 1n) {
    Atomics.wait(words, ${STATE}, 3n)
    continue
  }
  const given = Array.from(words.subarray(${WORDS.arguments}, ${WORDS.arguments + 6}))
  Atomics.store(words, ${STATE}, 2n)
  const result = calls[Number(words[${WORDS.which}])](...given)
  words[${WORDS.at}] = process.hrtime.bigint()
  words[${WORDS.errno}] = BigInt(koffi.errno())
  words[${WORDS.result}] = BigInt(result)
  Atomics.store(words, ${STATE}, 3n)
  notify(workerData.notifyFd, one, 8)
}
`

const NAMES = Object.keys(C_FUNCTIONS) as CName[]

/** A thread that makes the calls that may block, one at a time, while the runner goes on. */
export class BlockingThread {
  /** Becomes readable when a call has returned. */
  readonly notifyFd: number
  readonly #c: CLibrary
  readonly #worker: Worker
  readonly #words: BigInt64Array<SharedArrayBuffer>

  constructor(c: CLibrary) {
    this.#c = c
    this.notifyFd = c.call.eventfd(0, 0o4000)
    const shared = new SharedArrayBuffer((WORDS.which + 1) * 8)
    this.#words = new BigInt64Array(shared)
    this.#words[STATE] = State.done
    interruptible(c)
    this.#worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { koffiPath: c.koffiPath, declarations: NAMES.map(declaration), shared, notifyFd: this.notifyFd },
    })
    this.#worker.unref()
    Atomics.wait(this.#words, STATE, State.done, 10_000)
  }

  get busy(): boolean {
    return Atomics.load(this.#words, STATE) !== State.idle
  }

  /** Begins a call, and comes back when it has returned or blocks. */
  begin(name: CName, given: readonly (number | bigint)[]): void {
    const words = this.#words
    for (let i = 0; i < 6; i++) words[WORDS.arguments + i] = BigInt(given[i] ?? 0)
    words[WORDS.which] = BigInt(NAMES.indexOf(name))
    Atomics.store(words, STATE, State.asked)
    Atomics.notify(words, STATE)
    const limit = performance.now() + SETTLED
    while (performance.now() < limit) {
      const state = Atomics.load(words, STATE)
      if (state === State.done || (state === State.calling && this.#sleeps())) return
    }
  }

  /** What the call returned, once; null: it has not yet. */
  take(): Returned | null {
    const words = this.#words
    if (Atomics.load(words, STATE) !== State.done) return null
    const [result, errno, at] = [words[WORDS.result]!, words[WORDS.errno]!, words[WORDS.at]!]
    Atomics.store(words, STATE, State.idle)
    Atomics.notify(words, STATE)
    const memory = this.#c.memory(8)
    this.#c.call.read(this.notifyFd, memory.address, 8)
    return { result: Number(result), errno: Number(errno), at }
  }

  /** Makes the call in progress fail with EINTR, and forgets it. */
  interrupt(): void {
    const thread = Number(this.#words[WORDS.thread])
    for (let tries = 0; this.busy && tries < 1000; tries++) {
      this.#c.call.tgkill(process.pid, thread, SIGUSR2)
      Atomics.wait(this.#words, STATE, State.calling, 2)
      this.take()
    }
  }

  /** The thread is in a system call that sleeps. */
  #sleeps(): boolean {
    const said = readFileSync(`/proc/self/task/${this.#words[WORDS.thread]}/stat`, 'latin1')
    return said.charAt(said.lastIndexOf(')') + 2) === 'S'
  }
}

/** Signals that do nothing but end system calls that sleep: their handler is a function without effect, abs(). */
function interruptible({ call, memory }: CLibrary): void {
  const name = memory(new TextEncoder().encode('abs\0'))
  const action = memory(152)
  action.view.setBigUint64(0, BigInt(call.dlsym(0, name.address)), true)
  for (const signal of [SIGUSR2, SIGALRM]) call.sigaction(signal, action.address, 0)
}
