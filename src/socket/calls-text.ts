import { type Instant, type Millis, NEVER } from '../tcp/index.js'
import type { SocketAddress } from './address.js'
import { EventCalls } from './calls-events.js'
import { type ControlMessage, errorMessages, inQueueMessage } from './control-message.js'
import { giveMessageFlags, Message, takeMessageFlags } from './message-flags.js'
import type { OpenFile } from './open-file.js'
import { PipeEnd } from './pipe.js'
import { newReceiving, receiveStep } from './receiving.js'
import { RegularFile } from './regular-file.js'
import { failed, type Outcome, type Result, toResult } from './result.js'
import { newSending, sendStep } from './sending.js'
import { TcpSocket } from './socket.js'

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

/** The calls that send and receive text. */
export class TextCalls extends EventCalls {
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
}

/** How long a call on a socket waits, ms: not at all, SO_RCVTIMEO or SO_SNDTIMEO, or for ever. */
export const patienceOf = (s: TcpSocket, timeout: Millis): Millis => (s.nonBlocking ? 0 : timeout > 0 ? timeout : NEVER)

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

/** An address in the text of a call. */
export function addressText(to: SocketAddress | null): string {
  if (to === null) return 'NULL'
  return to.address === undefined ? `family ${to.family}` : `${to.address}:${to.port ?? 0}`
}
