import {
  backgroundTime,
  type Clock,
  type InterfaceAddress,
  type Link,
  type NetworkInterface,
  parseInterfaceAddress,
  Random,
  RealTime,
} from '../ip/index.js'
import { type Observer, type ProfileName, profile, type Secrets, type Settings } from '../tcp/index.js'
import { ANY_IPV4, ANY_IPV6 } from '../wire/index.js'
import { LiveHost } from './live-host.js'
import type { FindAddresses } from './names.js'
import { checkOptionNames } from './option-names.js'
import { personality } from './personality.js'

export interface CreateHostOptions {
  readonly name?: string
  /** What it stands on: an end of a memory pipe, a device, a link of your own. Without one it has its loopback only. */
  readonly link?: Link
  /** Its addresses on the link, with prefix lengths: '10.0.0.1/24', ['10.0.0.1/24', 'fd00::1/64']. */
  readonly address?: string | readonly string[]
  /** Whose TCP it is; 'linux' when not given. */
  readonly profile?: ProfileName
  /** What differs from the profile. */
  readonly settings?: Partial<Settings>
  /** Finds names for `connect` and `net`; `localhost` is always known. */
  readonly lookup?: FindAddresses
  readonly observer?: Observer | null
  /** What it lives by: real time when not given. */
  readonly clock?: Clock
  /** Everything random comes from it, for runs that can be repeated; the platform's cryptographic source when not given. */
  readonly seed?: number
}

const OPTION_NAMES = [
  'name',
  'link',
  'address',
  'profile',
  'settings',
  'lookup',
  'observer',
  'clock',
  'seed',
] satisfies (keyof CreateHostOptions)[]

let shared: RealTime | null = null

/** The real time that hosts share unless they are given a clock. */
export function realTime(): RealTime {
  shared ??= new RealTime(backgroundTime())
  return shared
}

/**
 * A host in real time, on a link of any kind. Everything it has no nearer route to is sent over that link.
 * @throws RangeError for what is no address with a prefix length ('10.0.0.1/24')
 */
export function createHost(options: CreateHostOptions = {}): LiveHost {
  const { name = 'host', link, address = [], profile: profileName = 'linux', settings = {}, seed } = options
  const base = profile(profileName)
  checkOptionNames('createHost', options, OPTION_NAMES)
  checkOptionNames('createHost: settings', settings, Object.keys(base))
  const host = new LiveHost({
    name,
    clock: options.clock ?? realTime(),
    settings: { ...base, ...settings },
    personality: personality(profileName),
    // as a kernel does; in virtual time a run is to be the same whoever drives it
    offloads: options.clock === undefined,
    ...chance(seed),
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  })
  const addresses = [address].flat().map(parseInterfaceAddress)
  if (link !== undefined) addDefaultRoutes(host, host.attach(link, { addresses }), addresses)
  else if (addresses.length > 0) throw new RangeError(`host '${name}': addresses are for a link, and it has none`)
  return host
}

/** For each family that the host has an address of. */
function addDefaultRoutes(host: LiveHost, via: NetworkInterface, addresses: readonly InterfaceAddress[]): void {
  for (const any of [ANY_IPV4, ANY_IPV6]) {
    const own = addresses.find((one) => one.address.isIPv4 === any.isIPv4)
    if (own !== undefined) host.routes.add({ destination: any, prefixLength: 0, via, source: own.address })
  }
}

/** What a host draws from: nobody can guess it, unless it was given a seed. */
function chance(seed: number | undefined): { random: Random; secrets?: Secrets } {
  if (seed !== undefined) return { random: new Random(seed) }
  return {
    random: new Random(secret(6).reduce((n, octet) => n * 256 + octet, 0)),
    secrets: {
      isn: secret(16),
      timestamps: secret(16),
      synCookie: secret(16),
      ports: secret(16),
      fastOpen: [secret(16)],
    },
  }
}

/** What every platform has, and nothing declares in common. */
const { crypto } = globalThis as unknown as { crypto: { getRandomValues(octets: Uint8Array): Uint8Array } }

const secret = (octets: number): Uint8Array => crypto.getRandomValues(new Uint8Array(octets))
