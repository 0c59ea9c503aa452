import { type IpAddress, parseIpAddress } from '../wire/index.js'
import type { InterfaceAddress, NetworkInterface } from './network-interface.js'

/** Where packets for a range of addresses go. */
export interface Route {
  /** Network address; its bits behind `prefixLength` are not looked at. */
  readonly destination: IpAddress
  /** Leading bits that must match: 0-32 or 0-128; 0 is the default route of that family. */
  readonly prefixLength: number
  readonly via: NetworkInterface
  /** Next hop; null: the destination is on the link. */
  readonly gateway: IpAddress | null
  /** Source address to use; null: the interface's. */
  readonly source: IpAddress | null
  /** Path MTU the route fixes (`ip route change … mtu lock`), octets; 0: the interface's. */
  readonly mtu: number
}

/** The routes of a host; the longest prefix wins, of equal ones the one added last. */
export class RouteTable {
  readonly #routes: Route[] = []
  /** Grows with each change: whatever was worked out from the routes before is stale. */
  generation = 0

  add(route: Omit<Route, 'gateway' | 'source' | 'mtu'> & Partial<Route>): Route {
    const complete = { gateway: null, source: null, mtu: 0, ...route }
    this.#routes.unshift(complete)
    this.#routes.sort((a, b) => bits(b) - bits(a))
    this.generation++
    return complete
  }

  remove(route: Route): void {
    const at = this.#routes.indexOf(route)
    if (at >= 0) this.#routes.splice(at, 1)
    this.generation++
  }

  changed(): void {
    this.generation++
  }

  /** @param avoiding a gateway that may be dead */
  find(destination: IpAddress, avoiding: IpAddress | null = null): Route | null {
    for (const route of this.#routes) {
      if (avoiding !== null && route.gateway?.equals(avoiding) === true) continue
      if (route.via.up && samePrefix(route.destination, destination, bits(route))) return route
    }
    return null
  }

  all(): readonly Route[] {
    return this.#routes
  }
}

/** Prefix length counted in the 128 bits an address is held in. */
function bits(route: Route): number {
  return route.destination.isIPv4 ? 96 + route.prefixLength : route.prefixLength
}

/** True when the first `length` of 128 bits are the same. */
export function samePrefix(a: IpAddress, b: IpAddress, length: number): boolean {
  // an IPv6 default route must not take IPv4, which is held in ::ffff:0:0/96
  if (a.isIPv4 !== b.isIPv4) return false
  return (
    sameBits(a.w0, b.w0, length) &&
    sameBits(a.w1, b.w1, length - 32) &&
    sameBits(a.w2, b.w2, length - 64) &&
    sameBits(a.w3, b.w3, length - 96)
  )
}

function sameBits(a: number, b: number, length: number): boolean {
  if (length <= 0) return true
  return length >= 32 ? a === b : (a ^ b) >>> (32 - length) === 0
}

/**
 * An interface address from text: '10.0.0.1/24', '2001:db8::1/64'; without a length, the address alone.
 * @throws RangeError when it is none
 */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const [part, length, ...rest] = text.split('/')
  const address = parseIpAddress(part!)
  const most = address.isIPv4 ? 32 : 128
  const prefixLength = length === undefined ? most : Number(length)
  if (rest.length > 0 || !Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > most || length === '') {
    throw new RangeError(`not an address with a prefix length: '${text}' (expected 192.0.2.1/24 or 2001:db8::1/64)`)
  }
  return { address, prefixLength }
}
