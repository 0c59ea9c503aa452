import type { Instant } from '../tcp/index.js'

/** What poll and epoll speak of, as bits with Linux's numbers (FreeBSD's differ from them in RDHUP and WRNORM only). */
export const Poll = {
  In: 0x1,
  Priority: 0x2,
  Out: 0x4,
  Error: 0x8,
  HangUp: 0x10,
  Invalid: 0x20,
  ReadNormal: 0x40,
  ReadBand: 0x80,
  WriteNormal: 0x100,
  WriteBand: 0x200,
  PeerHangUp: 0x2000,
} as const

/** `woken` with all of these: something changed, look for yourself (Linux sk_state_change). */
export const ANYTHING = 0

/** Waits for something to happen to a file: a blocked call, an epoll instance. */
export interface Watcher {
  /** `events`: Poll bits that may have become true; ANYTHING: not said. Must not enter the machine. */
  woken(file: OpenFile, events: number, now: Instant): void
}

/** What a descriptor stands for. Several descriptors may share one (dup). */
export abstract class OpenFile {
  /** 'socket', 'epoll', 'pipe' or 'file'. */
  abstract readonly kind: 'socket' | 'epoll' | 'pipe' | 'file'
  /** O_NONBLOCK. */
  nonBlocking = false
  /** O_RDONLY 0, O_WRONLY 1, O_RDWR 2. */
  accessMode = 2
  /** O_APPEND, as F_GETFL gives it back. */
  append = false
  /** Descriptors that stand for it. */
  references = 0
  #watchers: Set<Watcher> | null = null

  /** What is true now, as Poll bits. */
  abstract poll(now: Instant): number

  watch(watcher: Watcher): void {
    this.#watchers ??= new Set()
    this.#watchers.add(watcher)
  }

  unwatch(watcher: Watcher): void {
    this.#watchers?.delete(watcher)
  }

  /** Tells everybody who waits. */
  wake(events: number, now: Instant): void {
    if (this.#watchers === null || this.#watchers.size === 0) return
    for (const watcher of [...this.#watchers]) watcher.woken(this, events, now)
  }
}
