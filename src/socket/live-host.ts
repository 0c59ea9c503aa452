import { type Clock, Host, type HostOptions } from '../ip/index.js'
import { type Alive, ProcessAlive } from './alive.js'
import { Calls } from './calls.js'
import { type FindAddresses, findLocalhost } from './names.js'
import type { Net } from './net/index.js'
import { netOf } from './node-net.js'
import { LINUX, type Personality } from './personality.js'
import { createWeb, type Web, type WebConnection, type WebListener } from './web/index.js'
import type { ConnectAddress, ConnectOptions, ListenOptions } from './web/web.js'

export interface LiveHostOptions extends HostOptions {
  /** What it lives by. */
  readonly clock: Clock
  /** Finds names for `connect` and `net`; `localhost` is always known. When not given, it is the only one. */
  readonly lookup?: FindAddresses
  /** Whose BSD calls `calls` are, where systems differ; Linux's when not given. */
  readonly personality?: Personality
  /** Keeps the process running while programs wait for the network; null: nothing does. */
  readonly alive?: Alive | null
}

/**
 * A host with programs: one that lives by a clock, and has every face that programs know a TCP by. Web streams
 * (`connect`, `listen`), Node's `net`, and the BSD calls (`calls`) are connections of the same machine, and meet each
 * other on it.
 */
export class LiveHost extends Host {
  readonly clock: Clock
  /** Finds the addresses of a name. */
  readonly lookup: FindAddresses
  readonly personality: Personality
  readonly alive: Alive | null
  #web: Web | null = null
  #net: Net | null = null
  #calls: Calls | null = null

  constructor(options: LiveHostOptions) {
    super(options)
    const { clock, lookup = findLocalhost, personality = LINUX, alive = new ProcessAlive() } = options
    this.clock = clock
    this.lookup = lookup
    this.personality = personality
    this.alive = alive
    clock.drive(this)
  }

  /**
   * Opens a connection, as web streams: `host.connect({ hostname: '10.0.0.2', port: 80 })`, `host.connect('[::1]:80')`.
   * Returns at once; `opened` of the connection tells when the handshake is complete, or why it failed.
   * @throws TypeError when the address is none
   */
  connect(address: ConnectAddress, options?: ConnectOptions): WebConnection {
    return this.web.connect(address, options)
  }

  /**
   * Listens, as web streams: `for await (const connection of host.listen({ port: 80 }))`.
   * @throws SocketError EADDRINUSE, EADDRNOTAVAIL
   */
  listen(options: ListenOptions): WebListener {
    return this.web.listen(options)
  }

  private get web(): Web {
    this.#web ??= createWeb(this)
    return this.#web
  }

  /**
   * Node's `net`, with connections of this host behind it: `host.net.createServer`, `host.net.connect` …
   * @throws Error in a browser, and where neither `estab`, `estab/sim` nor `estab/net` was imported
   */
  get net(): Net {
    this.#net ??= netOf(this)
    return this.#net
  }

  /** The BSD calls of one program on this host, on descriptors of its own: socket, bind, listen, accept, read, poll … */
  get calls(): Calls {
    this.#calls ??= new Calls(this, this.personality, () => this.clock.now)
    return this.#calls
  }
}
