import type { Connection, Instant, Listener } from '../../tcp/index.js'
import { closeStep } from '../closing.js'
import { acceptFrom } from '../opening.js'
import { TcpSocket } from '../socket.js'
import { WebConnection } from './web-connection.js'

/** A listening socket: connections as an async iterable; `close` ends it. */
export class WebListener implements AsyncIterable<WebConnection> {
  readonly #socket: TcpSocket
  readonly #now: () => Instant
  readonly #halfOpen: boolean
  #wake: (() => void) | null = null
  #over = false

  constructor(socket: TcpSocket, now: () => Instant, halfOpen: boolean) {
    this.#socket = socket
    this.#now = now
    this.#halfOpen = halfOpen
    socket.listener!.user = this
  }

  get address(): { hostname: string; port: number } {
    const { address, port } = this.#socket.localAddress()
    return { hostname: String(address), port: port! }
  }

  /** The next connection; null: the listener is closed. One waits at a time. */
  async accept(): Promise<WebConnection | null> {
    while (!this.#over) {
      const { host } = this.#socket
      const now = this.#now()
      host.enter(now)
      const accepted = acceptFrom(this.#socket, now)
      host.leave(now)
      if (accepted instanceof TcpSocket) {
        const connection = new WebConnection(this.#now, this.#halfOpen)
        connection.stand(accepted, 'accept')
        return connection
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return null
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WebConnection, void> {
    for (let next = await this.accept(); next !== null; next = await this.accept()) yield next
  }

  /** No more connections; those that were accepted go on. */
  close(): void {
    if (this.#over) return
    this.#over = true
    const { host } = this.#socket
    const now = this.#now()
    host.enter(now)
    closeStep(this.#socket, now, true)
    host.leave(now)
    this.#wake?.()
  }

  notify(_about: Connection | Listener, _ready: number, _now: Instant): void {
    this.#wake?.()
    this.#wake = null
  }
}
