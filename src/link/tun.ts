import { randomBytes } from 'node:crypto'
import { type Link, parseInterfaceAddress } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import { ETHERNET_HEADER_LENGTH, type MacAddress, parseIpAddress, parseMac } from '../wire/index.js'
import { TapDevice } from './tap.js'
import { openInterface } from './tun-interface.js'
import { type TunCounters, TunPort } from './tun-port.js'
import { loadSystem } from './tun-system.js'

export type { EthernetCounters } from './ethernet-link.js'
export { type InterfaceOptions, type OpenedInterface, openInterface } from './tun-interface.js'
export type { TunCounters } from './tun-port.js'
export { loadSystem, type System } from './tun-system.js'
export { VNET_HEADER_LENGTH } from './tun-vnet-header.js'
export type { TapDevice }

export interface TunOptions {
  /** Of the kernel's interface; 'estab%d', when not given, is the first free of estab0, estab1 … */
  readonly name?: string
  /** 'tun' (when not given): IP packets; 'tap': Ethernet frames. */
  readonly mode?: 'tun' | 'tap'
  /** Octets of IP packet; the interface's (1500 for a new one) when not given. */
  readonly mtu?: number
  /**
   * True when not given: super-segments of up to 64 KB pass, and checksums that do not leave the machine are not
   * computed (TSO, GRO and checksum offload). False: one frame for each segment, as on a wire.
   */
  readonly offloads?: boolean
  /** Packets the kernel holds until they are read (`txqueuelen`); the interface's, 500, when not given. */
  readonly queueLength?: number
  /** Addresses of the kernel's end of the wire, with prefix lengths: '10.77.0.1/24'. Its interface is brought up. */
  readonly kernelAddresses?: readonly string[]
  /** Of our end, as given to `host.attach`: a TAP device answers for them. Not used with mode 'tun'. */
  readonly addresses?: readonly string[]
  /** TAP: where packets go that are for none of our networks; the kernel's own addresses when not given. */
  readonly gateways?: readonly string[]
  /** TAP: our hardware address, '02:…'; a random, locally administered one when not given. */
  readonly mac?: string
  /** Clock of the host it is attached to, ms; `performance.now`, which `RealTime` has too, when not given. */
  readonly now?: () => Instant
}

/** An open device, and the link it is for a host. */
export interface TunDevice extends Link {
  /** Of the kernel's interface. */
  readonly name: string
  readonly counters: TunCounters
  /** Fulfilled when the device is closed: with null by `close`, with an error when its interface was taken away. */
  readonly closed: Promise<Error | null>
  /** Takes the device out of the event loop and closes it; the kernel then removes the interface. */
  close(): Promise<void>
  /** The process no longer runs for the device's sake. `estab/net` keeps it running while sockets wait. */
  unref(): void
}

/**
 * Opens a TUN or TAP device of the Linux kernel. Needs the optional package koffi, /dev/net/tun, and the right to make
 * network devices.
 * @throws Error (the promise rejects) with one sentence that says what is missing and what to do
 */
export async function openTun(options: TunOptions = {}): Promise<TunDevice> {
  const mode = options.mode ?? 'tun'
  const offloads = options.offloads ?? true
  const kernelAddresses = options.kernelAddresses ?? []
  const addresses = (options.addresses ?? []).map(parseInterfaceAddress)
  const gateways = options.gateways ?? kernelAddresses.map((address) => address.split('/')[0]!)
  const ethernet = { mac: hardwareAddress(options.mac), addresses, gateways: gateways.map(parseIpAddress) }
  if (mode === 'tap' && addresses.length === 0) {
    throw new Error("A TAP device answers for the addresses of our end: give them as `addresses: ['10.77.0.2/24']`.")
  }
  const system = await loadSystem()
  const opened = openInterface(system, {
    name: options.name ?? 'estab%d',
    mode,
    offloads,
    mtu: options.mtu,
    queueLength: options.queueLength,
    kernelAddresses,
  })
  const now = options.now ?? (() => performance.now())
  if (mode === 'tun') return new TunPort(system, opened, 0, offloads, now)
  const tap = new TapDevice(new TunPort(system, opened, ETHERNET_HEADER_LENGTH, offloads, now), ethernet)
  tap.announce(now())
  return tap
}

/** From text, or a random one: of one host, not a group (bit 0), and locally administered (bit 1). */
function hardwareAddress(text: string | undefined): MacAddress {
  if (text !== undefined) return parseMac(text)
  const mac = new Uint8Array(randomBytes(6))
  mac[0] = (mac[0]! & 0xfc) | 2
  return mac
}
