import { readFileSync } from 'node:fs'
import type {
  AddressResult,
  EpollEvent,
  EpollResult,
  MessageResult,
  OptionValue,
  Outcome,
  OutgoingMessage,
  PipeResult,
  PollEntry,
  PollResult,
  Result,
  SocketAddress,
  ValueResult,
} from '../../socket/index.js'
import type { ProgramCalls, SizedOption } from '../target.js'
import type { Memory } from './c-library.js'
import { KernelBase } from './kernel-base.js'
import { optionMemory, readOption } from './option-structs.js'
import { controlMessages, LITTLE, messageFlags, msghdr, readSockaddr, sockaddr } from './structs.js'

const IPPROTO_TCP = 6
const TCP_CONGESTION = 13
const MSG_ZEROCOPY = 0x4000000
/** Octets for control messages. */
const CONTROL_ROOM = 1024
/** struct epoll_event is packed on x86, and only there. Octets. */
const EVENT = process.arch === 'x64' ? { length: 12, data: 4 } : { length: 16, data: 8 }

/** The congestion control that the kernel was built with as the default, as far as no script has said anything else. */
const DEFAULT_CONGESTION = '/proc/sys/net/ipv4/tcp_congestion_control'

/** The system calls of a script's program, made for real. */
export class KernelCalls extends KernelBase implements ProgramCalls {
  readonly #builtIn = congestionControl()
  /** Text that the kernel was asked not to copy. */
  readonly #pinned: Memory[] = []

  // --- sockets ---

  socket(domain: number, type: number, protocol = 0): Result {
    const made = this.opened(this.direct('socket', domain, type, protocol))
    if (made.result >= 0) this.#preferCubic(made.result)
    return made
  }

