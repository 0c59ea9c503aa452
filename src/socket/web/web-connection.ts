import type { Host } from '../../ip/index.js'
import {
  type Connection,
  type Instant,
  type Listener,
  readable as readableOctets,
  receive,
  receiveChunk,
  send,
} from '../../tcp/index.js'
import type { Alive } from '../alive.js'
import { closeStep, shutdownSocket } from '../closing.js'
import { awaitConnected } from '../opening.js'
import type { TcpSocket } from '../socket.js'
import { ask } from '../socket-option.js'
import { SocketError } from './socket-error.js'

export interface HostAndPort {
  readonly hostname: string
  readonly port: number
}

/** Both ends of an open connection: as WinterTC's sockets API has them ('10.0.0.2:80', '[fd00::2]:80'), and taken apart. */
export interface SocketInfo {
  readonly localAddress: string
  readonly remoteAddress: string
  readonly local: HostAndPort
  readonly remote: HostAndPort
}

/** What the connections and listeners of a host share. */
export interface WebContext {
  readonly host: Host
  readonly clock: { readonly now: Instant }
  readonly alive: Alive | null
}

/** Runs user calls inside the host, so that what they send leaves in one batch. */
export function entered<T>({ host, clock }: WebContext, act: (now: Instant) => T): T {
  const { now } = clock
  host.enter(now)
  try {
    return act(now)
  } finally {
    host.leave(now)
  }
}

