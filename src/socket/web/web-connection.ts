import {
  type Connection,
  type Instant,
  type Listener,
  readable as readableOctets,
  receive,
  send,
} from '../../tcp/index.js'
import { closeStep, shutdownSocket } from '../closing.js'
import { awaitConnected } from '../opening.js'
import type { TcpSocket } from '../socket.js'
import { ask } from '../socket-option.js'
import { NetworkError } from './network-error.js'

/** Both ends of an open connection. */
export interface Ends {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

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
 * A connection as web streams, after the shape of WinterCG's sockets API and Deno's: octets come from `readable` and go
 * to `writable`; a reader that waits closes the receive window, a full send buffer makes `writer.ready` wait.
 */
export class WebConnection {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly #opened = later<Ends>()
  readonly #closed = later<void>()
  readonly #now: () => Instant
  readonly #halfOpen: boolean
  #socket: TcpSocket | null = null
  #source!: ReadableByteStreamController
  #sink!: WritableStreamDefaultController
  #opening = true
  #woken = false
  /** Wakes who waits for text, and who waits for room to write it. */
  #pull: (() => void) | null = null
  #write: { chunk: Uint8Array; at: number; done: Later<void> } | null = null
  #readEnded = false
  #writeEnded = false
  #over = false
  /** `connect 192.0.2.1:80`, for errors. */
  #asked = ''

  /** @param halfOpen the writable side outlives the peer's FIN */
  constructor(now: () => Instant, halfOpen: boolean) {
    this.#now = now
    this.#halfOpen = halfOpen
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
    )
    this.writable = new WritableStream({
      start: (controller) => {
        this.#sink = controller
      },
      write: async (chunk) => {
        await this.#opened.promise
        await this.#send(chunk)
      },
      close: async () => {
        await this.#opened.promise
        this.#finishWriting()
      },
      abort: () => this.#end(null, true),
    })
  }

  /** Fulfilled when the handshake is complete. */
  get opened(): Promise<Ends> {
    return this.#opened.promise
  }

  /** Fulfilled when both sides are closed; rejected when the connection fails. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Sends what was written, then FIN; what arrives from now on is not read. */
  async close(): Promise<void> {
    if (!this.#over) {
      if (!this.writable.locked) await this.writable.close().catch(() => {})
      else this.#finishWriting()
      this.#end(null)
    }
    return this.closed
  }

  // --- what connect and listen do with it ---

  /** It stands on a socket that connects, or has connected. */
  stand(socket: TcpSocket, asked: string): void {
    if (this.#over) return void closeStep(socket, this.#now(), true)
    this.#socket = socket
    this.#asked = asked
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
    if (this.#opening) {
      const error = this.#entered((now) => awaitConnected(socket, 'EINPROGRESS', now, false))
      if (error === null) return
      if (error !== 0) return this.#end(new NetworkError(error, this.#asked))
      this.#opening = false
      const { local, localPort, remote, remotePort } = socket.connection!
      this.#opened.resolve({
        localAddress: String(local),
        localPort,
        remoteAddress: String(remote),
        remotePort,
      })
    }
    if (this.#write !== null) this.#sendMore()
    if (this.#pull !== null) this.#read()
  }

  #wantText(): Promise<void> {
    return new Promise((resolve) => {
      this.#pull = resolve
      if (!this.#opening) this.#read()
    })
  }

  #read(): void {
    const c = this.#socket?.connection
    if (c === null || c === undefined || this.#over) return
    const request = this.#source.byobRequest
    const target =
      request === null
        ? new Uint8Array(Math.min(MOST_AT_ONCE, Math.max(1, readableOctets(c))))
        : new Uint8Array(request.view!.buffer as ArrayBuffer, request.view!.byteOffset, request.view!.byteLength)
    const n = this.#entered((now) => receive(c, target, 0, now))
    if (n === 'EAGAIN') return
    const pulled = this.#pull
    this.#pull = null
    if (typeof n === 'string') return this.#end(new NetworkError(n, 'read'))
    if (n === 0) {
      this.#source.close()
      request?.respond(0)
      this.#readEnded = true
      if (!this.#halfOpen && !this.#writeEnded) this.#finishWriting()
      this.#endIfBothDid()
    } else if (request === null) this.#source.enqueue(n === target.length ? target : target.subarray(0, n))
    else request.respond(n)
    pulled?.()
  }

  #stopReading(): void {
    this.#readEnded = true
    this.#endIfBothDid()
  }

  #send(chunk: Uint8Array): Promise<void> {
    const done = later<void>()
    this.#write = { chunk, at: 0, done }
    this.#sendMore()
    return done.promise
  }

  #sendMore(): void {
    const write = this.#write!
    const c = this.#socket?.connection
    if (c === null || c === undefined || this.#over) return
    const failed = this.#entered((now) => {
      while (write.at < write.chunk.length) {
        const n = send(c, write.at === 0 ? write.chunk : write.chunk.subarray(write.at), 0, now)
        if (typeof n === 'string') return n
        write.at += n
      }
      return null
    })
    if (failed === 'EAGAIN') return
    this.#write = null
    if (failed === null) return write.done.resolve()
    const error = new NetworkError(failed, 'write')
    write.done.reject(error)
    this.#end(error)
  }

  #finishWriting(): void {
    const socket = this.#socket
    if (this.#writeEnded || this.#over || socket === null) return
    this.#writeEnded = true
    this.#entered((now) => shutdownSocket(socket, 1, now))
    this.#endIfBothDid()
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
      this.#entered((now) => {
        if (reset) ask(socket, { linger: 0 }, now)
        closeStep(socket, now, true)
      })
    }
    const why = error ?? new NetworkError('ECANCELED', 'close')
    this.#write?.done.reject(why)
    this.#opened.reject(why)
    if (!this.#readEnded) {
      if (error === null) {
        this.#source.close()
        this.#source.byobRequest?.respond(0)
      } else this.#source.error(error)
    }
    this.#pull?.()
    this.#pull = null
    if (error !== null || !this.#writeEnded) this.#sink.error(why)
    if (error === null) this.#closed.resolve()
    else this.#closed.reject(error)
  }

  #entered<T>(act: (now: Instant) => T): T {
    const { host } = this.#socket!
    const now = this.#now()
    host.enter(now)
    try {
      return act(now)
    } finally {
      host.leave(now)
    }
  }
}
