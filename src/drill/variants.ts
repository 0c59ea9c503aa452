import type { ProfileName } from '../tcp/index.js'
import type { FlagSetting, Flags, IpVersion } from './language/flags.js'

/** Which variants of a script are run. `auto`: as the runners of the suites do, see `variantsOf`. */
export type VariantChoice = 'auto' | 'all' | IpVersion

export const IP_VERSIONS: readonly IpVersion[] = ['ipv4', 'ipv6', 'ipv4-mapped-ipv6']

/**
 * The variants of a script: the one its own `--ip_version` names, else those that Google's and Linux's runners try: IPv6
 * unless the file's name ends in `v4.pkt`, IPv4 and IPv4 on an IPv6 socket unless it ends in `v6.pkt`. A script that names
 * addresses of one version (`addresses`) is not run with the other. `auto` leaves out IPv4 on an IPv6 socket for the
 * freebsd profile, whose scripts nobody runs so.
 */
export function variantsOf(
  file: string,
  said: IpVersion | null,
  profile: ProfileName,
  choice: VariantChoice,
  addresses: 4 | 6 | null = null,
): readonly IpVersion[] {
  if (said !== null) return choice === 'auto' || choice === 'all' || choice === said ? [said] : []
  const named = IP_VERSIONS.filter((version) =>
    version === 'ipv6' ? !file.endsWith('v4.pkt') : !file.endsWith('v6.pkt'),
  )
  const fitting = named.filter((version) => addresses === null || (version === 'ipv6') === (addresses === 6))
  if (choice === 'all') return fitting
  if (choice === 'auto') return profile === 'freebsd' ? fitting.slice(0, 1) : fitting
  return fitting.includes(choice) ? [choice] : []
}

const IPV4: readonly FlagSetting[] = [
  { name: 'local_ip', value: '192.168.0.1' },
  { name: 'gateway_ip', value: '192.168.0.1' },
  { name: 'netmask_ip', value: '255.255.0.0' },
  { name: 'remote_ip', value: '192.0.2.1' },
  ...defines(['TFO_COOKIE=3021b9d889017eeb', 'TFO_COOKIE_ZERO=b7c12350a90dc8f5', 'CODE=host_unreachable']),
]
const IPV6: readonly FlagSetting[] = [
  { name: 'mtu', value: '1520' },
  { name: 'local_ip', value: 'fd3d:0a0b:17d6::1' },
  { name: 'gateway_ip', value: 'fd3d:0a0b:17d6:8888::1' },
  { name: 'remote_ip', value: 'fd3d:fa7b:d17d::1' },
  ...defines(['TFO_COOKIE=c1d1e9742a47a9bc', 'TFO_COOKIE_ZERO=82af1a8f9a205c34', 'CODE=host_unreachable']),
]
const IPV4_MESSAGES = defines(['CMSG_LEVEL_IP=SOL_IP', 'CMSG_TYPE_RECVERR=IP_RECVERR'])
const IPV6_MESSAGES = defines(['CMSG_LEVEL_IP=SOL_IPV6', 'CMSG_TYPE_RECVERR=IPV6_RECVERR'])

function defines(meanings: readonly string[]): FlagSetting[] {
  return meanings.map((value) => ({ name: 'define', value }))
}

/**
 * What the runners of the suites add to the command line of a variant. The freebsd suite's runner adds nothing but
 * addresses, which are packetdrill's own (NPLab).
 */
export function variantFlags(version: IpVersion, profile: ProfileName): readonly FlagSetting[] {
  const chosen: FlagSetting = { name: 'ip_version', value: version }
  if (profile === 'freebsd') return [chosen]
  if (version === 'ipv6') return [chosen, ...IPV6, ...IPV6_MESSAGES]
  return [chosen, ...IPV4, ...(version === 'ipv4' ? IPV4_MESSAGES : IPV6_MESSAGES)]
}

/** Addresses that packetdrill takes when no flag says others. */
export function defaultAddresses(flags: Flags): { local: string; remote: string; prefixLength: number } {
  const { localIp, remoteIp, netmaskIp, ipVersion } = flags
  const [remote] = (remoteIp ?? (ipVersion === 'ipv6' ? '2001:db8::1' : '192.0.2.1')).split('/')
  const local = localIp ?? (ipVersion === 'ipv6' ? 'fd3d:fa7b:d17d::1' : '192.168.0.1')
  const prefixLength = ipVersion === 'ipv6' ? 48 : maskLength(netmaskIp ?? '255.255.0.0')
  return { local, remote: remote!, prefixLength }
}

function maskLength(mask: string): number {
  return mask.split('.').reduce((bits, octet) => bits + Math.clz32(~(Number(octet) << 24)), 0)
}

/** Symbols that `#ifdef` finds. */
export function symbolsOf(profile: ProfileName): readonly string[] {
  return profile === 'freebsd' ? ['FreeBSD', '__FreeBSD__'] : ['Linux', 'linux', '__linux__']
}
