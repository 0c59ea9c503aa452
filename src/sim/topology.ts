import { type Host, type InterfaceAddress, type NetworkInterface, type Route, samePrefix } from '../ip/index.js'
import { IpAddress } from '../wire/index.js'
import { Port, type SimulatedLink } from './link.js'

/** Bits of the networks that links get when nobody gives addresses. */
const PREFIX_IPV4 = 16
const PREFIX_IPV6 = 64

/** Who is where, and which way leads there: links are the nodes, hosts that forward the edges. */
export class Topology {
  readonly #links: SimulatedLink[] = []
  readonly #owners = new Map<string, Host>()
  /** Networks that hosts on each link have addresses in. */
  readonly #networks = new Map<SimulatedLink, InterfaceAddress[]>()
  /** The routes this gave to each host, to be worked out again when the network grows. */
  readonly #routes = new Map<Host, Route[]>()
  /** Answers of `nextPort` by link and address object; addresses of packets are interned. */
  readonly #next = new Map<SimulatedLink, Map<IpAddress, Port | null>>()

  readonly #names = new Map<IpAddress, string>()

  addLink(link: SimulatedLink): void {
    this.#links.push(link)
    this.#networks.set(link, [])
    this.#next.set(link, new Map())
  }

  /** Puts a host on a link under addresses. */
  join(host: Host, link: SimulatedLink, addresses: readonly InterfaceAddress[]): void {
    for (const { address } of addresses) {
      const owner = this.#owners.get(address.toString())
      if (owner !== undefined) throw new RangeError(`host '${host.name}': ${address} is the address of '${owner.name}'`)
    }
    for (const { address } of addresses) this.#owners.set(address.toString(), host)
    const isNews = this.#learnNetworks(link, addresses) || host.forwarding
    const port = link.attach(host)
    host.attach(port, { addresses })
    for (const known of this.#next.values()) known.clear()
    for (const { ports } of this.#links) for (const other of ports) other.lastNext = null
    this.#names.clear()
    if (!this.#routes.has(host)) this.#routes.set(host, [])
    for (const each of isNews ? this.#routes.keys() : [host]) this.#route(each)
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

  /** The name of the host that has an address; '': nobody. Fast for addresses of packets, which are interned. */
  nameOf(address: IpAddress): string {
    let name = this.#names.get(address)
    if (name === undefined) {
      if (this.#names.size > 4096) this.#names.clear()
      name = this.owner(address)?.name ?? ''
      this.#names.set(address, name)
    }
    return name
  }

  /** The port of `link` by which a packet to this address goes on; null: nobody there. */
  nextPort(link: SimulatedLink, destination: IpAddress): Port | null {
    const known = this.#next.get(link)!
    let port = known.get(destination)
    if (port === undefined) {
      if (known.size > 4096) known.clear()
      port = this.#portOnTheWay(link, destination)
      known.set(destination, port)
    }
    return port
  }

  /** The owner's own port on the link, or that of the router towards a link it is on. */
  #portOnTheWay(link: SimulatedLink, destination: IpAddress): Port | null {
    const owner = this.owner(destination)
    if (owner === null) return null
    const direct = link.ports.find((port) => port.host === owner)
    if (direct !== undefined) return direct
    for (const { link: port } of owner.interfaces) {
      const router = port instanceof Port ? this.#portTowards(link, port.link) : null
      if (router !== null) return router
    }
    return null
  }

  /** The port of the router on `link` over which the shortest way leads to `target`; null: no way does. */
  #portTowards(link: SimulatedLink, target: SimulatedLink): Port | null {
    const seen = new Set([link])
    let reached = link.ports.filter((p) => p.host.forwarding).map((first) => ({ first, at: first.host }))
    while (reached.length > 0) {
      const further: typeof reached = []
      for (const { first, at } of reached) {
        for (const next of this.#links) {
          if (seen.has(next) || !next.ports.some((p) => p.host === at)) continue
          if (next === target) return first
          seen.add(next)
          for (const port of next.ports) if (port.host.forwarding) further.push({ first, at: port.host })
        }
      }
      reached = further
    }
    return null
  }

  /** True: there is a network on the link now that was not before. */
  #learnNetworks(link: SimulatedLink, addresses: readonly InterfaceAddress[]): boolean {
    const known = this.#networks.get(link)!
    const news = addresses.filter((a) => !known.some((n) => isNetworkOf(n, a)))
    known.push(...news)
    return news.length > 0
  }

  /** A host gets a route to every network it has no address in: directly if it is on its link, else over a router. */
  #route(host: Host): void {
    for (const route of this.#routes.get(host)!) host.routes.remove(route)
    const routes: Route[] = []
    this.#routes.set(host, routes)
    const outs = this.#links.flatMap((link) => link.ports.filter((port) => port.host === host))
    for (const [link, networks] of this.#networks) {
      const direct = outs.find((out) => out.link === link)
      for (const { address, prefixLength } of networks) {
        if (
          host.routes
            .all()
            .some((r) =>
              isNetworkOf({ address: r.destination, prefixLength: r.prefixLength }, { address, prefixLength }),
            )
        )
          continue
        for (const out of direct === undefined ? outs : [direct]) {
          const router = direct === undefined ? this.#portTowards(out.link, link) : null
          if (direct === undefined && (router === null || router.host === host)) continue
          const gateway = router === null ? null : addressOf(router, address.isIPv4)
          if (router !== null && gateway === null) continue
          routes.push(host.routes.add({ destination: address, prefixLength, via: interfaceOf(out), gateway }))
          break
        }
      }
    }
  }
}

function isNetworkOf(a: InterfaceAddress, b: InterfaceAddress): boolean {
  if (a.prefixLength !== b.prefixLength) return false
  return samePrefix(a.address, b.address, a.address.isIPv4 ? 96 + a.prefixLength : a.prefixLength)
}

function interfaceOf(port: Port): NetworkInterface {
  return port.host.interfaces.find((i) => i.link === port)!
}

function addressOf(port: Port, isIPv4: boolean): IpAddress | null {
  return interfaceOf(port).addresses.find((a) => a.address.isIPv4 === isIPv4)?.address ?? null
}
