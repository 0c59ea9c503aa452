import { EventEmitter } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { putValue, type Undo } from './put.js'
import { here } from './scope.js'

/** A request that a server waits for, or reads. */
interface Message {
  /** Virtual time, ms. */
  since: number
  /** null: its header is not complete. */
  request: { readonly complete: boolean } | null
}

interface Parser {
  readonly socket?: object | null
}

/** Node's list of the connections of a server, which counts in real time. */
interface Connections {
  active(): Parser[]
  expired(headersTimeout: number, requestTimeout: number): Parser[]
}

type Server = Record<symbol, unknown>

const FIRST_ARGUMENT = new Set(['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'])

/**
 * `headersTimeout` and `requestTimeout` of servers on simulated hosts count virtual time. The first request of a
 * connection counts from its beginning, as Node counts; a later one from the first look that finds it (Node looks every
 * `connectionsCheckingInterval`).
 */
export function virtualRequestTimeouts(): Undo {
  const messages = new WeakMap<object, Message>()

  function expired(this: Connections, headersTimeout: number, requestTimeout: number): Parser[] {
    const { now } = here()!.run.network
    return this.active().filter(({ socket }) => {
      const message = socket ? messages.get(socket) : undefined
      if (message === undefined) return false
      if (message.request?.complete) Object.assign(message, { since: now, request: null })
      const waited = now - message.since
      const late = (timeout: number) => timeout > 0 && waited >= timeout
      return late(requestTimeout) || (message.request === null && late(headersTimeout))
    })
  }

  function emit(this: Server, event: string, ...args: unknown[]): boolean {
    const place = here()
    const [first] = args
    if (place !== undefined && typeof first === 'object' && first !== null) {
      if (event === 'connection' || event === 'secureConnection') {
        messages.set(first, { since: place.run.network.now, request: null })
      } else if (FIRST_ARGUMENT.has(event)) {
        const request = first as http.IncomingMessage
        const message = messages.get(request.socket)
        if (message !== undefined) message.request = request
      }
    }
    const heard = Reflect.apply(EventEmitter.prototype.emit, this, [event, ...args]) as boolean
    if (place !== undefined && event === 'listening') {
      const symbol = Object.getOwnPropertySymbols(this).find((s) => s.description === 'http.server.connections')
      const connections = symbol === undefined ? undefined : (this[symbol] as Connections)
      if (connections !== undefined) connections.expired = expired
    }
    return heard
  }

  const undo = [http.Server, https.Server].map(({ prototype }) => putValue(prototype, 'emit', emit))
  return () => {
    for (const back of undo) back()
  }
}
