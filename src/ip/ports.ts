import { type BoundSocket, type Endpoint, type ErrorName, State } from '../tcp/index.js'
import { type IpAddress, siphash, write16, write32 } from '../wire/index.js'
import type { Host } from './host.js'

export interface BindOptions {
  /** SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY. */
  readonly reuseAddress?: boolean
  readonly reusePort?: boolean
  readonly ipv6Only?: boolean
}

/** One socket's hold on a local port. */
export class Binding {
  readonly address: IpAddress
  readonly port: number
  readonly reuseAddress: boolean
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  /** Set by `PortTable.listen`. */
  listening = false
  /** What a RST from this port carries while the socket neither listens nor is connected (FreeBSD); null: nothing special. */
  socket: BoundSocket | null = null

  constructor(address: IpAddress, port: number, options: BindOptions) {
    this.address = address
    this.port = port
    this.reuseAddress = options.reuseAddress ?? false
    this.reusePort = options.reusePort ?? false
    this.ipv6Only = options.ipv6Only ?? false
  }
}

/** Who holds a port. Lives on while connections have the port, so that it is known whether their sockets shared it. */
interface PortUse {
  bindings: Binding[]
  /** Every socket that was ever bound to it asked for SO_REUSEADDR, SO_REUSEPORT. */
  reuseAddress: boolean
  reusePort: boolean
}

/** The local ports of a host: who is bound to which, and which one a connection gets. Conflicts as on Linux. */
export class PortTable {
  readonly #host: Host
  readonly #uses = new Map<number, PortUse>()
  /** Added to the hash of a destination (RFC 6056 3.3.3): the next connection to it does not take the same port. */
  #sequence = 0
  readonly #hashed = new Uint8Array(36)

  constructor(host: Host) {
    this.#host = host
    this.#sequence = host.random() >>> 8
  }

