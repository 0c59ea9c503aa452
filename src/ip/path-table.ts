import type { Instant, PathMetrics } from '../tcp/index.js'
import { NEVER } from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import type { Host } from './host.js'
import type { NetworkInterface } from './network-interface.js'

/** How long a path MTU learned from ICMP is believed, ms (RFC 1191 6.3: 10 minutes; Linux `route.mtu_expires`). */
const MTU_EXPIRES = 600_000

/** Destinations remembered. Beyond that, the one known for the longest time is forgotten. */
const MOST_PATHS = 8192

/** What a host knows of the path to one destination. */
export class Path implements PathMetrics {
  readonly destination: IpAddress
  ssthresh = 0
  smoothedRtt = 0
  rttVariance = 0
  fastOpenCookie: Uint8Array | null = null
  fastOpenMss = 0
  fastOpenExperimental = false
  fastOpenTryExperimental: 0 | 1 | 2 = 0
  fastOpenSynLosses = 0
  fastOpenLastSynLoss: Instant = -NEVER
  ecnFailed = false

  /** The way out: interface and the source address for it; null: no route. Valid for `generation` of the routes. */
  via: NetworkInterface | null = null
  gateway: IpAddress | null = null
  source: IpAddress | null = null
  generation = -1
  /** Identification of the next IPv4 packet or IPv6 fragment to there (RFC 6864). */
  nextIdentification: number

  readonly #host: Host
  /** A gateway through which nothing came back. */
  #doubted: IpAddress | null = null
  #routeMtu = 0
  #learnedMtu = 0
  #learnedAt: Instant = -NEVER

  constructor(host: Host, destination: IpAddress) {
    this.#host = host
    this.destination = destination
    this.nextIdentification = host.random() & 0xffff
  }

  /** Path MTU, octets; what was learned from ICMP is forgotten after ten minutes. */
  get mtu(): number {
    this.resolve()
    if (this.#learnedMtu === 0) return this.#routeMtu
    if (this.#host.now - this.#learnedAt >= MTU_EXPIRES) {
      this.#learnedMtu = 0
      return this.#routeMtu
    }
    return Math.min(this.#learnedMtu, this.#routeMtu)
  }

  set mtu(octets: number) {
    this.#learnedMtu = octets
    this.#learnedAt = this.#host.now
  }

  /** Forgets everything learned but the route (`ip tcp_metrics flush`). */
  forget(): void {
    this.ssthresh = 0
    this.smoothedRtt = 0
    this.rttVariance = 0
    this.fastOpenCookie = null
    this.fastOpenMss = 0
    this.fastOpenExperimental = false
    this.fastOpenTryExperimental = 0
    this.fastOpenSynLosses = 0
    this.fastOpenLastSynLoss = -NEVER
    this.ecnFailed = false
    this.#learnedMtu = 0
  }

  /** Nothing comes back through the gateway: another one is tried (RFC 1122 3.3.1.4). */
  doubt(): void {
    if (this.gateway === null) return
    this.#doubted = this.gateway
    this.generation = -1
  }

  /** Looks the route up again if any route changed. */
  resolve(): void {
    if (this.generation !== this.#host.routes.generation) this.#findRoute()
  }

  #findRoute(): void {
    const { routes } = this.#host
    this.generation = routes.generation
    const { destination } = this
    if (this.#host.isLocal(destination)) {
      this.via = this.#host.loopback
      this.gateway = null
      this.source = destination
      this.#routeMtu = this.via.mtu
      return
    }
    const route = routes.find(destination, this.#doubted) ?? routes.find(destination)
    this.via = route?.via ?? null
    this.gateway = route?.gateway ?? null
    this.source = route === null ? null : (route.source ?? interfaceSource(route.via, destination))
    this.#routeMtu = route === null ? 0 : route.mtu > 0 ? Math.min(route.mtu, route.via.mtu) : route.via.mtu
  }
}

/** The address of an interface to send from: one of the destination's network before any of its family. */
function interfaceSource(from: NetworkInterface, destination: IpAddress): IpAddress | null {
  let best: IpAddress | null = null
  let bestCommon = -1
  for (const { address } of from.addresses) {
    if (address.isIPv4 !== destination.isIPv4) continue
    // RFC 6724 5 rule 8: longest matching prefix
    const common = commonBits(address, destination)
    if (common > bestCommon) {
      best = address
      bestCommon = common
    }
  }
  return best
}

function commonBits(a: IpAddress, b: IpAddress): number {
  if (a.w0 !== b.w0) return Math.clz32(a.w0 ^ b.w0)
  if (a.w1 !== b.w1) return 32 + Math.clz32(a.w1 ^ b.w1)
  if (a.w2 !== b.w2) return 64 + Math.clz32(a.w2 ^ b.w2)
  return 96 + Math.clz32(a.w3 ^ b.w3)
}

/** The paths of a host by destination, as many as fit. */
export class PathTable {
  readonly #host: Host
  readonly #paths = new Map<number, Path[]>()
  #count = 0
  #last: Path | null = null

  constructor(host: Host) {
    this.#host = host
  }

  get size(): number {
    return this.#count
  }

  /** The path to a destination, made when there was none. */
  to(destination: IpAddress): Path {
    const last = this.#last
    if (last !== null && (last.destination === destination || last.destination.equals(destination))) return last
    const hash = destination.w3 ^ Math.imul(destination.w2, 31) ^ Math.imul(destination.w1, 961) ^ destination.w0
    let chain = this.#paths.get(hash)
    let path = chain?.find((p) => p.destination.equals(destination))
    if (path === undefined) {
      if (this.#count >= MOST_PATHS) this.#forgetOldest()
      path = new Path(this.#host, destination)
      chain = this.#paths.get(hash)
      if (chain === undefined) this.#paths.set(hash, [path])
      else chain.push(path)
      this.#count++
    }
    this.#last = path
    return path
  }

  /** Forgets what was learned of every path (`ip tcp_metrics flush all`). */
  forget(): void {
    for (const chain of this.#paths.values()) for (const path of chain) path.forget()
  }

  clear(): void {
    this.#paths.clear()
    this.#count = 0
    this.#last = null
  }

  /** Connections hold their path themselves; a path forgotten here is only not found by the next one. */
  #forgetOldest(): void {
    for (const [hash, chain] of this.#paths) {
      this.#paths.delete(hash)
      this.#count -= chain.length
      return
    }
  }
}
