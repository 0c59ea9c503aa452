import type { OpenFile } from './open-file.js'

/** Descriptors 0, 1 and 2 are the program's own. */
const FIRST = 3

interface Slot {
  readonly file: OpenFile
  closeOnExec: boolean
}

/** A program's descriptors: each new one is the lowest that is free. */
export class Descriptors {
  readonly #slots: (Slot | undefined)[] = []

  /** The file of a descriptor; null: EBADF. */
  get(fd: number): OpenFile | null {
    return this.#slots[fd]?.file ?? null
  }

  /** A descriptor for a file, at least `from`. */
  add(file: OpenFile, closeOnExec = false, from = FIRST): number {
    let fd = Math.max(FIRST, from)
    while (this.#slots[fd] !== undefined) fd++
    this.#slots[fd] = { file, closeOnExec }
    file.references++
    return fd
  }

  /** Frees a descriptor. The file, if it was the last one for it; null: it was not. */
  remove(fd: number): OpenFile | null {
    const slot = this.#slots[fd]!
    this.#slots[fd] = undefined
    return --slot.file.references === 0 ? slot.file : null
  }

  closeOnExec(fd: number): boolean {
    return this.#slots[fd]?.closeOnExec === true
  }

  setCloseOnExec(fd: number, on: boolean): void {
    const slot = this.#slots[fd]
    if (slot !== undefined) slot.closeOnExec = on
  }

  /** Every descriptor with its file, lowest first. */
  *[Symbol.iterator](): Generator<readonly [number, OpenFile]> {
    for (const [fd, slot] of this.#slots.entries()) if (slot !== undefined) yield [fd, slot.file]
  }

  clear(): void {
    this.#slots.length = 0
  }
}