  /** bind: port 0 takes a free ephemeral one. EADDRNOTAVAIL: not our address, or no port is free; EADDRINUSE. */
  bind(address: IpAddress, port: number, options: BindOptions = {}): Binding | ErrorName {
    if (!this.#host.isBindable(address)) return 'EADDRNOTAVAIL'
    if (port !== 0) return this.#tryBind(address, port, options) ?? 'EADDRINUSE'
    // connections without a bind take the ports of the lower bound's parity first, bound sockets the others (Linux)
    const start = this.#host.random() >>> 1
    for (let n = 0; n < this.#candidates; n++) {
      const candidate = this.#candidate(start, n, 1)
      const bound = candidate === 0 ? null : this.#tryBind(address, candidate, options)
      if (bound !== null) return bound
    }
    return 'EADDRINUSE'
  }

  /** listen on a binding: EADDRINUSE when another that shares the port listens already. */
  listen(binding: Binding): ErrorName | null {
    for (const other of this.#uses.get(binding.port)?.bindings ?? []) {
      if (other === binding || !other.listening || !overlap(other, binding)) continue
      if (!(other.reusePort && binding.reusePort)) return 'EADDRINUSE'
    }
    binding.listening = true
    return null
  }

  release(binding: Binding): void {
    const use = this.#uses.get(binding.port)
    if (use === undefined) return
    use.bindings = use.bindings.filter((other) => other !== binding)
    if (use.bindings.length === 0 && this.#host.connections.onPort(binding.port) === 0) this.#uses.delete(binding.port)
  }

  /** The port for a connection that was not bound, whose tuple is free; 0: none is (EADDRNOTAVAIL). */
  forConnection(local: IpAddress, remote: IpAddress, remotePort: number): number {
    const start = (this.#hash(local, remote, remotePort) + this.#sequence) >>> 0
    this.#sequence += 2
    for (let n = 0; n < this.#candidates; n++) {
      const port = this.#candidate(start, n, 0)
      if (port === 0) continue
      const use = this.#uses.get(port)
      if (use !== undefined && use.bindings.length > 0) continue
      if (this.tupleIsFree(local, port, remote, remotePort)) return port
    }
    return 0
  }

  /** May a new connection use this tuple? (A record in TIME-WAIT may give way.) */
  tupleIsFree(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): boolean {
    const taken = this.#host.connections.find(local, localPort, remote, remotePort)
    return taken === null || (taken.state === State.TimeWait && taken.mayBeReused?.(this.#host.now) === true)
  }

  /** The binding a segment for nobody was sent to; null: the port is nobody's. */
  boundTo(local: IpAddress, port: number): Binding | null {
    const use = this.#uses.get(port)
    if (use === undefined) return null
    return use.bindings.find((b) => covers(b.address, b.ipv6Only, local)) ?? null
  }

  clear(): void {
    this.#uses.clear()
  }

  #tryBind(address: IpAddress, port: number, options: BindOptions): Binding | null {
    const binding = new Binding(address, port, options)
    let use = this.#uses.get(port)
    const connections = this.#host.connections.onPort(port)
    if (use !== undefined && use.bindings.length === 0 && connections === 0) use = undefined
    for (const other of use?.bindings ?? []) {
      if (overlap(other, binding) && !mayShare(other, binding)) return null
    }
    if (connections > 0 && !this.#connectionsShare(use, binding)) return null
    if (use === undefined) {
      use = { bindings: [], reuseAddress: true, reusePort: true }
      this.#uses.set(port, use)
    }
    use.bindings.push(binding)
    use.reuseAddress &&= binding.reuseAddress
    use.reusePort &&= binding.reusePort
    return binding
  }

  /** Connections that have the port forbid it to a new socket, unless theirs and this one share it. */
  #connectionsShare(use: PortUse | undefined, binding: Binding): boolean {
    if (use !== undefined && ((use.reuseAddress && binding.reuseAddress) || (use.reusePort && binding.reusePort))) {
      return true
    }
    for (const endpoint of this.#host.connections) {
      if (endpoint.localPort === binding.port && isConnection(endpoint)) {
        if (covers(binding.address, binding.ipv6Only, endpoint.local)) return false
      }
    }
    return true
  }

  get #candidates(): number {
    return this.#pairs * 2
  }

  get #pairs(): number {
    const range = this.#host.settings.ephemeralPorts
    return (range[1] - range[0] + 2) >> 1
  }

  /**
   * Every ephemeral port once, from a place that `start` says, as `n` goes from 0 to `candidates`: those of one parity,
   * then the others; 0: not a port of the range.
   */
  #candidate(start: number, n: number, parity: 0 | 1): number {
    const range = this.#host.settings.ephemeralPorts
    const pairs = this.#pairs
    const odd = n < pairs ? parity : 1 - parity
    const port = range[0] + ((start + n) % pairs) * 2 + odd
    return port > range[1] ? 0 : port
  }

  #hash(local: IpAddress, remote: IpAddress, remotePort: number): number {
    const bytes = this.#hashed
    writeAddress(bytes, 0, local)
    writeAddress(bytes, 16, remote)
    write16(bytes, 32, remotePort)
    return siphash(this.#host.secrets.ports, bytes).lo
  }
}

function writeAddress(bytes: Uint8Array, at: number, { w0, w1, w2, w3 }: IpAddress): void {
  write32(bytes, at, w0)
  write32(bytes, at + 4, w1)
  write32(bytes, at + 8, w2)
  write32(bytes, at + 12, w3)
}

function isConnection(endpoint: Endpoint): boolean {
  return endpoint.state !== State.Listen && endpoint.remotePort !== 0
}

/** SO_REUSEADDR on both lets them share as long as neither listens; SO_REUSEPORT on both, always. */
function mayShare(a: Binding, b: Binding): boolean {
  return (a.reusePort && b.reusePort) || (a.reuseAddress && b.reuseAddress && !a.listening && !b.listening)
}

function overlap(a: Binding, b: Binding): boolean {
  return covers(a.address, a.ipv6Only, b.address) || covers(b.address, b.ipv6Only, a.address)
}

/** True when a socket bound to `bound` gets what is sent to `address`. */
function covers(bound: IpAddress, ipv6Only: boolean, address: IpAddress): boolean {
  if (bound.equals(address)) return true
  if (bound.w3 !== 0 || bound.w1 !== 0 || bound.w0 !== 0) return false
  if (bound.isIPv4) return address.isIPv4
  return bound.w2 === 0 && !(ipv6Only && address.isIPv4)
}
