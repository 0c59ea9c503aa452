import type { CLibrary } from './c-library.js'
import { readTimespec } from './structs.js'

const CLOCK_REALTIME = 0
const SAMPLES = 16

/** The clock of a drilled kernel: ms since some time before the script, and what the kernel's own clock says then. */
export class KernelClock {
  readonly #start: bigint
  /** Wall clock less ours, ns. */
  readonly #wallLead: bigint

  constructor({ call, memory }: CLibrary) {
    this.#start = process.hrtime.bigint() - 10_000_000_000n
    const time = memory(16)
    let least = 1n << 62n
    let lead = 0n
    for (let i = 0; i < SAMPLES; i++) {
      const before = process.hrtime.bigint()
      call.clock_gettime(CLOCK_REALTIME, time.address)
      const took = process.hrtime.bigint() - before
      if (took >= least) continue
      least = took
      lead = readTimespec(time.view, 0) - (before - this.#start + took / 2n)
    }
    this.#wallLead = lead
  }

  /** ms */
  get now(): number {
    return this.fromMonotonic(process.hrtime.bigint())
  }

  /** ms of this clock from ns of process.hrtime. */
  fromMonotonic(nanoseconds: bigint): number {
    return Number(nanoseconds - this.#start) / 1e6
  }

  /** ms of this clock from ns of the wall clock. */
  fromWall(nanoseconds: bigint): number {
    return Number(this.wallNanoseconds(nanoseconds)) / 1e6
  }

  /** ns of this clock from ns of the wall clock. */
  wallNanoseconds(nanoseconds: bigint): bigint {
    return nanoseconds - this.#wallLead
  }
}
