import { readFileSync, writeFileSync } from 'node:fs'
import { type InterfaceAddress, parseInterfaceAddress } from '../ip/index.js'
import { type IpAddress, parseIpAddress, read32, write32, writeAddress } from '../wire/index.js'
import {
  AF_INET,
  AF_INET6,
  EBUSY,
  EINVAL,
  EPERM,
  errorName,
  O_CLOEXEC,
  openCloneDevice,
  SOCK_DGRAM,
  type System,
} from './tun-system.js'
import { VNET_HEADER_LENGTH } from './tun-vnet-header.js'

/** What the kernel's end of the device is to be like. */
export interface InterfaceOptions {
  readonly name: string
  readonly mode: 'tun' | 'tap'
  readonly offloads: boolean
  /** Octets; undefined: as the interface is. */
  readonly mtu: number | undefined
  /** Packets the kernel keeps for us; undefined: as the interface is. */
  readonly queueLength: number | undefined
  readonly kernelAddresses: readonly string[]
}

/** An open TUN or TAP device and the network interface that it is the other side of. */
export interface OpenedInterface {
  readonly fd: number
  readonly name: string
  readonly mtu: number
}

/** Requests to the device (linux/if_tun.h). */
const TUNSETIFF = 0x400454ca
const TUNSETOFFLOAD = 0x400454d0
const TUNSETVNETHDRSZ = 0x400454d8
const TUNSETVNETLE = 0x400454dc

const IFF_TUN = 0x0001
const IFF_TAP = 0x0002
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000

const TUN_F_CSUM = 0x01
const TUN_F_TSO4 = 0x02
const TUN_F_TSO6 = 0x04
const TUN_F_TSO_ECN = 0x08

/** Requests about an interface (linux/sockios.h), and its flag for being up. */
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const SIOCGIFADDR = 0x8915
const SIOCSIFADDR = 0x8916
const SIOCSIFNETMASK = 0x891c
const SIOCGIFMTU = 0x8921
const SIOCSIFMTU = 0x8922
const SIOCGIFINDEX = 0x8933
const SIOCSIFTXQLEN = 0x8943
const IFF_UP = 1

/** struct ifreq: 16 octets of name, then a union. */
const IFREQ_LENGTH = 40
const NAME_LENGTH = 16

/** Makes the device, or takes one that was made for us, and brings its interface up. @throws Error a person can act on */
export function openInterface(system: System, options: InterfaceOptions): OpenedInterface {
  if (!/^[^\s/:]{1,15}$/.test(options.name)) {
    throw new Error(
      `Not a name for a network interface: '${options.name}' (up to 15 characters, no space, '/' or ':').`,
    )
  }
  const addresses = options.kernelAddresses.map(parseInterfaceAddress)
  const fd = openCloneDevice()
  try {
    const name = attach(system, fd, options)
    return { fd, name, mtu: configure(system, name, options, addresses) }
  } catch (error) {
    system.close(fd)
    throw error
  }
}

/** Gives the name the kernel chose for a pattern such as 'estab%d'. */
function attach(system: System, fd: number, options: InterfaceOptions): string {
  const { mode } = options
  const request = interfaceRequest(options.name)
  request.writeUInt16LE((mode === 'tun' ? IFF_TUN : IFF_TAP) | IFF_NO_PI | IFF_VNET_HDR, NAME_LENGTH)
  if (system.ioctl(fd, TUNSETIFF, request) < 0) throw attachError(system.errno(), options.name, mode)
  const name = request.toString('latin1', 0, request.indexOf(0))
  const size = Buffer.alloc(4)
  size.writeInt32LE(VNET_HEADER_LENGTH)
  check(system, system.ioctl(fd, TUNSETVNETHDRSZ, size), `set the size of the packet header of '${name}'`)
  size.writeInt32LE(1)
  check(system, system.ioctl(fd, TUNSETVNETLE, size), `set the byte order of the packet header of '${name}'`)
  const offloads = options.offloads ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0
  check(system, system.ioctlNumber(fd, TUNSETOFFLOAD, offloads), `set the offloads of '${name}'`)
  return name
}

function attachError(errno: number, name: string, mode: 'tun' | 'tap'): Error {
  switch (errno) {
    case EPERM:
      return new Error(
        `No right to make the network device '${name}': run as root (CAP_NET_ADMIN), or have one made for you and give ` +
          `its name: \`sudo ip tuntap add dev ${name.replace('%d', '0')} mode ${mode} user $USER\`.`,
      )
    case EBUSY:
      return new Error(`The network device '${name}' is in use by another program: choose another name.`)
    case EINVAL:
      return new Error(`There is a network device '${name}' that is not a ${mode} device: choose another name.`)
    default:
      return new Error(`The kernel refused the ${mode} device '${name}' (${errorName(errno)}).`)
  }
}

