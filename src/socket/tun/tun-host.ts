import { lookup as systemLookup } from 'node:dns/promises'
import type { InterfaceAddress, Link } from '../../ip/index.js'
import { openTun, type TunDevice } from '../../link/tun.js'
import { abort, Connection, type Millis } from '../../tcp/index.js'
import { type CreateHostOptions, createHost, realTime } from '../create-host.js'
import type { LiveHost } from '../live-host.js'
import type { FindAddresses } from '../names.js'
import { checkFree, wireEnds } from './wire-ends.js'

// `host.net` of the host that is made
import '../net/index.js'

/** As for any host; names are found as the system does it, when no other way is given. */
export interface TunHostOptions extends Omit<CreateHostOptions, 'link' | 'address' | 'clock' | 'seed'> {
  /** Of our host, with prefix lengths: '10.77.0.2/24', ['10.77.0.2/24', 'fd00:77::2/64']. */
  readonly address: string | readonly string[]
  /** The kernel's at the other end, one for each of ours: '10.77.0.1'. */
  readonly peer: string | readonly string[]
  /** 'tun' (when not given): IP packets; 'tap': Ethernet frames, with ARP and neighbour discovery. */
  readonly mode?: 'tun' | 'tap'
  /** Name of the kernel's network interface; the first free of estab0, estab1 … when not given. */
  readonly device?: string
  /** Octets of IP packet; 1500 when not given. */
  readonly mtu?: number
  /** True when not given: super-segments, and no checksums of what stays in the machine. */
  readonly offloads?: boolean
  /** Puts a link of your own between the host and the device: a capture, faults. */
  readonly around?: (device: TunDevice) => Link
}

/** A host at the end of a TUN or TAP device: the kernel's TCP is at the other end of the wire. */
export interface TunHost extends LiveHost {
  readonly device: TunDevice
  /**
   * Connections that their programs have closed may still send what they have, for `patience` ms (5 s when not given); those
   * that are open are reset; then the device is taken away. Called by itself when the process has nothing left to do.
   */
  close(patience?: Millis): Promise<void>
}

const PATIENCE = 5000

/**
 * Brings a host up on a network device of this machine: Linux, root or CAP_NET_ADMIN, and the optional package koffi. It
 * keeps the process running while its sockets do, not by itself.
 * @throws Error (the promise rejects) with one sentence that says what is missing and what to do
 */
export async function tunHost(options: TunHostOptions): Promise<TunHost> {
  const { address, peer, mode = 'tun', device: deviceName, mtu, offloads = true, around, ...rest } = options
  const ends = wireEnds([address].flat(), [peer].flat())
  checkFree(ends, deviceName)
  const time = realTime()
  const addresses = ends.ours.map(addressText)
  const device = await openTun({
    mode,
    offloads,
    kernelAddresses: ends.kernels.map(addressText),
    addresses,
    now: () => time.now,
    ...(deviceName === undefined ? {} : { name: deviceName }),
    ...(mtu === undefined ? {} : { mtu }),
  })
  try {
    const link = around?.(device) ?? device
    const host = createHost({ name: device.name, lookup: askSystem, ...rest, link, address: addresses, clock: time })
    device.unref()
    const farewell = () => void close()
    const close = async (patience: Millis = PATIENCE): Promise<void> => {
      process.off('beforeExit', farewell)
      await untilSent(host, patience)
      const { now } = time
      host.enter(now)
      for (const endpoint of [...host.connections]) if (endpoint instanceof Connection) abort(endpoint, now)
      host.leave(now)
      time.release(host)
      await device.close()
    }
    process.once('beforeExit', farewell)
    return Object.assign(host, { device, close })
  } catch (error) {
    await device.close()
    throw error
  }
}

const addressText = ({ address, prefixLength }: InterfaceAddress): string => `${address}/${prefixLength}`

const askSystem: FindAddresses = async (name) => {
  const found = await systemLookup(name, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}

/** Until no connection is left that no program holds, or `patience` ms have passed. */
async function untilSent(host: LiveHost, patience: Millis): Promise<void> {
  const deadline = host.clock.now + patience
  const isSending = () => [...host.connections].some((one) => one instanceof Connection && one.user === null)
  while (isSending() && host.clock.now < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
}
