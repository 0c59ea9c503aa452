import { Buffer } from 'node:buffer'
import {
  type Connection,
  close as closeConnection,
  type Instant,
  readable,
  receive,
  SendFlag,
  send,
} from '../../tcp/index.js'
import { shutdownSocket } from '../closing.js'
import type { Errno } from '../errno.js'
import { awaitConnected, startConnect } from '../opening.js'
import { TcpSocket } from '../socket.js'
import { ask } from '../socket-option.js'
import { type AddressInfo, remoteInfo, toAddress } from './addresses.js'
import { entered, type NetContext, observed } from './context.js'
import { Handle } from './handle.js'

/** Most octets given at once. */
const MOST_AT_ONCE = 65_536
/** Text as short as this is copied into a part of Node's pool of buffers. Octets. */
const SHORT = 2048

/** Text as long as this lies in buffers of so many octets, which cost less than one for each. Octets. */
const LONG = 32_768
const LARGE = 262_144

/** Whoever reads from a connection. */
export interface Reader {
  /** Octets into its own buffer; null: it takes what comes as it is. */
  readonly buffer: Uint8Array | null
  /** `count` octets, in `chunk` or in `buffer`. */
  textArrived(chunk: Buffer | null, count: number): void
  endArrived(): void
  readFailed(error: Errno): void
}

/** Text that waits for room in the send buffer. */
interface Write {
  readonly chunks: readonly Uint8Array[]
  /** The next chunk, and the next octet of it. */
  next: number
  at: number
  readonly done: (error: Errno | null) => void
}

/** A connection of the host. */
export class ConnectionHandle extends Handle {
  reader: Reader | null = null
  /** `reader` wants what comes. */
  reading = false
  #ended = false
  #onConnect: ((error: Errno | null) => void) | null = null
  readonly #writes: Write[] = []
  readonly #written: { done: Write['done']; error: Errno | null }[] = []
  #queuedOctets = 0
  #onShutdown: ((error: Errno | null) => void) | null = null
  #shutdown: 'open' | 'asked' | 'done' = 'open'
  #shutdownError: Errno | null = null
  #readLast = false

  constructor(context: NetContext, socket: TcpSocket) {
    super('TCPWRAP', context, socket)
    if (socket.connection !== null) socket.connection.user = this
  }

  static unconnected(context: NetContext, ipv6: boolean): ConnectionHandle {
    return new ConnectionHandle(context, new TcpSocket(context.space, ipv6))
  }

  /** It has no address yet: it may still become one of another family. */
  toFamily(ipv6: boolean): void {
    if (this.socket.ipv6 === ipv6) return
    const { asked } = this.socket
    this.socket = new TcpSocket(this.context.space, ipv6)
    this.socket.asked = asked
    this.socket.own.reuseAddress = true
  }

  /** Begins to connect. An error: it cannot be begun, and `done` is never called. */
  connect(address: string, port: number, done: (error: Errno | null) => void): Errno | null {
    const { socket, context } = this
    const { AF_INET, AF_INET6 } = socket.personality.numbers
    const to = { family: (socket.ipv6 ? AF_INET6 : AF_INET)!, address: toAddress(address), port }
    const error = entered(context, (now) => startConnect(socket, to, {}, now))
    observed(context, socket.observed, () => `connect(${address}, ${port})`, error)
    if (error !== null) return error
    socket.connection!.user = this
    this.#onConnect = done
    this.waitingChanged()
    if (!socket.opening) context.turns.add(this)
    return null
  }

