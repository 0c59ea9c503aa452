import type { Host, InterfaceAddress } from '../ip/index.js'
import { IpAddress } from '../wire/index.js'
import type { Port, SimulatedLink } from './link.js'

/** Bits of the networks that links get when nobody gives addresses. */
const PREFIX_IPV4 = 16
const PREFIX_IPV6 = 64

/** Who is where, and which way leads there: links are the nodes, hosts that forward the edges. */
export class Topology {
  readonly #links: SimulatedLink[] = []
  readonly #owners = new Map<string, Host>()
  /** Answers of `nextPort` by link and address object; addresses of packets are interned. */
  readonly #next = new Map<SimulatedLink, Map<IpAddress, Port | null>>()

  addLink(link: SimulatedLink): void {
    this.#links.push(link)
    this.#next.set(link, new Map())
  }

  /** Puts a host on a link under addresses. */
  join(host: Host, link: SimulatedLink, addresses: readonly InterfaceAddress[]): void {
    for (const { address } of addresses) {
      const owner = this.#owners.get(address.toString())
      if (owner !== undefined) throw new RangeError(`host '${host.name}': ${address} is the address of '${owner.name}'`)
    }
    for (const { address } of addresses) this.#owners.set(address.toString(), host)
    host.attach(link.attach(host), { addresses })
    for (const known of this.#next.values()) known.clear()
    this.#routeAll()
  }

  /** Addresses for the next host on a link: 10.L.0.N/16 and fd00:L::N/64, for the link's and the host's number. */
  freeAddresses(link: SimulatedLink): InterfaceAddress[] {
    const network = this.#links.indexOf(link)
    for (let n = 1; ; n++) {
      const v4 = new IpAddress(0, 0, 0xffff, (10 << 24) | (network << 16) | n)
      const v6 = new IpAddress(0xfd000000 | network, 0, 0, n)
      if (this.#owners.has(v4.toString()) || this.#owners.has(v6.toString())) continue
      return [
        { address: v4, prefixLength: PREFIX_IPV4 },
        { address: v6, prefixLength: PREFIX_IPV6 },
      ]
    }
  }

  /** The host that has an address; null: nobody. */
  owner(address: IpAddress): Host | null {
    return this.#owners.get(address.toString()) ?? null
  }

  /** The port of `link` by which a packet to this address goes on; null: nobody there. */
  nextPort(link: SimulatedLink, destination: IpAddress): Port | null {
    const known = this.#next.get(link)!
    let port = known.get(destination)
    if (port === undefined) {
      if (known.size > 4096) known.clear()
      const owner = this.owner(destination)
      port = owner === null ? null : this.#portTowards(link, owner)
      known.set(destination, port)
    }
    return port
  }

  /** The owner's own port on the link, or that of the router the shortest way leads over. */
  #portTowards(link: SimulatedLink, owner: Host): Port | null {
    const direct = link.ports.find((port) => port.host === owner)
    if (direct !== undefined) return direct
    const seen = new Set([link])
    let reached = link.ports.filter((p) => p.host.forwarding).map((first) => ({ first, at: first.host }))
    while (reached.length > 0) {
      const further: typeof reached = []
      for (const { first, at } of reached) {
        for (const next of this.#links) {
          if (seen.has(next) || !next.ports.some((p) => p.host === at)) continue
          if (next.ports.some((p) => p.host === owner)) return first
          seen.add(next)
          for (const port of next.ports) if (port.host.forwarding) further.push({ first, at: port.host })
        }
      }
      reached = further
    }
    return null
  }

  /** Every host gets a route to the networks of every link it is not on. */
  #routeAll(): void {
    const hosts = new Set(this.#links.flatMap((link) => link.ports.map((port) => port.host)))
    for (const host of hosts) {
      for (const route of [...host.routes.all()]) if (route.gateway !== null) host.routes.remove(route)
      for (const link of this.#links) {
        if (link.ports.some((port) => port.host === host)) continue
        for (const port of link.ports) this.#routeTo(host, port)
      }
    }
  }

  /** A route to the networks of a port, over the first link from which a way leads there. */
  #routeTo(host: Host, to: Port): void {
    const target = interfaceOf(to)
    if (target === undefined) return
    for (const link of this.#links) {
      const own = link.ports.find((port) => port.host === host)
      const via = own === undefined ? undefined : interfaceOf(own)
      const router = own === undefined ? null : this.#portTowards(link, to.host)
      if (via === undefined || router === null || router.host === host) continue
      for (const { address, prefixLength } of target.addresses) {
        const gateway = interfaceOf(router)?.addresses.find((a) => a.address.isIPv4 === address.isIPv4)
        if (gateway === undefined) continue
        if (host.routes.all().some((r) => r.destination.equals(address) && r.prefixLength === prefixLength)) continue
        host.routes.add({ destination: address, prefixLength, via, gateway: gateway.address })
      }
      return
    }
  }
}

function interfaceOf(port: Port): Host['interfaces'][number] | undefined {
  return port.host.interfaces.find((i) => i.link === port)
}
