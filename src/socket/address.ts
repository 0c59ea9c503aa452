import { ANY_IPV4, ANY_IPV6, IpAddress } from '../wire/index.js'
import type { Errno } from './errno.js'
import type { Personality } from './personality.js'

/** struct sockaddr of the families TCP has; `family` by the system's number (AF_UNSPEC 0: no address at all). */
export interface SocketAddress {
  readonly family: number
  readonly address?: IpAddress
  readonly port?: number
  /** IPv6: flow label. */
  readonly flowLabel?: number
}

export interface AddressAndPort {
  readonly address: IpAddress
  readonly port: number
}

/** What a socket of a family makes of an address a program gave. */
export function takeAddress(given: SocketAddress, ipv6: boolean, personality: Personality): AddressAndPort | Errno {
  const { AF_INET, AF_INET6, AF_UNSPEC } = personality.numbers
  const port = (given.port ?? 0) & 0xffff
  if (ipv6) {
    if (given.family !== AF_INET6) return 'EAFNOSUPPORT'
    return { address: given.address ?? ANY_IPV6, port }
  }
  const address = given.address ?? ANY_IPV4
  if (given.family !== AF_INET && !(given.family === AF_UNSPEC && address.equals(ANY_IPV4))) return 'EAFNOSUPPORT'
  return address.isIPv4 ? { address, port } : 'EAFNOSUPPORT'
}

/** No address in particular, of a family. */
export const anyAddress = (ipv6: boolean): IpAddress => (ipv6 ? ANY_IPV6 : ANY_IPV4)

export const isAny = (address: IpAddress): boolean => address.equals(ANY_IPV4) || address.equals(ANY_IPV6)

const LOOPBACK_IPV4 = new IpAddress(0, 0, 0xffff, 0x7f000001)
const LOOPBACK_IPV6 = new IpAddress(0, 0, 0, 1)

/** Whom a connection to no address in particular goes to: this host. */
export function destinationOf(address: IpAddress): IpAddress {
  if (address.equals(ANY_IPV4)) return LOOPBACK_IPV4
  return address.equals(ANY_IPV6) ? LOOPBACK_IPV6 : address
}

/** Multicast and broadcast: nobody to connect to. */
export function isUnicast(address: IpAddress): boolean {
  if (address.isIPv4) return address.w3 >>> 28 !== 14 && address.w3 !== -1
  return address.w0 >>> 24 !== 0xff
}
