import type { IpAddress } from '../../wire/index.js'
import { isIPv4, isIPv6, toAddress } from './addresses.js'
import { argumentType, argumentValue, checkInteger, checkString, invalidAddress } from './errors.js'
import { checkFamily, SocketAddress } from './socket-address.js'

interface Rule {
  readonly text: string
  includes(address: IpAddress): boolean
}

/** The option `blockList` of sockets and servers; Node's own lists will do as well. */
export interface AddressFilter {
  check(address: string, family: 'ipv4' | 'ipv6'): boolean
}

/** Checks the option `blockList`. */
export function blockListOf(given: unknown): AddressFilter | null {
  if (given === undefined || given === null) return null
  if (typeof given === 'object' && 'check' in given && typeof given.check === 'function') return given as AddressFilter
  throw argumentType('options.blockList', ['net.BlockList'], given)
}

/** `net.BlockList`: addresses, ranges and subnets that are not wanted. */
export class BlockList {
  /** The latest first. */
  readonly #rules: Rule[] = []

  static isBlockList(value: unknown): value is BlockList {
    return value instanceof BlockList
  }

  addAddress(address: string | SocketAddress, family: unknown = 'ipv4'): void {
    const one = read(address, family, 'address')
    this.#add(`Address: ${shown(one)}`, (other) => other.equals(one))
  }

  addRange(start: string | SocketAddress, end: string | SocketAddress, family: unknown = 'ipv4'): void {
    const low = read(start, family, 'start')
    const high = read(end, family, 'end')
    if (compare(low, high) > 0) throw argumentValue('start', start, `must come before ${String(high)}`)
    this.#add(`Range: ${shown(low)}-${high}`, (other) => {
      return other.isIPv4 === low.isIPv4 && compare(low, other) <= 0 && compare(other, high) <= 0
    })
  }

  addSubnet(network: string | SocketAddress, prefix: number, family: unknown = 'ipv4'): void {
    const base = read(network, family, 'network')
    checkInteger(prefix, 'prefix', 0, base.isIPv4 ? 32 : 128)
    const bits = base.isIPv4 ? prefix + 96 : prefix
    this.#add(`Subnet: ${shown(base)}/${prefix}`, (other) => {
      return other.isIPv4 === base.isIPv4 && prefixOf(other, bits) === prefixOf(base, bits)
    })
  }

  /** An IPv4 address in IPv6's clothes is that IPv4 address. */
  check(address: string | SocketAddress, family: unknown = 'ipv4'): boolean {
    const wanted = address instanceof SocketAddress ? address.family : checkFamily(family, 'family')
    const text = address instanceof SocketAddress ? address.address : address
    checkString(text, 'address')
    if (!(wanted === 'ipv4' ? isIPv4(text) : isIPv6(text))) return false
    const parsed = toAddress(text)
    return this.#rules.some((rule) => rule.includes(parsed))
  }

  get rules(): string[] {
    return this.#rules.map(({ text }) => text)
  }

  toJSON(): string[] {
    return this.rules
  }

  #add(text: string, includes: Rule['includes']): void {
    this.#rules.unshift({ text, includes })
  }
}

function read(address: unknown, family: unknown, name: string): IpAddress {
  if (address instanceof SocketAddress) return toAddress(address.address)
  if (typeof address !== 'string') throw argumentType(name, ['string', 'SocketAddress'], address)
  const wanted = checkFamily(family, 'family')
  if (!(wanted === 'ipv4' ? isIPv4(address) : isIPv6(address))) throw invalidAddress()
  return toAddress(address)
}

const shown = (address: IpAddress): string => `${address.isIPv4 ? 'IPv4' : 'IPv6'} ${address}`

const wordsOf = ({ w0, w1, w2, w3 }: IpAddress): number[] => [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0]

const numberOf = (address: IpAddress): bigint => wordsOf(address).reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)

function compare(a: IpAddress, b: IpAddress): number {
  const difference = numberOf(a) - numberOf(b)
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}

const prefixOf = (address: IpAddress, bits: number): bigint => numberOf(address) >> BigInt(128 - bits)
