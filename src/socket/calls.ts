import type { Instant } from '../tcp/index.js'
import type { SocketAddress } from './address.js'
import { addressText, patienceOf, TextCalls } from './calls-text.js'
import { closeStep, shutdownSocket } from './closing.js'
import { Epoll } from './epoll.js'
import type { Errno } from './errno.js'
import { acceptFrom, awaitConnected, bindSocket, disconnect, listenOn, startConnect } from './opening.js'
import { type OptionValue, optionFailed } from './option-value.js'
import { PipeEnd } from './pipe.js'
import { failed, type Outcome, type Result, SUCCESS, toResult } from './result.js'
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

/**
 * The BSD calls on descriptors, as a program on the host would make them. Numbers of families, flags, levels and options
 * are those of the personality's headers (`personality.numbers`). A call that has to wait gives a `Pending`.
 */
export class Calls extends TextCalls {
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

function valueText(value: OptionValue): string {
  return typeof value === 'object' && !(value instanceof Uint8Array) ? JSON.stringify(value) : `[${value}]`
}
