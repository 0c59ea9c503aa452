import { type Instant, type Millis, NEVER } from '../tcp/index.js'
import { CallBase } from './call-base.js'
import { Epoll, type EpollEvent } from './epoll.js'
import type { OpenFile } from './open-file.js'
import { PipeEnd } from './pipe.js'
import { type PollEntry, pollStep } from './poll-call.js'
import { newReceiving, receiveStep } from './receiving.js'
import { type FileContents, RegularFile } from './regular-file.js'
import { failed, isPending, type Outcome, type Result, SUCCESS } from './result.js'
import { newSending, sendStep } from './sending.js'
import { TcpSocket } from './socket.js'

export interface PollResult extends Result {
  readonly entries: readonly PollEntry[]
}

export interface EpollResult extends Result {
  readonly events?: readonly EpollEvent[]
}

export interface PipeResult extends Result {
  /** The end to read from, the end to write to. */
  readonly fds?: readonly [number, number]
}

/** Most octets one step of splice or sendfile moves. */
const STEP = 65_536

/** The calls that wait for several descriptors, and those on descriptors that are no sockets. */
export class EventCalls extends CallBase {
  /** Contents of the files that open finds, by path. */
  readonly files = new Map<string, FileContents>()

  /** @param timeout ms; negative: for ever */
  poll(entries: readonly Pick<PollEntry, 'fd' | 'events'>[], timeout: Millis): Outcome<PollResult> {
    const polled = entries.map(({ fd, events }) => ({ fd, events, revents: 0 }))
    const fileOf = (fd: number) => this.descriptors.get(fd)
    const files = [...new Set(polled.map(({ fd }) => fileOf(fd)).filter((file) => file !== null))]
    const text = () => `poll(${polled.map(({ fd }) => fd).join(', ')}, ${timeout})`
    return this.patient<PollResult>(null, text, files, timeout < 0 ? NEVER : timeout, (now, last) => {
      const count = pollStep(polled, fileOf, now)
      return count > 0 || last ? { result: count, entries: polled } : null
    })
  }

  epoll_create(size: number): Result {
    return size <= 0 ? failed('EINVAL') : this.epoll_create1(0)
  }

  epoll_create1(flags: number): Result {
    const cloexec = this.personality.numbers.EPOLL_CLOEXEC ?? 0
    if (this.personality.system !== 'linux') return failed('ENOSYS')
    if ((flags & ~cloexec) !== 0) return failed('EINVAL')
    return this.immediate(
      null,
      () => `epoll_create1(${flags})`,
      () => ({
        result: this.descriptors.add(new Epoll(), flags !== 0),
      }),
    )
  }

  epoll_ctl(epfd: number, operation: number, fd: number, event: EpollEvent | null): Result {
    const epoll = this.descriptors.get(epfd)
    const file = this.descriptors.get(fd)
    if (epoll === null || file === null) return failed('EBADF')
    if (!(epoll instanceof Epoll)) return failed('EINVAL')
    const { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL } = this.personality.numbers
    return this.immediate(
      null,
      () => `epoll_ctl(${epfd}, ${operation}, ${fd})`,
      (now) => {
        if (operation === EPOLL_CTL_DEL) return done(epoll.remove(fd, file))
        if (event === null) return failed('EFAULT')
        if (operation === EPOLL_CTL_ADD) return done(epoll.add(fd, file, event, now))
        if (operation === EPOLL_CTL_MOD) return done(epoll.modify(fd, file, event, now))
        return failed('EINVAL')
      },
    )
  }

  /** @param timeout ms; negative: for ever */
  epoll_wait(epfd: number, most: number, timeout: Millis): Outcome<EpollResult> {
    const epoll = this.descriptors.get(epfd)
    if (epoll === null) return failed('EBADF')
    if (!(epoll instanceof Epoll) || most <= 0) return failed('EINVAL')
    const text = () => `epoll_wait(${epfd}, …, ${most}, ${timeout})`
    return this.patient<EpollResult>(null, text, [epoll], timeout < 0 ? NEVER : timeout, (now, last) => {
      const events = epoll.collect(most, now)
      return events.length > 0 || last ? { result: events.length, events } : null
    })
  }

  pipe(): PipeResult {
    return this.immediate<PipeResult>(
      null,
      () => 'pipe()',
      () => {
        const [reader, writer] = PipeEnd.pair()
        return { result: 0, fds: [this.descriptors.add(reader), this.descriptors.add(writer)] }
      },
    )
  }

