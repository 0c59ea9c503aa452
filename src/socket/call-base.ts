import type { Host } from '../ip/index.js'
import { type Instant, type Md5Key, type Millis, NEVER } from '../tcp/index.js'
import { type Attempt, BlockedCall } from './blocked-call.js'
import { Descriptors } from './descriptors.js'
import type { Errno } from './errno.js'
import { type HeldSocket, heldSockets } from './held-sockets.js'
import type { OpenFile } from './open-file.js'
import type { Personality } from './personality.js'
import type { Outcome, Result } from './result.js'
import { type SocketSpace, TcpSocket } from './socket.js'

/** A call that may not wait at all. */
export const AT_ONCE: Millis = 0

/** What every call does: enters the host, tries, waits if it must, and tells the observer. */
export class CallBase implements SocketSpace {
  readonly host: Host
  readonly personality: Personality
  md5Keys: readonly Md5Key[] = []
  protected readonly descriptors = new Descriptors()
  readonly #clock: () => Instant

  /** @param clock the host's time, ms */
  constructor(host: Host, personality: Personality, clock: () => Instant) {
    this.host = host
    this.personality = personality
    this.#clock = clock
    host.onReboot(() => this.descriptors.clear())
  }

  get now(): Instant {
    return this.#clock()
  }

  /** Every socket the program holds, by descriptor. */
  sockets(): HeldSocket[] {
    return heldSockets(this.descriptors)
  }

  /** The socket behind a descriptor; null: there is none. */
  socketBehind(fd: number): TcpSocket | null {
    const file = this.descriptors.get(fd)
    return file instanceof TcpSocket ? file : null
  }

  /** A call that never waits. */
  protected immediate<R extends Result>(about: TcpSocket | null, text: () => string, act: (now: Instant) => R): R {
    const { now, host } = this
    host.enter(now)
    const result = act(now)
    host.leave(now)
    this.#report(about, text, result, now)
    return result
  }

  /**
   * A call that may wait for `files`, at most `patience` ms. `attempt` is tried at once, and again whenever one of them
   * changes.
   */
  protected patient<R extends Result>(
    about: TcpSocket | null,
    text: () => string,
    files: readonly OpenFile[],
    patience: Millis,
    attempt: Attempt<R>,
  ): Outcome<R> {
    const { now, host } = this
    host.enter(now)
    const first = attempt(now, patience <= 0)
    const blocked =
      first === null
        ? new BlockedCall(host, files, attempt, patience === NEVER ? NEVER : now + patience, (result, at) =>
            this.#report(about, text, result, at),
          )
        : null
    host.leave(now)
    if (first === null) return blocked!
    this.#report(about, text, first, now)
    return first
  }

  /** The socket of a descriptor, or why there is none. */
  protected socketOf(fd: number): TcpSocket | Errno {
    const file = this.descriptors.get(fd)
    if (file === null) return 'EBADF'
    return file instanceof TcpSocket ? file : 'ENOTSOCK'
  }

  #report(about: TcpSocket | null, text: () => string, result: Result, now: Instant): void {
    const { observer } = this.host
    if (observer === null) return
    const said = result.errno === undefined ? String(result.result) : `${result.result} ${result.errno}`
    const subject = about?.observed ?? about?.former ?? null
    observer.called(subject, text(), said, now)
    if (subject !== null) observer.settled(subject, now)
  }
}