/** Sets what is asked for and is not so already, so that a device made for us needs no rights. Gives the MTU. */
function configure(
  system: System,
  name: string,
  options: InterfaceOptions,
  addresses: readonly InterfaceAddress[],
): number {
  const control = system.socket(AF_INET, SOCK_DGRAM | O_CLOEXEC, 0)
  check(system, control, 'open a socket')
  try {
    const get = (request: number): Buffer => {
      const argument = interfaceRequest(name)
      check(system, system.ioctl(control, request, argument), `ask about '${name}'`)
      return argument
    }
    const set = (request: number, argument: Buffer, what: string, command: string): void => {
      check(system, system.ioctl(control, request, argument), what, command)
    }
    const mtu = get(SIOCGIFMTU)
    const asked = options.mtu ?? mtu.readInt32LE(NAME_LENGTH)
    if (asked !== mtu.readInt32LE(NAME_LENGTH)) {
      mtu.writeInt32LE(asked, NAME_LENGTH)
      set(SIOCSIFMTU, mtu, `set the MTU of '${name}' to ${asked}`, `ip link set dev ${name} mtu ${asked}`)
    }
    if (options.queueLength !== undefined) {
      const queue = interfaceRequest(name)
      queue.writeInt32LE(options.queueLength, NAME_LENGTH)
      set(
        SIOCSIFTXQLEN,
        queue,
        `set the queue of '${name}'`,
        `ip link set dev ${name} txqueuelen ${options.queueLength}`,
      )
    }
    // no waiting for duplicate address detection: nobody else is at the other end of this wire
    if (addresses.some(({ address }) => !address.isIPv4)) writeSetting(`ipv6/conf/${name}/accept_dad`, '0')
    const flags = get(SIOCGIFFLAGS)
    const before = flags.readInt16LE(NAME_LENGTH)
    if ((before & IFF_UP) === 0) {
      flags.writeInt16LE(before | IFF_UP, NAME_LENGTH)
      set(SIOCSIFFLAGS, flags, `bring '${name}' up`, `ip link set dev ${name} up`)
    }
    const index = get(SIOCGIFINDEX).readInt32LE(NAME_LENGTH)
    let label = 0
    for (const address of addresses) {
      if (address.address.isIPv4) addAddress4(system, control, label++ === 0 ? name : `${name}:${label - 1}`, address)
      else addAddress6(system, name, index, address)
    }
    return asked
  } finally {
    system.close(control)
  }
}

/** One address for each label of the interface: 'estab0', 'estab0:1' … */
function addAddress4(
  system: System,
  control: number,
  label: string,
  { address, prefixLength }: InterfaceAddress,
): void {
  const there = interfaceRequest(label)
  there.writeUInt16LE(AF_INET, NAME_LENGTH)
  const isThere = system.ioctl(control, SIOCGIFADDR, there) >= 0 && read32(there, NAME_LENGTH + 4) === address.w3
  if (isThere) return
  const set = (request: number, word: number): void => {
    const argument = interfaceRequest(label)
    argument.writeUInt16LE(AF_INET, NAME_LENGTH)
    write32(argument, NAME_LENGTH + 4, word)
    const command = `ip address add ${address}/${prefixLength} dev ${label}`
    check(system, system.ioctl(control, request, argument), `give '${label}' the address ${address}`, command)
  }
  set(SIOCSIFADDR, address.w3)
  set(SIOCSIFNETMASK, prefixLength === 0 ? 0 : -1 << (32 - prefixLength))
}

/** struct in6_ifreq: 16 octets of address, the prefix length, the interface's index. */
function addAddress6(system: System, name: string, index: number, { address, prefixLength }: InterfaceAddress): void {
  if (addresses6(name).some((one) => one.equals(address))) return
  const command = `ip address add ${address}/${prefixLength} dev ${name}`
  const what = `give '${name}' the address ${address}`
  const control = system.socket(AF_INET6, SOCK_DGRAM | O_CLOEXEC, 0)
  check(system, control, what, command)
  const argument = Buffer.alloc(24)
  writeAddress(argument, 0, address)
  argument.writeUInt32LE(prefixLength, 16)
  argument.writeInt32LE(index, 20)
  const result = system.ioctl(control, SIOCSIFADDR, argument)
  const errno = result < 0 ? system.errno() : 0
  system.close(control)
  if (result < 0) throw refusal(errno, what, command)
}

/** IPv6 addresses that the interface has. */
function addresses6(name: string): IpAddress[] {
  let text = ''
  try {
    text = readFileSync('/proc/net/if_inet6', 'latin1')
  } catch {
    return []
  }
  const rows = text.split('\n').filter((row) => row.endsWith(` ${name}`))
  return rows.map((row) => parseIpAddress(row.slice(0, 32).match(/.{4}/g)!.join(':')))
}

function interfaceRequest(name: string): Buffer {
  const request = Buffer.alloc(IFREQ_LENGTH)
  request.write(name, 0, NAME_LENGTH - 1, 'latin1')
  return request
}

function writeSetting(path: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/net/${path}`, value)
  } catch {
    // a read-only /proc (containers): the address works all the same, a second later
  }
}

/** @throws Error when a call returned a negative result, with what it was to do and a command that would */
function check(system: System, result: number, what: string, command = ''): void {
  if (result < 0) throw refusal(system.errno(), what, command)
}

function refusal(errno: number, what: string, command: string): Error {
  const instead = command === '' ? '' : `, or do it beforehand: \`sudo ${command}\``
  if (errno === EPERM) return new Error(`No right to ${what}: run as root (CAP_NET_ADMIN)${instead}.`)
  return new Error(`Could not ${what} (${errorName(errno)}).`)
}
