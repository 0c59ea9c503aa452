import type { Errno } from '../errno.js'
import { acceptFrom, listenOn } from '../opening.js'
import { TcpSocket } from '../socket.js'
import { ConnectionHandle } from './connection-handle.js'
import { entered, type NetContext, observed } from './context.js'
import { Handle } from './handle.js'

/** A listening socket of the host. */
export class ListenerHandle extends Handle {
  onconnection: ((error: null, accepted: ConnectionHandle) => void) | null = null
  #listening = false

  constructor(context: NetContext, ipv6: boolean) {
    super('TCPSERVERWRAP', context, new TcpSocket(context.space, ipv6))
  }

  listen(backlog: number): Errno | null {
    const { socket } = this
    const error = entered(this.context, (now) => listenOn(socket, backlog, now))
    observed(this.context, socket.observed, () => `listen(${backlog})`, error)
    if (error !== null) return error
    socket.listener!.user = this
    this.#listening = true
    this.waitingChanged()
    return null
  }

  protected get waiting(): boolean {
    return this.#listening
  }

  protected tellNext(): void {
    const { socket, context } = this
    const accepted = entered(context, (now) => acceptFrom(socket, now))
    if (!(accepted instanceof TcpSocket)) return
    observed(context, accepted.observed, () => 'accept()', null)
    const handle = new ConnectionHandle(context, accepted)
    if (socket.listener!.acceptable > 0) context.turns.add(this)
    if (this.onconnection === null) handle.close()
    else this.onconnection(null, handle)
  }
}