/** '10.0.0.2:80', '[fd00::2]:80' */
export const placeText = ({ hostname, port }: HostAndPort): string =>
  hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`

/** Most octets that are read at once. */
const MOST_AT_ONCE = 65_536

interface Later<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

function later<T>(): Later<T> {
  let settle!: Omit<Later<T>, 'promise'>
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // whoever does not ask is not told
  promise.catch(() => {})
  return { promise, ...settle }
}

/**
 * A connection as web streams, after the shape of WinterTC's sockets API and Deno's: octets come from `readable` and go
 * to `writable`; a reader that does not read closes the receive window, a full send buffer makes `writer.ready` wait.
 *
 * `writable.close()` is FIN, `writable.abort()` RST. `readable.cancel()` throws away what comes. When both sides are
 * through, or the connection fails, `closed` is settled.
 */
export class WebConnection {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly writable: WritableStream<Uint8Array>
  readonly #context: WebContext
  readonly #halfOpen: boolean
  /** `connect 192.0.2.1:80`, for errors; once it is open, `connection with …`. */
  #what: string
  readonly #opened = later<SocketInfo>()
  readonly #closed = later<void>()
  /** Our FIN is queued, or there is nothing more to send it on. */
  readonly #finished = later<void>()
  #socket: TcpSocket | null = null
  #source!: ReadableByteStreamController
  #sink!: WritableStreamDefaultController
  #opening = true
  #woken = false
  #waits = false
  /** Wakes who waits for text; null: nobody does. */
  #pull: (() => void) | null = null
  /** What of a chunk is not in the send buffer yet. */
  #write: { chunk: Uint8Array; at: number; done: Later<void> } | null = null
  /** The writer has a chunk here. */
  #writing = false
  /** FIN is to follow the chunk that is being written. */
  #finishing = false
  #readEnded = false
  #writeEnded = false
  /** The connection failed, and text that came before is still to be read. */
  #failed: Error | null = null
  #over = false

  /** @param halfOpen the writable side outlives the peer's FIN */
  constructor(context: WebContext, halfOpen: boolean, what: string) {
    this.#context = context
    this.#halfOpen = halfOpen
    this.#what = what
    this.readable = new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.#source = controller
        },
        pull: () => this.#wantText(),
        cancel: () => this.#stopReading(),
      },
      { highWaterMark: 0 },
    ) as ReadableStream<Uint8Array<ArrayBuffer>>
    this.writable = new WritableStream({
      start: (controller) => {
        this.#sink = controller
        // `abort` below waits for a chunk that is being written, and the peer may never make room for it
        const { signal } = controller as WritableStreamDefaultController & { readonly signal: AbortSignal }
        signal.addEventListener('abort', () => queueMicrotask(() => this.#end(null, true)))
      },
      write: (chunk) => this.#send(chunk),
      close: async () => {
        await this.#opened.promise
        this.#finishWriting()
        await this.#finished.promise
      },
      abort: () => this.#end(null, true),
    })
    this.#staysAlive()
  }

  /** Fulfilled when the handshake is complete; rejected when it fails. */
  get opened(): Promise<SocketInfo> {
    return this.#opened.promise
  }

  /** Fulfilled when both sides are closed; rejected when the connection fails. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Sends what was written, then FIN; what has arrived, or arrives from now on, is not read any more. */
  async close(): Promise<void> {
    if (!this.#over && !this.#opening) {
      if (!this.writable.locked) this.writable.close().catch(() => {})
      else await this.#finishBehindWriter()
      await this.#finished.promise
    }
    this.#end(null)
    this.#sink.error(new SocketError('EPIPE', this.#what))
    return this.closed
  }

  // --- what connect and listen do with it ---

  /** It stands on a socket that connects, or has connected. */
  stand(socket: TcpSocket): void {
    if (this.#over) return void entered(this.#context, (now) => closeStep(socket, now, true))
    this.#socket = socket
    socket.connection!.user = this
    this.#run()
  }

  fail(error: Error): void {
    this.#end(error)
  }

  notify(_about: Connection | Listener, _ready: number, _now: Instant): void {
    if (this.#woken) return
    this.#woken = true
    queueMicrotask(() => this.#run())
  }

  // --- what happens ---

  #run(): void {
    this.#woken = false
    const socket = this.#socket
    if (socket === null || this.#over) return
    if (this.#opening && !this.#open(socket)) return
    if (this.#write !== null) this.#sendMore()
    // each of these may be the end of it
    if (!this.#over) {
      if (this.#pull !== null) this.#read()
      else if (!this.#readEnded && isAtEnd(socket)) this.#readToEnd()
    }
    if (!this.#over) this.#lookForFailure(socket)
    this.#staysAlive()
  }

  /** False: not yet, or never. */
  #open(socket: TcpSocket): boolean {
    const error = entered(this.#context, (now) => awaitConnected(socket, 'EINPROGRESS', now, false))
    if (error === null) return false
    if (error !== 0) {
      this.#end(new SocketError(error, this.#what))
      return false
    }
    this.#opening = false
    const c = socket.connection!
    const local = { hostname: String(c.local), port: c.localPort }
    const remote = { hostname: String(c.remote), port: c.remotePort }
    this.#what = `connection with ${placeText(remote)}`
    this.#opened.resolve({ localAddress: placeText(local), remoteAddress: placeText(remote), local, remote })
    return true
  }

  /** A RST, a time-out: known at once to whoever waits for `closed`, and to a reader once it has read what came before. */
  #lookForFailure(socket: TcpSocket): void {
    if (this.#readEnded) this.#discard(socket)
    const error = socket.pendingError
    if (error !== null && this.#failed === null) this.#fails(new SocketError(error, this.#what))
  }

  #fails(error: Error): void {
    const c = this.#socket!.connection!
    if (this.#readEnded || readableOctets(c) === 0) return this.#end(error)
    this.#failed = error
    this.#stopWriting(error)
    this.#closed.reject(error)
  }

  #wantText(): Promise<void> {
    return new Promise((resolve) => {
      this.#pull = resolve
      if (!this.#opening) this.#read()
      this.#staysAlive()
    })
  }

  #read(): void {
    const c = this.#socket!.connection!
    const request = this.#source.byobRequest
    const target =
      request === null
        ? new Uint8Array(Math.min(MOST_AT_ONCE, Math.max(1, readableOctets(c))))
        : new Uint8Array(request.view!.buffer as ArrayBuffer, request.view!.byteOffset, request.view!.byteLength)
    const n = entered(this.#context, (now) => receive(c, target, 0, now))
    if (n === 'EAGAIN') return
    if (typeof n === 'string') return this.#end(this.#failed ?? new SocketError(n, this.#what))
    if (n === 0) {
      if (this.#failed !== null) return this.#end(this.#failed)
      this.#readToEnd()
    } else if (request === null) this.#source.enqueue(n === target.length ? target : target.subarray(0, n))
    else request.respond(n)
    this.#pulled()
  }

  #pulled(): void {
    const pulled = this.#pull
    this.#pull = null
    pulled?.()
  }

  /** The peer's FIN. */
  #readToEnd(): void {
    this.#closeSource()
    if (!this.#halfOpen) void this.#finishBehindWriter()
    this.#endIfBothDid()
  }

  #closeSource(): void {
    this.#readEnded = true
    this.#source.close()
    this.#source.byobRequest?.respond(0)
  }

  #stopReading(): void {
    this.#readEnded = true
    this.#pulled()
    const socket = this.#socket
    if (socket === null || this.#opening) return
    this.#discard(socket)
    this.#endIfBothDid()
  }

  /** Nobody reads: the window stays open, and what comes is thrown away. */
  #discard(socket: TcpSocket): void {
    const c = socket.connection
    if (c === null || readableOctets(c) === 0) return
    entered(this.#context, (now) => {
      while (readableOctets(c) > 0) if (typeof receiveChunk(c, MOST_AT_ONCE, now) === 'string') return
    })
  }

  async #send(chunk: unknown): Promise<void> {
    const octets = octetsOf(chunk)
    this.#writing = true
    try {
      await this.#opened.promise
      if (this.#over || this.#writeEnded) throw new SocketError('EPIPE', this.#what)
      const done = later<void>()
      this.#write = { chunk: octets, at: 0, done }
      this.#sendMore()
      this.#staysAlive()
      await done.promise
    } finally {
      this.#writing = false
    }
  }

  #sendMore(): void {
    const write = this.#write!
    const c = this.#socket!.connection!
    const failed = entered(this.#context, (now) => {
      while (write.at < write.chunk.length) {
        const n = send(c, write.at === 0 ? write.chunk : write.chunk.subarray(write.at), 0, now)
        if (typeof n === 'string') return n
        write.at += n
      }
      return null
    })
    if (failed === 'EAGAIN') return
    if (failed !== null) return this.#fails(new SocketError(failed, this.#what))
    this.#write = null
    write.done.resolve()
    if (this.#finishing) this.#finishWriting()
  }

  /** FIN, behind what is being written. */
  #finishWriting(): void {
    const socket = this.#socket
    if (this.#writeEnded || this.#over || socket === null) return
    if (this.#write !== null) {
      this.#finishing = true
      return
    }
    this.#writeEnded = true
    entered(this.#context, (now) => shutdownSocket(socket, 1, now))
    this.#finished.resolve()
    this.#endIfBothDid()
  }

  /** FIN, behind everything that was given to whoever holds the writer: streams hand over chunk by chunk. */
  async #finishBehindWriter(): Promise<void> {
    for (let quiet = 0; quiet < 8; quiet++) {
      if (this.#writing) quiet = 0
      await (this.#write?.done.promise.catch(() => {}) ?? null)
      if (this.#over) return
    }
    this.#finishWriting()
  }

  #stopWriting(why: Error | null): void {
    this.#writeEnded = true
    this.#write?.done.reject(why)
    this.#write = null
    // else whoever holds the writer closes it, as pipeTo does, or is told when it writes
    if (why !== null) this.#sink.error(why)
    this.#finished.resolve()
  }

  #endIfBothDid(): void {
    if (this.#readEnded && this.#writeEnded) this.#end(null)
  }

  /** Nothing more happens here; the machine goes on with what was written. */
  #end(error: Error | null, reset = false): void {
    if (this.#over) return
    this.#over = true
    const socket = this.#socket
    if (socket !== null) {
      entered(this.#context, (now) => {
        if (reset) ask(socket, { linger: 0 }, now)
        closeStep(socket, now, true)
      })
    }
    const why = error ?? (reset ? new SocketError('ECONNABORTED', this.#what) : null)
    if (this.#opening) this.#neverOpens(why ?? new SocketError('ECANCELED', this.#what))
    if (!this.#readEnded) {
      if (why === null) this.#closeSource()
      else this.#source.error(why)
    }
    this.#pulled()
    this.#stopWriting(why)
    if (error === null) this.#closed.resolve()
    else this.#closed.reject(error)
    this.#staysAlive()
  }

  #neverOpens(why: Error): void {
    this.#opened.reject(why)
    this.#sink.error(why)
  }

  /** The process stays while the connection opens, or somebody waits to read or write. */
  #staysAlive(): void {
    const waits = !this.#over && (this.#opening || this.#pull !== null || this.#write !== null)
    if (waits === this.#waits) return
    this.#waits = waits
    if (waits) this.#context.alive?.add()
    else this.#context.alive?.remove()
  }
}

/** The peer's FIN was received, and everything before it is read: there is an end that nobody needs to ask for. */
const isAtEnd = (socket: TcpSocket): boolean => socket.connection?.rcv.finReceived === true && socket.readable === 0

/** @throws TypeError for what is no octets */
function octetsOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  throw new TypeError(`write: a chunk must be octets, a Uint8Array (got ${typeof chunk}; text: TextEncoderStream)`)
}
