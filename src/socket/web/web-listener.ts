import type { Connection, Instant, Listener } from '../../tcp/index.js'
import { closeStep } from '../closing.js'
import { acceptFrom } from '../opening.js'
import { TcpSocket } from '../socket.js'
import { entered, type HostAndPort, WebConnection, type WebContext } from './web-connection.js'

/**
 * A listening socket: its connections as an async iterable. `close()`, or leaving the loop over it, ends it; connections
 * that were accepted go on, those that nobody accepted are reset.
 */
export class WebListener implements AsyncIterable<WebConnection> {
  readonly #socket: TcpSocket
  readonly #context: WebContext
  readonly #halfOpen: boolean
  /** Those who wait in `accept`, in their order. */
  readonly #waiting: ((connection: WebConnection | null) => void)[] = []
  #over = false

  constructor(context: WebContext, socket: TcpSocket, halfOpen: boolean) {
    this.#context = context
    this.#socket = socket
    this.#halfOpen = halfOpen
    socket.listener!.user = this
  }

  /** Where it listens. */
  get address(): HostAndPort {
    const { address, port } = this.#socket.localAddress()
    return { hostname: String(address), port: port! }
  }

  /** The next connection; null: the listener is closed. */
  accept(): Promise<WebConnection | null> {
    if (this.#over) return Promise.resolve(null)
    const accepted = this.#waiting.length === 0 ? this.#take() : null
    if (accepted !== null) return Promise.resolve(accepted)
    this.#context.alive?.add()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WebConnection, void> {
    try {
      for (let next = await this.accept(); next !== null; next = await this.accept()) yield next
    } finally {
      this.close()
    }
  }

  /** No more connections: who waits for one gets null. */
  close(): void {
    if (this.#over) return
    this.#over = true
    entered(this.#context, (now) => closeStep(this.#socket, now, true))
    while (this.#waiting.length > 0) this.#give(null)
  }

  // --- what the machine tells ---

  notify(_about: Connection | Listener, _ready: number, _now: Instant): void {
    if (this.#waiting.length > 0) queueMicrotask(() => this.#giveThoseThere())
  }

  #giveThoseThere(): void {
    while (this.#waiting.length > 0) {
      const accepted = this.#over ? null : this.#take()
      if (accepted === null) return
      this.#give(accepted)
    }
  }

  #give(connection: WebConnection | null): void {
    this.#context.alive?.remove()
    this.#waiting.shift()!(connection)
  }

  #take(): WebConnection | null {
    const accepted = entered(this.#context, (now) => acceptFrom(this.#socket, now))
    if (!(accepted instanceof TcpSocket)) return null
    const connection = new WebConnection(this.#context, this.#halfOpen, 'accept')
    connection.stand(accepted)
    return connection
  }
}
