import { type Endpoint, State } from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import { PortCounts } from './port-counts.js'

/**
 * Every endpoint of a host by addresses and ports: connections, SYN-queue entries and TIME-WAIT records by all four,
 * listeners by their own two. Chained through `Endpoint.tableNext`; a look-up builds no string and no object.
 */
export class ConnectionTable {
  readonly #salt: number
  #exact: (Endpoint | null)[] = new Array<Endpoint | null>(64).fill(null)
  readonly #listeners: (Endpoint | null)[] = new Array<Endpoint | null>(64).fill(null)
  #exactCount = 0
  #listenerCount = 0
  /** Connections, SYN-queue entries and TIME-WAIT records by local port. */
  readonly #byPort = new PortCounts()

  /** @param salt of the hash, 32 random bits, so that nobody outside can aim for one chain */
  constructor(salt: number) {
    this.#salt = salt | 0
  }

  /** Endpoints in the table, listeners included. */
  get size(): number {
    return this.#exactCount + this.#listenerCount
  }

  /** Connections, SYN-queue entries and TIME-WAIT records with this local port. */
  onPort(port: number): number {
    return this.#byPort.of(port)
  }

  register(endpoint: Endpoint): void {
    if (endpoint.state === State.Listen) {
      const slot = endpoint.localPort & (this.#listeners.length - 1)
      endpoint.tableNext = this.#listeners[slot]!
      this.#listeners[slot] = endpoint
      this.#listenerCount++
      return
    }
    if (this.#exactCount >= this.#exact.length) this.#grow()
    const slot = this.#slotOf(endpoint)
    endpoint.tableNext = this.#exact[slot]!
    this.#exact[slot] = endpoint
    this.#exactCount++
    this.#byPort.add(endpoint.localPort, 1)
  }

  /** Takes an endpoint out, wherever it is: its state may have changed since it was put in. */
  unregister(endpoint: Endpoint): void {
    if (takeFromChain(this.#exact, this.#slotOf(endpoint), endpoint, null)) {
      this.#exactCount--
      this.#byPort.add(endpoint.localPort, -1)
      return
    }
    const slot = endpoint.localPort & (this.#listeners.length - 1)
    if (takeFromChain(this.#listeners, slot, endpoint, null)) this.#listenerCount--
  }

  /** Puts `next` where `previous` was. */
  replace(previous: Endpoint, next: Endpoint): void {
    const slot = this.#slotOf(next)
    if (next.state !== State.Listen && slot === this.#slotOf(previous)) {
      if (takeFromChain(this.#exact, slot, previous, next)) return
    }
    this.unregister(previous)
    this.register(next)
  }

  /** The endpoint with exactly these addresses and ports. */
  find(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null {
    let e: Endpoint | null =
      this.#exact[this.#hash(local, localPort, remote, remotePort) & (this.#exact.length - 1)] ?? null
    while (e !== null) {
      if (
        e.remotePort === remotePort &&
        e.localPort === localPort &&
        e.remote.w3 === remote.w3 &&
        e.local.w3 === local.w3 &&
        e.remote.w2 === remote.w2 &&
        e.local.w2 === local.w2 &&
        e.remote.w1 === remote.w1 &&
        e.local.w1 === local.w1 &&
        e.remote.w0 === remote.w0 &&
        e.local.w0 === local.w0
      ) {
        return e
      }
      e = e.tableNext
    }
    return null
  }

  /**
   * The listener for a segment to `local`: one for that address before one for any address, one of the family before one
   * for both. Of several that share a port (SO_REUSEPORT), the addresses and ports choose one, always the same.
   */
  findListener(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null {
    let best: Endpoint | null = null
    let bestRank = 0
    let equals = 0
    for (let e = this.#listenersOn(localPort); e !== null; e = e.tableNext) {
      if (e.localPort !== localPort) continue
      const rank = listenerRank(e, local)
      if (rank > bestRank) {
        best = e
        bestRank = rank
        equals = 1
      } else if (rank === bestRank && rank > 0) equals++
    }
    if (equals < 2) return best
    let choice = (this.#hash(local, localPort, remote, remotePort) >>> 8) % equals
    for (let e = this.#listenersOn(localPort); e !== null; e = e.tableNext) {
      if (e.localPort === localPort && listenerRank(e, local) === bestRank && choice-- === 0) return e
    }
    return best
  }

  /** Every endpoint, in no particular order. */
  *[Symbol.iterator](): Generator<Endpoint, void> {
    for (const chains of [this.#listeners, this.#exact]) {
      for (const first of chains) for (let e = first; e !== null; e = e.tableNext) yield e
    }
  }

  clear(): void {
    this.#exact = new Array<Endpoint | null>(64).fill(null)
    this.#listeners.fill(null)
    this.#exactCount = 0
    this.#listenerCount = 0
    this.#byPort.clear()
  }

  /** Head of the chain that holds the listeners on a port, among others. */
  #listenersOn(port: number): Endpoint | null {
    return this.#listeners[port & (this.#listeners.length - 1)] ?? null
  }

  #slotOf(e: Endpoint): number {
    return this.#hash(e.local, e.localPort, e.remote, e.remotePort) & (this.#exact.length - 1)
  }

  #hash(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    let h = this.#salt ^ ((localPort << 16) | remotePort)
    h = mix(h, remote.w3)
    h = mix(h, local.w3)
    if (!remote.isIPv4) {
      h = mix(h, remote.w2)
      h = mix(h, remote.w1)
      h = mix(h, remote.w0)
      h = mix(h, local.w1 ^ local.w0)
    }
    h ^= h >>> 16
    h = Math.imul(h, 0x7feb352d)
    return h ^ (h >>> 15)
  }

  #grow(): void {
    const old = this.#exact
    this.#exact = new Array<Endpoint | null>(old.length * 2).fill(null)
    for (const first of old) {
      let e = first
      while (e !== null) {
        const next: Endpoint | null = e.tableNext
        const slot = this.#slotOf(e)
        e.tableNext = this.#exact[slot]!
        this.#exact[slot] = e
        e = next
      }
    }
  }
}

function mix(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x85ebca6b)
  return (h << 13) | (h >>> 19)
}

/** How well a listener fits a segment's destination; 0: not at all. */
function listenerRank(listener: Endpoint, to: IpAddress): number {
  const { local } = listener
  if (local.equals(to)) return 3
  if (local.w3 !== 0 || local.w1 !== 0 || local.w0 !== 0) return 0
  if (local.w2 === 0) return to.isIPv4 ? (listener.ipv6Only === true ? 0 : 1) : 2
  return local.isIPv4 && to.isIPv4 ? 2 : 0
}

/** Takes `endpoint` out of a chain, or puts `next` into its place; false: it is not there. */
function takeFromChain(chains: (Endpoint | null)[], slot: number, endpoint: Endpoint, next: Endpoint | null): boolean {
  let before: Endpoint | null = null
  for (let e = chains[slot] ?? null; e !== null; e = e.tableNext) {
    if (e === endpoint) {
      const follower = e.tableNext
      let put = follower
      if (next !== null) {
        next.tableNext = follower
        put = next
      }
      if (before === null) chains[slot] = put
      else before.tableNext = put
      if (endpoint !== next) endpoint.tableNext = null
      return true
    }
    before = e
  }
  return false
}
