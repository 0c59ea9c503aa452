import http from 'node:http'
import https from 'node:https'
import { putValue, type Undo } from './put.js'
import { here } from './scope.js'

interface Dispatcher {
  dispatch(...args: unknown[]): unknown
  destroy(): unknown
}

/** Where undici, Node's own and the one from npm, keeps the connections of `fetch`. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1')
const holder = globalThis as unknown as Record<symbol, Dispatcher | undefined>

type Agent = http.Agent & { freeSockets: Sockets; sockets: Sockets; requests: Sockets; totalSocketCount: number }
type Sockets = Record<string, { destroy?(): void }[] | undefined>

/** Connections that are kept for later are kept by host: two hosts share nothing, nor do two runs. */
export function keepConnectionsApart(): Undo {
  const mark = `@${++runs}`
  const agents = new Set<Agent>()
  const undo = [http.Agent, https.Agent].map(({ prototype }) => {
    const { getName } = prototype
    return putValue(prototype, 'getName', function (this: Agent, options?: Parameters<http.Agent['getName']>[0]) {
      const place = here()
      const name = getName.call(this, options)
      if (place === undefined || name.endsWith(mark)) return name
      agents.add(this)
      return `${name}:${place.host.name}${mark}`
    })
  })
  const dispatchers = keepDispatchersApart()
  return () => {
    for (const back of undo) back()
    dispatchers()
    for (const agent of agents) forget(agent, mark)
  }
}

let runs = 0

function forget(agent: Agent, mark: string): void {
  for (const kind of ['freeSockets', 'sockets', 'requests'] as const) {
    for (const name of Object.keys(agent[kind])) {
      if (!name.endsWith(mark)) continue
      if (kind !== 'requests') agent.totalSocketCount -= agent[kind][name]?.length ?? 0
      Reflect.deleteProperty(agent[kind], name)
    }
  }
}

/** One global dispatcher for each host. */
function keepDispatchersApart(): Undo {
  const before = holder[DISPATCHER]
  if (before === undefined) return () => {}
  const Agent = before.constructor as new () => Dispatcher
  const perHost = new Map<object, Dispatcher>()
  const one = (): Dispatcher => {
    const place = here()
    if (place === undefined) return before
    let dispatcher = perHost.get(place.host)
    if (dispatcher === undefined) {
      dispatcher = new Agent()
      perHost.set(place.host, dispatcher)
    }
    return dispatcher
  }
  const either = new Proxy(before, {
    get: (_before, name) => {
      const dispatcher = one()
      const value: unknown = Reflect.get(dispatcher, name, dispatcher)
      return typeof value === 'function' && name !== 'constructor' ? value.bind(dispatcher) : value
    },
  })
  holder[DISPATCHER] = either
  return () => {
    if (holder[DISPATCHER] === either) holder[DISPATCHER] = before
  }
}

/** Lets Node load its `fetch`, which compiles its parser meanwhile. */
export const loadFetch = (): void => void globalThis.Response

interface Outgoing {
  sendDate: boolean
  _header: string | null
}

/** Node keeps the text of `Date:` for a second of real time. */
export function dateHeaders(): Undo {
  const prototype = http.OutgoingMessage.prototype as unknown as { _storeHeader(...args: unknown[]): void }
  const { _storeHeader } = prototype
  return putValue(prototype, '_storeHeader', function (this: Outgoing, ...args: unknown[]) {
    if (!this.sendDate || here() === undefined) return Reflect.apply(_storeHeader, this, args)
    this.sendDate = false
    Reflect.apply(_storeHeader, this, args)
    this.sendDate = true
    const header = this._header ?? ''
    if (/\r\ndate:/i.test(header)) return
    this._header = header.replace('\r\n', `\r\nDate: ${new Date().toUTCString()}\r\n`)
  })
}
