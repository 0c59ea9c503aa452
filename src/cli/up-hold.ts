import type { Program } from '../ip/index.js'
import {
  abort,
  type Connection,
  type ConnectionUser,
  close,
  type ErrorName,
  type Instant,
  receiveChunk,
  shutdownWrite,
} from '../tcp/index.js'
import type { HostUp } from './up-host.js'

/** What a program does with one connection. */
export interface Conversation {
  /** Reads and writes what can be read and written; 'through': the connection is to be closed. */
  turn(c: Connection, now: Instant): 'waits' | 'through'
  /** The connection is no longer its own, however that came about. */
  ended?(): void
}

/**
 * A program's hold on a connection. The program gets its turn at the end of each entry into the machine that told
 * something of the connection, as a process that an interrupt wakes.
 */
export class Hold implements ConnectionUser, Program {
  readonly #up: HostUp
  readonly #connection: () => Connection
  #conversation: Conversation
  #due = false
  #over = false

  /** @param connection gives the connection: it does not exist yet while it is being opened */
  constructor(up: HostUp, connection: () => Connection, conversation: Conversation) {
    this.#up = up
    this.#connection = connection
    this.#conversation = conversation
    up.holds.add(this)
  }

  notify(): void {
    if (this.#due || this.#over) return
    this.#due = true
    this.#up.host.wake(this)
  }

  run(now: Instant): void {
    this.#due = false
    if (this.#over) return
    const c = this.#connection()
    if (this.#conversation.turn(c, now) === 'waits') return
    close(c, now)
    this.#letGo()
  }

  /** A turn for a reason of the program's own: a file was read, a terminal has room again. */
  again(): void {
    this.#up.enter(() => this.notify())
  }

  /** FIN behind what was written; what the peer still sends, up to its FIN, is thrown away. Inside an entry. */
  finish(now: Instant): void {
    const { ended } = this.#conversation
    ended?.call(this.#conversation)
    this.#conversation = FAREWELL
    shutdownWrite(this.#connection(), now)
    this.notify()
  }

  /** RST. Inside an entry. */
  abort(now: Instant): void {
    abort(this.#connection(), now)
    close(this.#connection(), now)
    this.#letGo()
  }

  #letGo(): void {
    this.#over = true
    this.#up.holds.delete(this)
    this.#conversation.ended?.()
  }
}

/** Reads everything that can be read; the text goes to `take`. 'EAGAIN': more may come; null: the peer's FIN was read. */
export function readAll(c: Connection, now: Instant, take: (text: Uint8Array) => void): ErrorName | null {
  for (;;) {
    const text = receiveChunk(c, Number.POSITIVE_INFINITY, now)
    if (!(text instanceof Uint8Array)) return text
    take(text)
  }
}

const FAREWELL: Conversation = {
  turn: (c, now) => (readAll(c, now, () => {}) === 'EAGAIN' ? 'waits' : 'through'),
}
