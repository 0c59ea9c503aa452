import { networkInterfaces } from 'node:os'
import { type InterfaceAddress, parseInterfaceAddress, samePrefix } from '../../ip/index.js'
import { type IpAddress, parseIpAddress } from '../../wire/index.js'

/** Our addresses, and the kernel's at the other end of each wire, with the prefix lengths they share. */
export interface WireEnds {
  readonly ours: readonly InterfaceAddress[]
  readonly kernels: readonly InterfaceAddress[]
}

/**
 * Puts our addresses ('10.77.0.2/24') and the kernel's ('10.77.0.1') together.
 * @throws RangeError, a sentence, when one is none or has no other end
 */
export function wireEnds(addresses: readonly string[], peers: readonly string[]): WireEnds {
  const ours = addresses.map(readAddress)
  const others = peers.map(readPeer)
  const kernels = ours.map((own) => {
    const { address, prefixLength } = own
    const found = others.find((one) => samePrefix(one, address, prefixLength + (one.isIPv4 ? 96 : 0)))
    if (found === undefined) {
      throw new RangeError(`No peer in the network of ${address}/${prefixLength}: the kernel's end needs one there.`)
    }
    if (found.equals(address)) throw new RangeError(`Address and peer are both ${found}: they are two ends.`)
    return { address: found, prefixLength }
  })
  const stray = others.find((one) => !kernels.some((kernel) => kernel.address.equals(one)))
  if (stray !== undefined) throw new RangeError(`Peer ${stray} is in the network of no address of ours.`)
  return { ours, kernels }
}

function readAddress(text: string): InterfaceAddress {
  try {
    return parseInterfaceAddress(text)
  } catch {
    throw new RangeError(`'${text}' is not an address with a prefix length, such as 10.77.0.2/24 or fd00:77::2/64.`)
  }
}

function readPeer(text: string): IpAddress {
  try {
    return parseIpAddress(text)
  } catch {
    throw new RangeError(`'${text}' is not an IP address.`)
  }
}

/**
 * No interface of the kernel may have one of the addresses already, but for the kernel's own on a device that was made
 * for us.
 * @throws Error, a sentence that says who has it
 */
export function checkFree({ ours, kernels }: WireEnds, device: string | undefined): void {
  const interfaces = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address }) => ({ name, address })),
  )
  for (const { name, address } of interfaces) {
    const wanted = name === device ? ours : [...ours, ...kernels]
    if (!wanted.some((one) => `${one.address}` === address)) continue
    const holder = name.startsWith('estab') ? `${name}, of an estab that is running` : name
    let second = 78
    while (interfaces.some((one) => one.address.startsWith(`10.${second}.0.`))) second++
    const others = `10.${second}.0.2/24 and 10.${second}.0.1`
    throw new Error(`The address ${address} is in use by ${holder}: choose others, such as ${others}.`)
  }
}
