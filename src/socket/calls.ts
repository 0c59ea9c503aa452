import { type Instant, type Millis, NEVER } from '../tcp/index.js'
import type { SocketAddress } from './address.js'
import { EventCalls } from './calls-events.js'
import { closeStep, shutdownSocket } from './closing.js'
import { type ControlMessage, errorMessages, inQueueMessage } from './control-message.js'
import { Epoll } from './epoll.js'
import type { Errno } from './errno.js'
import { giveMessageFlags, Message, takeMessageFlags } from './message-flags.js'
import type { OpenFile } from './open-file.js'
import { acceptFrom, awaitConnected, bindSocket, disconnect, listenOn, startConnect } from './opening.js'
import { type OptionValue, optionFailed } from './option-value.js'
import { PipeEnd } from './pipe.js'
import { newReceiving, receiveStep } from './receiving.js'
import { RegularFile } from './regular-file.js'
import { failed, type Outcome, type Result, SUCCESS, toResult } from './result.js'
import { newSending, sendStep } from './sending.js'
import { TcpSocket } from './socket.js'
import { unacknowledged, unread, unsent } from './socket-memory.js'
import { getOption, setOption } from './socket-options.js'

export interface AddressResult extends Result {
  readonly address?: SocketAddress
}

export interface OptionResult extends Result {
  readonly value?: OptionValue
}

export interface ValueResult extends Result {
  /** What the call put behind its pointer. */
  readonly value?: number
}

/** What recvmsg gives beside the text. */
export interface MessageResult extends Result {
  /** msg_flags, by the system's numbers. */
  readonly flags?: number
  readonly control?: readonly ControlMessage[]
}

/** What sendmsg is given. */
export interface OutgoingMessage {
  /** The text, its parts gathered. */
  readonly text: Uint8Array
  readonly to?: SocketAddress | null
}

/**
 * The BSD calls on descriptors, as a program on the host would make them. Numbers of families, flags, levels and options
 * are those of the personality's headers (`personality.numbers`). A call that has to wait gives a `Pending`.
 */
