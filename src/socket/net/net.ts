import { EventEmitter } from 'node:events'
import { performance } from 'node:perf_hooks'
import { Duplex } from 'node:stream'
import { clearTimeout, setTimeout } from 'node:timers'
import type { Host } from '../../ip/index.js'
import type { Instant } from '../../tcp/index.js'
import { type Alive, NOTHING_ALIVE, ProcessAlive } from '../alive.js'
import { LiveHost } from '../live-host.js'
import { LINUX, type Personality } from '../personality.js'
import { isIP, isIPv4, isIPv6 } from './addresses.js'
import { type EndOptions, formArguments } from './arguments.js'
import { BlockList } from './block-list.js'
import { SHORTEST_ATTEMPT } from './connecting.js'
import type { FamilySelection, Lookup, NetContext, TimerSource } from './context.js'
import { argumentType, checkBoolean, checkInteger } from './errors.js'
import { type Hosts, hostsLookup, namesLookup } from './lookup.js'
import { NetServer, type ServerOptions } from './net-server.js'
import { NetSocket } from './net-socket.js'
import { SocketAddress } from './socket-address.js'
import { type SocketOptions, streamOptions } from './socket-options.js'
import { Turns } from './turns.js'

/** What is not given is as the host has it if it is a `LiveHost`; the defaults below are those of a plain `Host`. */
export interface NetOptions {
  /** The host's time, ms: `RealTime.now`, `VirtualClock.now`. `performance.now` when not given. */
  readonly now?: () => Instant
  /** For idle time-outs and connection attempts; timers that do not keep the process running when not given. */
  readonly timers?: TimerSource
  /** Finds names; a table with `hosts` and `localhost` when not given. */
  readonly lookup?: Lookup
  /** Names that are found without `lookup`. */
  readonly hosts?: Hosts
  /** Keeps the process running while sockets wait; null: nothing does. */
  readonly alive?: Alive | null
  /** Lets sockets tell their programs what happened. */
  readonly turns?: Turns
  /** Whose calls these are where systems differ; Linux's when not given. */
  readonly personality?: Personality
}

/** Node's `net`, on a host. */
export type Net = ReturnType<typeof createNet>

