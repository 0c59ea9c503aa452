import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CLibrary } from './c-library.js'

const CLONE_NEWNET = 0x40000000

/**
 * A network namespace of our own, entered by this thread alone: the kernel's settings, counters, addresses and
 * connections in it are not those of the machine. It is gone when nothing is left in it.
 */
export class NetworkNamespace {
  /** A directory for what programs keep between calls. */
  readonly directory: string
  readonly #c: CLibrary
  readonly #outside: number

  constructor(c: CLibrary) {
    this.#c = c
    this.#outside = openSync('/proc/thread-self/ns/net', 'r')
    if (c.call.unshare(CLONE_NEWNET) < 0) {
      const errno = c.errno()
      closeSync(this.#outside)
      throw new Error(
        errno === 1
          ? 'No right to make a network namespace for the kernel to be drilled in: run as root (CAP_SYS_ADMIN).'
          : `The kernel made no network namespace (error ${errno}).`,
      )
    }
    this.directory = mkdtempSync(join(tmpdir(), 'estab-drill-'))
  }

  /** Back to where we came from. */
  leave(): void {
    this.#c.call.setns(this.#outside, CLONE_NEWNET)
    closeSync(this.#outside)
    rmSync(this.directory, { recursive: true, force: true })
  }
}