export class Calls extends EventCalls {
  socket(domain: number, type: number, protocol = 0): Result {
    const text = () => `socket(${domain}, ${type}, ${protocol})`
    return this.immediate(null, text, () => {
      const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC, IPPROTO_TCP } = this.personality.numbers
      const flags = SOCK_NONBLOCK! | SOCK_CLOEXEC!
      if (domain !== AF_INET && domain !== AF_INET6) return failed('EAFNOSUPPORT')
      if ((type & ~flags) !== SOCK_STREAM) return failed(type < 0 ? 'EINVAL' : 'ESOCKTNOSUPPORT')
      if (protocol !== 0 && protocol !== IPPROTO_TCP) return failed('EPROTONOSUPPORT')
      const socket = new TcpSocket(this, domain === AF_INET6)
      socket.nonBlocking = (type & SOCK_NONBLOCK!) !== 0
      return { result: this.descriptors.add(socket, (type & SOCK_CLOEXEC!) !== 0) }
    })
  }

  bind(fd: number, to: SocketAddress): Result {
    return this.#on(
      fd,
      () => `bind(${fd}, ${addressText(to)})`,
      (s) => done(bindSocket(s, to)),
    )
  }

  listen(fd: number, backlog: number): Result {
    return this.#on(
      fd,
      () => `listen(${fd}, ${backlog})`,
      (s, now) => done(listenOn(s, backlog, now)),
    )
  }

  accept(fd: number, flags?: number): Outcome<AddressResult> {
    const s = this.socketOf(fd)
    const text = () => (flags === undefined ? `accept(${fd})` : `accept4(${fd}, ${flags})`)
    if (typeof s === 'string') return failed(s)
    const { SOCK_NONBLOCK, SOCK_CLOEXEC } = this.personality.numbers
    if (flags !== undefined && (flags & ~(SOCK_NONBLOCK! | SOCK_CLOEXEC!)) !== 0) return failed('EINVAL')
    return this.patient(s, text, [s], patienceOf(s, s.own.receiveTimeout), (now, last) => {
      const accepted = acceptFrom(s, now)
      if (accepted === null) return last ? failed('EAGAIN') : null
      if (typeof accepted === 'string') return failed(accepted)
      accepted.nonBlocking =
        flags === undefined
          ? this.personality.acceptInheritsNonBlocking && s.nonBlocking
          : (flags & SOCK_NONBLOCK!) !== 0
      const c = accepted.connection!
      return {
        result: this.descriptors.add(accepted, ((flags ?? 0) & SOCK_CLOEXEC!) !== 0),
        address: accepted.addressOf(c.remote, c.remotePort),
      }
    })
  }

  accept4(fd: number, flags: number): Outcome<AddressResult> {
    return this.accept(fd, flags)
  }

  connect(fd: number, to: SocketAddress): Outcome {
    const s = this.socketOf(fd)
    if (typeof s === 'string') return failed(s)
    let begun = false
    let busy: Errno = 'EINPROGRESS'
    const text = () => `connect(${fd}, ${addressText(to)})`
    return this.patient(s, text, [s], patienceOf(s, s.own.sendTimeout), (now, last) => {
      if (!begun) {
        begun = true
        const said = this.#beginConnect(s, to, now)
        if (said === 'EALREADY') busy = said
        else if (said !== null) return toResult(said)
      }
      const outcome = awaitConnected(s, busy, now, last)
      return outcome === null ? null : toResult(outcome)
    })
  }

  /** null: the handshake is to be waited for, and is under way since just now; EALREADY: since an earlier call. */
  #beginConnect(s: TcpSocket, to: SocketAddress, now: Instant): 0 | Errno | null {
    const { personality } = this
    if (to.family === personality.numbers.AF_UNSPEC) {
      if (personality.connectUnspecified !== null) return personality.connectUnspecified
      disconnect(s, now)
      return 0
    }
    if (s.phase === 'connected') return 'EISCONN'
    if (s.phase === 'disconnecting') return 'EINVAL'
    if (s.phase === 'connecting') {
      if (s.connectDeferred) return 'EISCONN'
      if (s.opening || personality.connectSaysWhenDone) return 'EALREADY'
      if (!s.gone) return 'EISCONN'
    }
    const error = startConnect(
      s,
      to,
      s.own.fastOpenConnect && personality.connectSaysWhenDone ? { deferred: true } : {},
      now,
    )
    if (error !== null) return error
    return s.connectDeferred ? 0 : null
  }

  shutdown(fd: number, how: number): Result {
    return this.#on(
      fd,
      () => `shutdown(${fd}, ${how})`,
      (s, now) => done(shutdownSocket(s, how, now)),
    )
  }

  close(fd: number): Outcome {
    const file = this.descriptors.get(fd)
    if (file === null) return failed('EBADF')
    const text = () => `close(${fd})`
    if (this.descriptors.remove(fd) === null) return this.immediate(null, text, () => SUCCESS)
    this.forget(file)
    if (!(file instanceof TcpSocket)) {
      return this.immediate(null, text, (now) => {
        if (file instanceof PipeEnd) file.close(now)
        if (file instanceof Epoll) file.clear()
        return SUCCESS
      })
    }
    const s = file
    const lingers = s.asked.linger > 0 && !(s.nonBlocking && this.personality.lingerOnlyBlocking)
    return this.patient(s, text, [s], lingers ? s.asked.linger * 1000 : 0, (now, last) => {
      const said = closeStep(s, now, last)
      return said === null ? null : toResult(said)
    })
  }

  // --- text out ---

  write(fd: number, text: Uint8Array | null): Outcome {
    const file = this.descriptors.get(fd)
    if (file === null) return failed('EBADF')
    if (file instanceof TcpSocket) {
      return this.#send(file, () => `write(${fd}, …, ${text?.length ?? 0})`, text, 0, null)
    }
    if (text === null) return failed('EFAULT')
    return this.#writeFile(fd, file, text)
  }

  writev(fd: number, parts: readonly Uint8Array[]): Outcome {
    return this.write(fd, gathered(parts))
  }

  send(fd: number, text: Uint8Array | null, flags = 0): Outcome {
    return this.#sendOn(fd, () => `send(${fd}, …, ${text?.length ?? 0}, ${flags})`, text, flags, null)
  }

  sendto(fd: number, text: Uint8Array | null, flags: number, to: SocketAddress | null): Outcome {
    const said = () => `sendto(${fd}, …, ${text?.length ?? 0}, ${flags}, ${addressText(to)})`
    return this.#sendOn(fd, said, text, flags, to)
  }

  sendmsg(fd: number, message: OutgoingMessage, flags = 0): Outcome {
    const said = () => `sendmsg(${fd}, …${message.text.length}…, ${flags})`
    return this.#sendOn(fd, said, message.text, flags, message.to ?? null)
  }

  #sendOn(fd: number, said: () => string, text: Uint8Array | null, flags: number, to: SocketAddress | null): Outcome {
    const s = this.socketOf(fd)
    return typeof s === 'string' ? failed(s) : this.#send(s, said, text, flags, to)
  }

  #send(s: TcpSocket, said: () => string, text: Uint8Array | null, given: number, to: SocketAddress | null): Outcome {
    if (text === null) return failed('EFAULT')
    const flags = takeMessageFlags(given, this.personality)
    const sending = newSending(text, flags, to)
    const patience = (flags & Message.DontWait) !== 0 ? 0 : patienceOf(s, s.own.sendTimeout)
    return this.patient(s, said, [s], patience, (now, last) => {
      const n = sendStep(s, sending, now, last)
      if (n === null) return null
      if (typeof n === 'number') this.#watchText(s, n, flags, now)
      return toResult(n)
    })
  }

  /** Completions and time stamps that the program wants to hear of later. */
  #watchText(s: TcpSocket, octets: number, flags: number, now: Instant): void {
    if (s.own.zeroCopy && (flags & Message.ZeroCopy) !== 0) s.errorQueue.wroteZeroCopy(s, octets, now)
    if (s.own.timestamping !== 0) s.errorQueue.wrote(s, octets, now)
  }

  #writeFile(fd: number, file: OpenFile, text: Uint8Array): Outcome {
    const said = () => `write(${fd}, …, ${text.length})`
    if (file instanceof RegularFile) {
      return this.immediate(null, said, () => (file.accessMode === 0 ? failed('EBADF') : { result: file.write(text) }))
    }
    if (!(file instanceof PipeEnd)) return failed('EINVAL')
    let taken = 0
    return this.patient(null, said, [file], file.nonBlocking ? 0 : NEVER, (now, last) => {
      while (taken < text.length) {
        const n = file.write(text.subarray(taken), now)
        if (typeof n === 'string') return failed(n)
        if (n === null) break
        taken += n
      }
      if (taken === text.length || (last && taken > 0)) return { result: taken }
      return last ? failed('EAGAIN') : null
    })
  }

  // --- text in ---

  read(fd: number, target: Uint8Array | null): Outcome {
    const file = this.descriptors.get(fd)
    if (file === null) return failed('EBADF')
    const said = () => `read(${fd}, …, ${target?.length ?? 0})`
    if (file instanceof TcpSocket) return this.#receive(file, said, target, 0)
    if (target === null) return failed('EFAULT')
    if (file instanceof RegularFile) return this.immediate(null, said, () => ({ result: file.read(target) }))
    if (!(file instanceof PipeEnd)) return failed('EINVAL')
    return this.patient(null, said, [file], file.nonBlocking ? 0 : NEVER, (now, last) => {
      const n = file.read(target, now)
      if (n === null) return last ? failed('EAGAIN') : null
      return toResult(n)
    })
  }

  readv(fd: number, parts: readonly Uint8Array[]): Outcome {
    const file = this.descriptors.get(fd)
    if (file === null) return failed('EBADF')
    if (!(file instanceof TcpSocket)) return failed('EINVAL')
    const target = new Uint8Array(lengthOf(parts))
    const outcome = this.#receive(
      file,
      () => `readv(${fd}, …${target.length}…)`,
      target,
      0,
      (n) => {
        scatter(target.subarray(0, n), parts)
      },
    )
    return outcome
  }

  recv(fd: number, target: Uint8Array | null, flags = 0): Outcome<MessageResult> {
    return this.recvmsg(fd, target, flags, () => `recv(${fd}, …, ${target?.length ?? 0}, ${flags})`)
  }

  recvfrom(fd: number, target: Uint8Array | null, flags = 0): Outcome<MessageResult> {
    return this.recvmsg(fd, target, flags, () => `recvfrom(${fd}, …, ${target?.length ?? 0}, ${flags})`)
  }

  recvmsg(
    fd: number,
    target: Uint8Array | null,
    flags = 0,
    said = () => `recvmsg(${fd}, …${target?.length ?? 0}…, ${flags})`,
  ): Outcome<MessageResult> {
    const s = this.socketOf(fd)
    return typeof s === 'string' ? failed(s) : this.#receive(s, said, target, flags)
  }

  #receive(
    s: TcpSocket,
    said: () => string,
    target: Uint8Array | null,
    given: number,
    taken: (octets: number) => void = () => {},
  ): Outcome<MessageResult> {
    if (target === null) return failed('EFAULT')
    const flags = takeMessageFlags(given, this.personality)
    if ((flags & Message.ErrorQueue) !== 0) return this.#receiveError(s, said)
    const receiving = newReceiving(target, flags)
    const patience = (flags & Message.DontWait) !== 0 ? 0 : patienceOf(s, s.own.receiveTimeout)
    return this.patient<MessageResult>(s, said, [s], patience, (now, last) => {
      const n = receiveStep(s, receiving, now, last)
      if (n === null) return null
      if (typeof n === 'string') return failed(n)
      taken(n)
      const outOfBand = (flags & Message.OutOfBand) !== 0 ? giveMessageFlags(Message.OutOfBand, this.personality) : 0
      return { result: n, flags: outOfBand, control: s.own.inQueue ? [inQueueMessage(s)] : [] }
    })
  }

  #receiveError(s: TcpSocket, said: () => string): MessageResult {
    return this.immediate<MessageResult>(s, said, (now) => {
      s.errors?.progress(s, now)
      const entry = s.errors?.take() ?? null
      if (entry === null) return failed('EAGAIN')
      return { result: 0, ...errorMessages(s, entry) }
    })
  }

  // --- options and names ---

  setsockopt(
    fd: number,
    level: number | string,
    option: number | string,
    value: OptionValue,
    /** optlen, octets; an int needs four. Left out: that of the value. */
    length?: number,
  ): Result {
    return this.#on(
      fd,
      () => `setsockopt(${fd}, ${level}, ${option}, ${valueText(value)})`,
      (s, now) => {
        if (length !== undefined && length < 0) return failed('EINVAL')
        if (typeof value === 'number' && length !== undefined && length < 4) return failed('EINVAL')
        const cut =
          length !== undefined && typeof value === 'string' ? value.padEnd(length, '\0').slice(0, length) : value
        return done(setOption(s, level, option, cut, now))
      },
    )
  }

  getsockopt(fd: number, level: number | string, option: number | string): OptionResult {
    return this.#on<OptionResult>(
      fd,
      () => `getsockopt(${fd}, ${level}, ${option})`,
      (s, now) => {
        const value = getOption(s, level, option, now)
        return optionFailed(value) ? failed(value.errno) : { result: 0, value }
      },
    )
  }

  getsockname(fd: number): AddressResult {
    return this.#on<AddressResult>(
      fd,
      () => `getsockname(${fd})`,
      (s) => ({ result: 0, address: s.localAddress() }),
    )
  }

  getpeername(fd: number): AddressResult {
    return this.#on<AddressResult>(
      fd,
      () => `getpeername(${fd})`,
      (s) => {
        const c = s.connection
        if (c === null || s.gone || (s.opening && !s.connectDeferred)) return failed('ENOTCONN')
        return { result: 0, address: s.addressOf(c.remote, c.remotePort) }
      },
    )
  }

  ioctl(fd: number, request: number | string, argument = 0): ValueResult {
    const file = this.descriptors.get(fd)
    if (file === null) return failed('EBADF')
    const { numbers } = this.personality
    const wanted = typeof request === 'string' ? (numbers[request] ?? -1) : request
    const about = file instanceof TcpSocket ? file : null
    return this.immediate<ValueResult>(
      about,
      () => `ioctl(${fd}, ${request})`,
      () => {
        if (wanted === numbers.FIONBIO) {
          file.nonBlocking = argument !== 0
          return SUCCESS
        }
        if (file instanceof PipeEnd && wanted === numbers.FIONREAD) return { result: 0, value: file.octets }
        if (!(file instanceof TcpSocket)) return failed('ENOTTY')
        return this.#socketIoctl(file, wanted)
      },
    )
  }

  #socketIoctl(s: TcpSocket, request: number): ValueResult {
    const { FIONREAD, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, FIONWRITE, FIONSPACE } = this.personality.numbers
    if (s.listener !== null && request !== FIONREAD && request !== SIOCATMARK) return failed('EINVAL')
    if (s.listener !== null && request === FIONREAD && this.personality.system === 'linux') return failed('EINVAL')
    switch (request) {
      case FIONREAD:
      case SIOCINQ:
        return { result: 0, value: unread(s) }
      case SIOCOUTQ:
      case FIONWRITE:
        return { result: 0, value: unacknowledged(s) }
      case SIOCOUTQNSD:
        return { result: 0, value: unsent(s) }
      case FIONSPACE:
        return { result: 0, value: Math.max(0, (s.connection?.snd.buffer ?? 0) - unacknowledged(s)) }
      case SIOCATMARK:
        return { result: 0, value: Number(s.atUrgentMark) }
      default:
        return failed('ENOTTY')
    }
  }

  fcntl(fd: number, command: number, argument = 0): Result {
    const file = this.descriptors.get(fd)
    if (file === null) return failed('EBADF')
    const { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, FD_CLOEXEC, O_NONBLOCK, O_APPEND } = this.personality.numbers
    const about = file instanceof TcpSocket ? file : null
    return this.immediate(
      about,
      () => `fcntl(${fd}, ${command}, ${argument})`,
      () => {
        switch (command) {
          case F_GETFL:
            return { result: file.accessMode | (file.nonBlocking ? O_NONBLOCK! : 0) | (file.append ? O_APPEND! : 0) }
          case F_SETFL:
            file.nonBlocking = (argument & O_NONBLOCK!) !== 0
            file.append = (argument & O_APPEND!) !== 0
            return SUCCESS
          case F_GETFD:
            return { result: this.descriptors.closeOnExec(fd) ? FD_CLOEXEC! : 0 }
          case F_SETFD:
            this.descriptors.setCloseOnExec(fd, (argument & FD_CLOEXEC!) !== 0)
            return SUCCESS
          case F_DUPFD:
            return { result: this.descriptors.add(file, false, argument) }
          default:
            return failed('EINVAL')
        }
      },
    )
  }

  dup(fd: number): Result {
    return this.fcntl(fd, this.personality.numbers.F_DUPFD!, 0)
  }

  /** A call on a socket that never waits. */
  #on<R extends Result>(fd: number, text: () => string, act: (s: TcpSocket, now: Instant) => R): R | Result {
    const s = this.socketOf(fd)
    return typeof s === 'string' ? failed(s) : this.immediate(s, text, (now) => act(s, now))
  }
}

const done = (errno: Errno | null): Result => (errno === null ? SUCCESS : failed(errno))

/** How long a call on a socket waits, ms: not at all, SO_RCVTIMEO or SO_SNDTIMEO, or for ever. */
const patienceOf = (s: TcpSocket, timeout: Millis): Millis => (s.nonBlocking ? 0 : timeout > 0 ? timeout : NEVER)

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)

function gathered(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function scatter(from: Uint8Array, parts: readonly Uint8Array[]): void {
  let at = 0
  for (const part of parts) {
    part.set(from.subarray(at, at + part.length))
    at += part.length
  }
}

function addressText(to: SocketAddress | null): string {
  if (to === null) return 'NULL'
  return to.address === undefined ? `family ${to.family}` : `${to.address}:${to.port ?? 0}`
}

function valueText(value: OptionValue): string {
  return typeof value === 'object' && !(value instanceof Uint8Array) ? JSON.stringify(value) : `[${value}]`
}