const NODE_TIMERS: TimerSource = {
  setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

/** Node's default of `autoSelectFamilyAttemptTimeout`, ms. */
const ATTEMPT_TIMEOUT = 250

type Class<T> = { readonly prototype: T } & ((...args: never[]) => T) & (new (...args: never[]) => T)
interface SocketConstructor extends Class<NetSocket> {
  new (options?: SocketOptions): NetSocket
  (options?: SocketOptions): NetSocket
}
interface ServerConstructor extends Class<NetServer> {
  new (options: ServerOptions | undefined, listener?: ConnectionListener): NetServer
  new (listener?: ConnectionListener): NetServer
  (options: ServerOptions | undefined, listener?: ConnectionListener): NetServer
  (listener?: ConnectionListener): NetServer
}
type ConnectionListener = (socket: NetSocket) => void

interface Connect {
  (options: SocketOptions, connected?: () => void): NetSocket
  (port: number | string, host?: string, connected?: () => void): NetSocket
  (port: number | string, connected?: () => void): NetSocket
}

interface CreateServer {
  (options: ServerOptions | undefined, listener?: ConnectionListener): NetServer
  (listener?: ConnectionListener): NetServer
}

/** What Node's module `net` is, with connections of `host` behind it. */
export function createNet(host: Host, options: NetOptions = {}) {
  const context = contextOf(host, options)
  const { selection } = context
  const Socket = socketConstructor(context)
  const Server = serverConstructor(context, (given) => new Socket(given))

  const connect: Connect = (...args: unknown[]): NetSocket => {
    const formed = formArguments(args)
    const [given] = formed
    const socket = new Socket(given as SocketOptions)
    if (given.timeout) socket.setTimeout(given.timeout)
    return socket.connect(formed)
  }

  return {
    BlockList,
    SocketAddress,
    Socket,
    Stream: Socket,
    Server,
    connect,
    createConnection: connect,
    createServer: ((...args: []) => new Server(...args)) as CreateServer,
    isIP,
    isIPv4,
    isIPv6,
    getDefaultAutoSelectFamily: (): boolean => selection.on,
    setDefaultAutoSelectFamily(on: boolean): void {
      checkBoolean(on, 'value')
      selection.on = on
    },
    getDefaultAutoSelectFamilyAttemptTimeout: (): number => selection.attemptTimeout,
    setDefaultAutoSelectFamilyAttemptTimeout(ms: number): void {
      checkInteger(ms, 'value', 1)
      selection.attemptTimeout = Math.max(SHORTEST_ATTEMPT, ms)
    },
    _normalizeArgs: (args: readonly unknown[]): [EndOptions, unknown] => formArguments(args),
  }
}

/** What sockets and servers share that live on `host`. */
export function contextOf(host: Host, given: NetOptions): NetContext {
  const options = { ...(host instanceof LiveHost ? optionsOf(host) : {}), ...given }
  const selection: FamilySelection = { on: true, attemptTimeout: ATTEMPT_TIMEOUT }
  return {
    host,
    space: { host, personality: options.personality ?? LINUX, md5Keys: [] },
    now: options.now ?? (() => performance.now()),
    timers: options.timers ?? NODE_TIMERS,
    lookup: given.hosts === undefined ? (options.lookup ?? hostsLookup()) : (given.lookup ?? hostsLookup(given.hosts)),
    turns: options.turns ?? new Turns(),
    alive: options.alive === null ? NOTHING_ALIVE : (options.alive ?? new ProcessAlive()),
    selection,
  }
}

/** A live host's own time, names and personality. */
function optionsOf(host: LiveHost): NetOptions {
  const { clock, lookup, alive, personality } = host
  return {
    now: () => clock.now,
    timers: {
      setTimeout: (callback, ms) => clock.after(ms, callback),
      clearTimeout: (timer) => (timer as ReturnType<typeof clock.after>).cancel(),
    },
    lookup: namesLookup(lookup),
    alive,
    personality,
  }
}

/** A function that makes a socket with `new`, without, and for constructors of before classes: `net.Socket.call(this)`. */
function socketConstructor(context: NetContext): SocketConstructor {
  function Socket(this: unknown, given?: unknown): NetSocket | undefined {
    if (!(this instanceof NetSocket)) return new made(given as SocketOptions)
    if (given !== undefined && given !== null && typeof given !== 'object') {
      throw argumentType('options', ['Object'], given)
    }
    const options = (given ?? {}) as SocketOptions
    Reflect.apply(Duplex as unknown as (options: unknown) => void, this, [streamOptions(options)])
    this.setUp(context, options)
    return undefined
  }
  const made = classOf(Socket, NetSocket, Duplex) as SocketConstructor
  return made
}

function serverConstructor(context: NetContext, makeSocket: (options: SocketOptions) => NetSocket): ServerConstructor {
  function Server(this: unknown, options?: unknown, listener?: unknown): NetServer | undefined {
    if (!(this instanceof NetServer)) return new made(options as ServerOptions, listener as ConnectionListener)
    Reflect.apply(EventEmitter as unknown as () => void, this, [])
    this.setUp(context, makeSocket, options, listener)
    return undefined
  }
  const made = classOf(Server, NetServer, EventEmitter) as ServerConstructor
  return made
}

/** Gives a function what a class has: a prototype of its own over that of `base`, and what its parent has of itself. */
function classOf(made: { prototype: object }, base: { prototype: object }, parent: object): unknown {
  made.prototype = Object.create(base.prototype, {
    constructor: { value: made, configurable: true, writable: true },
  })
  Object.setPrototypeOf(made, parent)
  return made
}
