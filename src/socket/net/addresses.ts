import { type IpAddress, parseIpAddress } from '../../wire/index.js'
import type { TcpSocket } from '../socket.js'

/** What `address()` tells. */
export interface AddressInfo {
  address: string
  family: 'IPv4' | 'IPv6'
  port: number
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const DOTTED = `${OCTET}(?:\\.${OCTET}){3}`
const IPV4 = new RegExp(`^${DOTTED}$`)
const DOTTED_TAIL = new RegExp(`:${DOTTED}$`)

export const isIPv4 = (text: unknown): boolean => IPV4.test(String(text))

export function isIPv6(text: unknown): boolean {
  const [address, zone] = split(String(text))
  if (!address.includes(':') || (zone !== null && !/^[0-9a-zA-Z-.:]+$/.test(zone))) return false
  if (address.includes('.') && !DOTTED_TAIL.test(address)) return false
  try {
    parseIpAddress(address)
    return true
  } catch {
    return false
  }
}

/** 4, 6, or 0: neither. */
export function isIP(text: unknown): 0 | 4 | 6 {
  if (isIPv4(text)) return 4
  return isIPv6(text) ? 6 : 0
}

function split(text: string): [address: string, zone: string | null] {
  const at = text.indexOf('%')
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

/** Of a text that `isIP` took; a zone is left out, since every link here has addresses of its own. */
export const toAddress = (text: string): IpAddress => parseIpAddress(split(text)[0])

/** As a socket of a family shows it: an IPv4 peer of an IPv6 socket is `::ffff:192.0.2.1`. */
export function addressText(address: IpAddress, ipv6: boolean): string {
  return ipv6 && address.isIPv4 ? `::ffff:${address}` : String(address)
}

export function localInfo(s: TcpSocket): AddressInfo {
  const { address, port } = s.localAddress()
  return info(address!, port!, s.ipv6)
}

/** null: it has no peer. */
export function remoteInfo(s: TcpSocket): AddressInfo | null {
  const c = s.connection
  return c === null || s.gone ? null : info(c.remote, c.remotePort, s.ipv6)
}

const info = (address: IpAddress, port: number, ipv6: boolean): AddressInfo => ({
  address: addressText(address, ipv6),
  family: ipv6 ? 'IPv6' : 'IPv4',
  port,
})
