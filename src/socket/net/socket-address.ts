import { isIPv4, isIPv6 } from './addresses.js'
import { argumentType, argumentValue, checkInteger, checkPort, checkString, invalidAddress } from './errors.js'

export interface SocketAddressInit {
  address?: string
  port?: number
  family?: 'ipv4' | 'ipv6'
  flowlabel?: number
}

/** `net.SocketAddress`: an address and a port that do not change. */
export class SocketAddress {
  readonly address: string
  readonly port: number
  readonly family: 'ipv4' | 'ipv6'
  readonly flowlabel: number

  constructor(options: SocketAddressInit = {}) {
    if (options === null || typeof options !== 'object') throw argumentType('options', ['Object'], options)
    const { family: given = 'ipv4', port = 0, flowlabel = 0 } = options
    const family = checkFamily(given, 'options.family')
    const { address = family === 'ipv4' ? '127.0.0.1' : '::' } = options
    checkString(address, 'options.address')
    this.port = checkPort(port, 'options.port')
    checkInteger(flowlabel, 'options.flowlabel', 0, 0xfffff)
    if (!(family === 'ipv4' ? isIPv4(address) : isIPv6(address))) throw invalidAddress()
    this.address = address
    this.family = family
    this.flowlabel = flowlabel
  }

  static isSocketAddress(value: unknown): value is SocketAddress {
    return value instanceof SocketAddress
  }

  toJSON(): SocketAddressInit {
    const { address, port, family, flowlabel } = this
    return { address, port, family, flowlabel }
  }
}

export function checkFamily(family: unknown, name: string): 'ipv4' | 'ipv6' {
  const lower = typeof family === 'string' ? family.toLowerCase() : family
  if (lower !== 'ipv4' && lower !== 'ipv6') throw argumentValue(name, family)
  return lower
}