  readStart(): void {
    if (this.reading || this.#ended || this.closed) return
    this.reading = true
    this.waitingChanged()
    if (this.#somethingToRead()) this.context.turns.add(this)
  }

  readStop(): void {
    this.reading = false
    this.waitingChanged()
  }

  /**
   * null: the host took everything. Else an error, or 'waits': `done` is called when it has. What is written is copied.
   */
  write(chunks: readonly Uint8Array[], done: (error: Errno | null) => void): null | Errno | 'waits' {
    if (this.closed) return 'EBADF'
    const write: Write = { chunks, next: 0, at: 0, done }
    const { context, socket } = this
    if (this.#writes.length === 0 && this.#onConnect === null) {
      const error = entered(context, (now) => this.#send(write, now))
      if (error !== 'EAGAIN') {
        if (context.host.observer !== null) {
          observed(context, socket.observed, () => `write(${total(chunks)})`, error ?? total(chunks))
        }
        return error
      }
    }
    this.#writes.push(write)
    for (let i = write.next; i < chunks.length; i++) this.#queuedOctets += chunks[i]!.length
    this.#queuedOctets -= write.at
    this.waitingChanged()
    return 'waits'
  }

  /** As `write` of one chunk, of which as much is taken as there is room for: octets, or an error. */
  writeNow(chunk: Uint8Array): number | Errno {
    if (this.closed) return 'EBADF'
    const { context, socket } = this
    const c = socket.connection
    if (c === null) return 'EPIPE'
    if (this.#writes.length > 0 || this.#onConnect !== null) return 0
    const { host } = context
    const now = context.now()
    let taken = 0
    let error: Errno | null = null
    host.enter(now)
    try {
      while (taken < chunk.length) {
        const n = send(c, taken === 0 ? chunk : chunk.subarray(taken), 0, now)
        if (typeof n === 'string') {
          error = n
          break
        }
        taken += n
      }
    } finally {
      host.leave(now)
    }
    socket.written += taken
    if (error !== null && error !== 'EAGAIN') return error
    if (host.observer !== null && taken > 0) observed(context, socket.observed, () => `write(${chunk.length})`, taken)
    return taken
  }

  override get writeQueueSize(): number {
    return this.#queuedOctets
  }

  /** FIN behind everything written; `done` when it is on its way. */
  shutdown(done: (error: Errno | null) => void): void {
    this.#onShutdown = done
    this.#shutdown = 'asked'
    this.waitingChanged()
    this.#shutDownIfWritten()
    this.context.turns.add(this)
  }

  /** Closes with a RST. */
  reset(told: (() => void) | null = null): void {
    entered(this.context, (now) => ask(this.socket, { linger: 0 }, now))
    this.close(told)
  }

  get remote(): AddressInfo | null {
    return remoteInfo(this.socket)
  }

  protected override end(now: Instant): void {
    const c = this.socket.connection
    super.end(now)
    if (c !== null && c.ended !== null) closeConnection(c, now)
    this.reading = false
    if (this.#writes.length === 0) return
    for (const write of this.#writes.splice(0)) this.#written.push({ done: write.done, error: 'ECANCELED' })
    this.#queuedOctets = 0
  }

  protected get waiting(): boolean {
    return this.reading || this.#onConnect !== null || this.#writes.length > 0 || this.#onShutdown !== null
  }

  override tell(): void {
    if (this.closed && this.#written.length > 0) {
      const { done, error } = this.#written.shift()!
      this.context.turns.add(this)
      return done(error)
    }
    super.tell()
  }

  /** One thing at a time, reading and writing by turns, so that neither starves the other. */
  protected tellNext(): void {
    if (this.#onConnect !== null) return this.#tellConnected()
    this.#flush()
    const written = this.#writtenToTell()
    const toRead = this.reading && this.#somethingToRead()
    if (written && toRead) this.context.turns.add(this)
    if (toRead && !(written && this.#readLast)) {
      this.#readLast = true
      if (this.#tellRead()) return
    }
    this.#readLast = false
    if (written) this.#tellWritten()
  }

  #writtenToTell(): boolean {
    return this.#written.length > 0 || (this.#shutdown === 'done' && this.#onShutdown !== null)
  }

  #tellConnected(): void {
    const { context, socket } = this
    const error = entered(context, (now) => awaitConnected(socket, 'EINPROGRESS', now, false))
    if (error === null) return
    const done = this.#onConnect!
    this.#onConnect = null
    this.waitingChanged()
    if (this.#writes.length > 0 || this.#shutdown !== 'open' || this.#somethingToRead()) context.turns.add(this)
    done(error === 0 ? null : error)
  }

  #tellWritten(): void {
    const written = this.#written.shift()
    if (written !== undefined) {
      if (this.#written.length > 0 || this.#onShutdown !== null) this.context.turns.add(this)
      return written.done(written.error)
    }
    const done = this.#onShutdown!
    this.#onShutdown = null
    this.waitingChanged()
    done(this.#shutdownError)
  }

  /** False: there is nothing to tell. */
  #tellRead(): boolean {
    const { context, socket } = this
    const { host } = context
    const reader = this.reader!
    const c = socket.connection!
    const now = context.now()
    let what: Buffer | number | null | Errno
    host.enter(now)
    try {
      what = take(c, reader.buffer, now)
    } finally {
      host.leave(now)
    }
    if (what === 'EAGAIN') return false
    if (typeof what === 'string' || what === null) {
      this.#ended = true
      this.readStop()
      if (host.observer !== null) observed(context, c, () => 'read()', what ?? 0)
      if (what === null) reader.endArrived()
      else reader.readFailed(what)
      return true
    }
    const count = typeof what === 'number' ? what : what.length
    if (host.observer !== null) observed(context, c, () => 'read()', count)
    if (this.#somethingToRead()) context.turns.add(this)
    reader.textArrived(typeof what === 'number' ? null : what, count)
    return true
  }

  #somethingToRead(): boolean {
    const { socket } = this
    const c = socket.connection
    return c !== null && (readable(c) > 0 || c.rcv.finReceived || c.error !== null || socket.gone)
  }

  /** Lets the host take what it has room for now. */
  #flush(): void {
    if (this.#writes.length > 0) entered(this.context, (now) => this.#sendQueued(now))
    this.#shutDownIfWritten()
  }

  #sendQueued(now: Instant): void {
    while (this.#writes.length > 0) {
      const write = this.#writes[0]!
      const before = this.#unsent(write)
      const error = this.#send(write, now)
      this.#queuedOctets -= before - this.#unsent(write)
      if (error === 'EAGAIN') break
      if (error !== null) this.#queuedOctets -= this.#unsent(write)
      this.#writes.shift()
      this.#written.push({ done: write.done, error })
    }
    this.waitingChanged()
  }

  #unsent({ chunks, next, at }: Write): number {
    let octets = -at
    for (let i = next; i < chunks.length; i++) octets += chunks[i]!.length
    return octets
  }

  /** null: all of it is sent or in the send buffer. EAGAIN: the buffer is full; the machine will say when there is room. */
  #send(write: Write, now: Instant): Errno | null {
    const c = this.socket.connection
    if (c === null) return 'EPIPE'
    while (write.next < write.chunks.length) {
      const chunk = write.chunks[write.next]!
      while (write.at < chunk.length) {
        // as one text, as writev(2) sends it
        const flags = textFollows(write.chunks, write.next) ? SendFlag.More : 0
        const n = send(c, write.at === 0 ? chunk : chunk.subarray(write.at), flags, now)
        if (typeof n === 'string') return n
        write.at += n
        this.socket.written += n
      }
      write.next++
      write.at = 0
    }
    return null
  }

  #shutDownIfWritten(): void {
    if (this.#shutdown !== 'asked' || this.#writes.length > 0 || this.#onConnect !== null) return
    const { context, socket } = this
    const about = socket.observed
    this.#shutdown = 'done'
    this.#shutdownError = entered(context, (now) => shutdownSocket(socket, 1, now))
    observed(context, about, () => 'shutdown(SHUT_WR)', this.#shutdownError)
  }
}

const total = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0)

/** Some chunk behind this one is not empty: `http` ends what it writes with an empty one. */
function textFollows(chunks: readonly Uint8Array[], at: number): boolean {
  for (let i = at + 1; i < chunks.length; i++) if (chunks[i]!.length > 0) return true
  return false
}

let large: ArrayBuffer | null = null
let largeUsed = 0

/** A buffer for so many octets that shares its memory with others, but not with many times what it is for. */
function room(octets: number): Buffer {
  if (octets <= SHORT) return Buffer.allocUnsafe(octets)
  if (octets < LONG) return Buffer.allocUnsafeSlow(octets)
  if (large === null || largeUsed + octets > LARGE) {
    large = Buffer.allocUnsafeSlow(LARGE).buffer as ArrayBuffer
    largeUsed = 0
  }
  const buffer = Buffer.from(large, largeUsed, octets)
  largeUsed = (largeUsed + octets + 7) & ~7
  return buffer
}

/** What there is to read: octets, or how many are in `buffer`; null: the end; an error; EAGAIN: nothing yet. */
function take(c: Connection, buffer: Uint8Array | null, now: Instant): Buffer | number | null | Errno {
  if (buffer !== null) {
    const n = receive(c, buffer, 0, now)
    return n === 0 ? null : n
  }
  // a copy: the memory of frames is used again, and a view would hold much of it for few octets
  const there = Math.min(readable(c), MOST_AT_ONCE)
  const chunk = room(there)
  let length = 0
  do {
    const n = receive(c, length === 0 ? chunk : chunk.subarray(length), 0, now)
    if (typeof n === 'string') {
      if (length === 0) return n
      break
    }
    if (n === 0) break
    length += n
  } while (length < there)
  if (length === there && there > 0) return chunk
  return length === 0 ? null : chunk.subarray(0, length)
}