  open(path: string, flags: number, _mode = 0): Result {
    const { O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_CLOEXEC } = this.personality.numbers
    return this.immediate(
      null,
      () => `open("${path}", ${flags})`,
      () => {
        let contents = this.files.get(path)
        if (contents === undefined) {
          if ((flags & O_CREAT!) === 0) return failed('ENOENT')
          contents = { octets: new Uint8Array(0) }
          this.files.set(path, contents)
        } else if ((flags & O_CREAT!) !== 0 && (flags & O_EXCL!) !== 0) return failed('EEXIST')
        if ((flags & O_TRUNC!) !== 0) contents.octets = new Uint8Array(0)
        const file = new RegularFile(contents, flags & 3)
        file.append = (flags & O_APPEND!) !== 0
        file.nonBlocking = (flags & O_NONBLOCK!) !== 0
        return { result: this.descriptors.add(file, (flags & O_CLOEXEC!) !== 0) }
      },
    )
  }

  /** From a file (at `offset`, or where it stands) to a socket or a pipe. */
  sendfile(out: number, from: number, offset: number | null, count: number): Outcome {
    const target = this.descriptors.get(out)
    const source = this.descriptors.get(from)
    if (target === null || source === null) return failed('EBADF')
    if (!(source instanceof RegularFile)) return failed('EINVAL')
    const text = new Uint8Array(count)
    const length = source.copy(text, offset ?? source.position)
    const move = this.#mover(target, text.subarray(0, length))
    const said = () => `sendfile(${out}, ${from}, ${offset}, ${count})`
    const about = target instanceof TcpSocket ? target : null
    return this.patient(about, said, [target], target.nonBlocking ? 0 : NEVER, (now, last) => {
      const result = move(now, last)
      if (result !== null && result.result > 0 && offset === null) source.position += result.result
      return result
    })
  }

  /** Between a pipe and a socket or file, either way. */
  splice(from: number, to: number, length: number, flags = 0): Outcome {
    const source = this.descriptors.get(from)
    const target = this.descriptors.get(to)
    if (source === null || target === null) return failed('EBADF')
    if (!(source instanceof PipeEnd) && !(target instanceof PipeEnd)) return failed('EINVAL')
    const patient = (flags & (this.personality.numbers.SPLICE_F_NONBLOCK ?? 0)) === 0
    const about = source instanceof TcpSocket ? source : target instanceof TcpSocket ? target : null
    const said = () => `splice(${from}, ${to}, ${length})`
    return this.patient(about, said, [source, target], patient ? NEVER : 0, (now, last) => {
      const room = target instanceof PipeEnd ? target.room : STEP
      if (room === 0) return last ? failed('EAGAIN') : null
      const text = new Uint8Array(Math.min(length, room, STEP))
      const taken = takeFrom(source, text, now, last)
      if (taken === null || taken.result <= 0) return taken
      const moved = this.#mover(target, text.subarray(0, taken.result))(now, true)
      return moved === null || isPending(moved) ? failed('EAGAIN') : moved
    })
  }

  /** Puts text where it is to go, over several tries. */
  #mover(target: OpenFile, text: Uint8Array): (now: Instant, last: boolean) => Result | null {
    if (target instanceof TcpSocket) {
      const sending = newSending(text, 0, null)
      return (now, last) => numbered(sendStep(target, sending, now, last))
    }
    if (target instanceof PipeEnd) return (now, last) => numbered(target.write(text, now) ?? (last ? 'EAGAIN' : null))
    if (target instanceof RegularFile) return () => ({ result: target.write(text) })
    return () => failed('EINVAL')
  }

  /** A file is closed: nobody watches it any more. */
  protected forget(file: OpenFile): void {
    for (const [, other] of this.descriptors) if (other instanceof Epoll) other.forget(file)
  }
}

function takeFrom(source: OpenFile, target: Uint8Array, now: Instant, last: boolean): Result | null {
  if (source instanceof TcpSocket) return numbered(receiveStep(source, newReceiving(target, 0), now, last))
  if (source instanceof PipeEnd) return numbered(source.read(target, now) ?? (last ? 'EAGAIN' : null))
  if (source instanceof RegularFile) return { result: source.read(target) }
  return failed('EINVAL')
}

function numbered(value: number | Parameters<typeof failed>[0] | null): Result | null {
  if (value === null) return null
  return typeof value === 'number' ? { result: value } : failed(value)
}

const done = (errno: Parameters<typeof failed>[0] | null): Result => (errno === null ? SUCCESS : failed(errno))
