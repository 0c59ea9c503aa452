import { AsyncResource } from 'node:async_hooks'
import type { Connection, ConnectionUser, Instant, Listener } from '../../tcp/index.js'
import { closeStep } from '../closing.js'
import type { Errno } from '../errno.js'
import { bindSocket } from '../opening.js'
import type { TcpSocket } from '../socket.js'
import { ask } from '../socket-option.js'
import { type AddressInfo, localInfo, toAddress } from './addresses.js'
import { entered, type NetContext, observed } from './context.js'
import type { Teller } from './turns.js'

const { nextTick } = process

/**
 * What a `net` object stands on: a TCP socket of the host, the way it tells what happens to it, and whether it keeps the
 * process running.
 */
export abstract class Handle extends AsyncResource implements ConnectionUser, Teller {
  queued = false
  closed = false
  protected readonly context: NetContext
  socket: TcpSocket
  #referenced = true
  #alive = false
  #onClosed: (() => void) | null = null
  /** The program has heard why, and may hear that it is closed. */
  #closeDue = false

  constructor(kind: string, context: NetContext, socket: TcpSocket) {
    super(kind, { requireManualDestroy: true })
    this.context = context
    this.socket = socket
    socket.own.reuseAddress = true
  }

  notify(_about: Connection | Listener, _ready: number, _now: Instant): void {
    this.context.turns.add(this)
  }

  tell(): void {
    if (!this.closed) return this.tellNext()
    if (!this.#closeDue) return
    const told = this.#onClosed
    this.#onClosed = null
    this.emitDestroy()
    told?.()
  }

  protected abstract tellNext(): void
  /** Somebody waits for it. */
  protected abstract get waiting(): boolean

  /** bind(2). `ipv6Only` matters for IPv6 only. */
  bindTo(address: string, port: number, ipv6Only = false): Errno | null {
    const { socket } = this
    const { AF_INET, AF_INET6 } = socket.personality.numbers
    socket.own.ipv6Only = ipv6Only
    const family = (socket.ipv6 ? AF_INET6 : AF_INET)!
    const error = entered(this.context, () => bindSocket(socket, { family, address: toAddress(address), port }))
    observed(this.context, socket.observed, () => `bind(${address}, ${port})`, error)
    return error
  }

  /** `told` is called when nothing more will be told. */
  close(told: (() => void) | null = null): void {
    if (this.closed) return
    this.closed = true
    const { socket } = this
    const about = socket.observed
    entered(this.context, (now) => this.end(now))
    observed(this.context, about, () => 'close()', null)
    this.#onClosed = told
    this.waitingChanged()
    nextTick(() => {
      this.#closeDue = true
      this.context.turns.add(this)
    })
  }

  protected end(now: Instant): void {
    closeStep(this.socket, now, true)
  }

  /** Changes what is asked of TCP. */
  protected ask(change: Parameters<typeof ask>[1], text: string): void {
    entered(this.context, (now) => ask(this.socket, change, now))
    observed(this.context, this.socket.observed, () => text, null)
  }

  setNoDelay(on: boolean): void {
    if (on === this.socket.asked.noDelay) return
    this.ask({ noDelay: on }, `setsockopt(TCP_NODELAY, ${on})`)
  }

  /** @param idle seconds; 0: as before */
  setKeepAlive(on: boolean, idle: number): void {
    const { keepalive, keepaliveIdle } = this.socket.asked
    if (on === keepalive && (idle === 0 || idle * 1000 === keepaliveIdle)) return
    this.ask(
      { keepalive: on, ...(on && idle > 0 ? { keepaliveIdle: idle * 1000 } : {}) },
      `setsockopt(SO_KEEPALIVE, ${on}, ${idle})`,
    )
  }

  get local(): AddressInfo {
    return localInfo(this.socket)
  }

  ref(): void {
    this.#referenced = true
    this.waitingChanged()
  }

  unref(): void {
    this.#referenced = false
    this.waitingChanged()
  }

  hasRef(): boolean {
    return this.#referenced
  }

  /** For `http`. */
  getAsyncId(): number {
    return this.asyncId()
  }

  /** Octets that were written and that the host has not taken. */
  get writeQueueSize(): number {
    return 0
  }

  protected waitingChanged(): void {
    const alive = this.#referenced && !this.closed && this.waiting
    if (alive === this.#alive) return
    this.#alive = alive
    if (alive) this.context.alive.add()
    else this.context.alive.remove()
  }
}