  /**
   * Scripts of Linux say `sysctl net.ipv4.tcp_congestion_control=cubic`, which a kernel whose default is another one
   * does not let a namespace do; each socket may.
   */
  #preferCubic(fd: number): void {
    if (this.#builtIn === 'cubic' || congestionControl() !== this.#builtIn) return
    const name = this.c.memory(new TextEncoder().encode('cubic'))
    this.c.call.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.address, name.bytes.length)
  }

  bind(fd: number, to: SocketAddress): Result {
    const address = sockaddr(this.c, to)
    return this.direct('bind', fd, address, address.bytes.length)
  }

  listen(fd: number, backlog: number): Result {
    return this.direct('listen', fd, backlog)
  }

  accept(fd: number, flags?: number): Outcome<AddressResult> {
    const address = this.c.memory(28)
    const length = this.#int(28)
    const name = flags === undefined ? 'accept' : 'accept4'
    return this.patient<AddressResult>(name, [fd, address, length, flags ?? 0], (result) =>
      result.result < 0 ? result : { ...this.opened(result), address: readSockaddr(address) },
    )
  }

  connect(fd: number, to: SocketAddress): Outcome {
    const address = sockaddr(this.c, to)
    return this.patient('connect', [fd, address, address.bytes.length], same)
  }

  shutdown(fd: number, how: number): Result {
    return this.direct('shutdown', fd, how)
  }

  close(fd: number): Outcome {
    this.forget(fd)
    return this.patient('close', [fd], same)
  }

  // --- text ---

  write(fd: number, text: Uint8Array | null): Outcome {
    return this.patient('write', [fd, this.#text(text), text?.length ?? 1], same)
  }

  send(fd: number, text: Uint8Array | null, flags = 0): Outcome {
    return this.patient('send', [fd, this.#text(text, flags), text?.length ?? 1, flags], same)
  }

  sendto(fd: number, text: Uint8Array | null, flags: number, to: SocketAddress | null): Outcome {
    const address = to === null ? null : sockaddr(this.c, to)
    const length = address?.bytes.length ?? 0
    const words = [fd, this.#text(text, flags), text?.length ?? 1, flags, address, length]
    return this.patient('sendto', words, same)
  }

  sendmsg(fd: number, { text, to = null }: OutgoingMessage, flags = 0): Outcome {
    const octets = this.#text(text, flags)!
    const message = msghdr(this.c, octets, to === null ? null : sockaddr(this.c, to), 0)
    return this.patient('sendmsg', [fd, message.header, flags], same, message)
  }

  sendfile(out: number, from: number, offset: number | null, count: number): Outcome {
    const at = offset === null ? null : this.c.memory(8)
    at?.view.setBigInt64(0, BigInt(offset ?? 0), LITTLE)
    return this.patient('sendfile', [out, from, at, count], same)
  }

  splice(from: number, to: number, length: number, flags = 0): Outcome {
    return this.patient('splice', [from, null, to, null, length, flags], same)
  }

  read(fd: number, target: Uint8Array | null): Outcome {
    const memory = target === null ? null : this.c.memory(target.length)
    return this.patient('read', [fd, memory, target?.length ?? 1], (result) => given(result, memory, target))
  }

  recv(fd: number, target: Uint8Array | null, flags = 0): Outcome<MessageResult> {
    const memory = target === null ? null : this.c.memory(target.length)
    const words = [fd, memory, target?.length ?? 1, flags]
    return this.patient('recv', words, (result) => given(result, memory, target))
  }

  recvmsg(fd: number, target: Uint8Array | null, flags = 0): Outcome<MessageResult> {
    const memory = this.c.memory(target?.length ?? 0)
    const message = msghdr(this.c, memory, null, CONTROL_ROOM)
    const done = (result: Result): MessageResult => {
      given(result, memory, target)
      if (result.result < 0) return result
      const control = controlMessages(message, (wall) => this.clock.wallNanoseconds(wall))
      return { ...result, flags: messageFlags(message), control }
    }
    const words = [fd, message.header, flags]
    return this.patient('recvmsg', words, done, message)
  }

  #text(text: Uint8Array | null, flags = 0): Memory | null {
    if (text === null) return null
    const memory = this.c.memory(text)
    if (flags & MSG_ZEROCOPY) this.#pinned.push(memory)
    return memory
  }

  // --- options ---

  setsockopt(fd: number, level: number | string, option: number | string, value: OptionValue, length?: number): Result {
    const memory = optionMemory(this.c, value, length)
    return this.direct('setsockopt', fd, Number(level), Number(option), memory, length ?? memory.bytes.length)
  }

  getsockopt(fd: number, level: number, option: number, room: number): SizedOption {
    const memory = this.c.memory(Math.max(room, 16))
    const length = this.#int(room)
    const result = this.direct('getsockopt', fd, level, option, memory, length)
    if (result.result < 0) return result
    const got = length.view.getInt32(0, LITTLE)
    return { ...result, value: readOption(level, option, memory, got), length: got }
  }

  ioctl(fd: number, request: number | string, argument = 0): ValueResult {
    const memory = this.#int(argument)
    const result = this.direct('ioctl', fd, Number(request), memory)
    return { ...result, value: memory.view.getInt32(0, LITTLE) }
  }

  fcntl(fd: number, command: number, argument = 0): Result {
    const result = this.direct('fcntl', fd, command, argument)
    return command === 0 ? this.opened(result) : result
  }

  dup(fd: number): Result {
    return this.opened(this.direct('dup', fd))
  }

  // --- events ---

  poll(entries: readonly Pick<PollEntry, 'fd' | 'events'>[], timeout: number): Outcome<PollResult> {
    const memory = this.c.memory(8 * entries.length)
    for (const [i, { fd, events }] of entries.entries()) {
      memory.view.setInt32(8 * i, fd, LITTLE)
      memory.view.setInt16(8 * i + 4, events, LITTLE)
    }
    const done = (result: Result): PollResult => ({
      ...result,
      entries: entries.map((entry, i) => ({ ...entry, revents: memory.view.getUint16(8 * i + 6, LITTLE) })),
    })
    const words = [memory, entries.length, timeout]
    return this.patient<PollResult>('poll', words, done)
  }

  epoll_create(size: number): Result {
    return this.opened(this.direct('epoll_create', size))
  }

  epoll_create1(flags: number): Result {
    return this.opened(this.direct('epoll_create1', flags))
  }

  epoll_ctl(epoll: number, operation: number, fd: number, event: EpollEvent | null): Result {
    const memory = event === null ? null : this.c.memory(EVENT.length)
    memory?.view.setUint32(0, (event?.events ?? 0) >>> 0, LITTLE)
    memory?.view.setBigInt64(EVENT.data, BigInt(event?.data ?? 0), LITTLE)
    return this.direct('epoll_ctl', epoll, operation, fd, memory)
  }

  epoll_wait(epoll: number, most: number, timeout: number): Outcome<EpollResult> {
    const memory = this.c.memory(EVENT.length * Math.max(1, most))
    const done = (result: Result): EpollResult => ({
      ...result,
      events: Array.from({ length: Math.max(0, result.result) }, (_, i) => ({
        events: memory.view.getUint32(EVENT.length * i, LITTLE),
        data: Number(memory.view.getBigInt64(EVENT.length * i + EVENT.data, LITTLE)),
      })),
    })
    const words = [epoll, memory, most, timeout]
    return this.patient<EpollResult>('epoll_wait', words, done)
  }

  // --- files ---

  pipe(): PipeResult {
    const memory = this.c.memory(8)
    const result = this.direct('pipe', memory)
    if (result.result < 0) return result
    const fds = [memory.view.getInt32(0, LITTLE), memory.view.getInt32(4, LITTLE)] as const
    for (const fd of fds) this.opened({ result: fd })
    return { ...result, fds }
  }

  open(path: string, flags: number, mode = 0o644): Result {
    const name = this.c.memory(new TextEncoder().encode(`${path}\0`))
    return this.opened(this.direct('open', name, flags, mode))
  }

  #int(value: number): Memory {
    const memory = this.c.memory(8)
    memory.view.setInt32(0, value, LITTLE)
    return memory
  }
}

const same = (result: Result): Result => result

/** Gives the program what the kernel read. */
function given(result: Result, memory: Memory | null, target: Uint8Array | null): Result {
  if (result.result > 0 && memory !== null && target !== null) {
    target.set(memory.bytes.subarray(0, Math.min(result.result, target.length)))
  }
  return result
}

const congestionControl = (): string => readFileSync(DEFAULT_CONGESTION, 'latin1').trim()
