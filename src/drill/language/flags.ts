import type { Micros, Script } from './ast.js'
import { ScriptError } from './source.js'

/** `ipv4-mapped-ipv6`: IPv6 sockets with IPv4 addresses, IPv4 on the wire. */
export type IpVersion = 'ipv4' | 'ipv6' | 'ipv4-mapped-ipv6'

/** What packetdrill's own `--flags` say, on the command line or at the head of a script. `null`: not said. */
export interface Flags {
  /** FreeBSD scripts always say it, Google's leave it to the variant that is run. */
  readonly ipVersion: IpVersion | null
  /** The port that `bind(fd, ..., ...)` takes. */
  readonly bindPort: number
  /** The port that `connect(fd, ..., ...)` goes to. */
  readonly connectPort: number
  readonly localIp: string | null
  /** Maybe with a prefix length, `192.0.2.1/24`. */
  readonly remoteIp: string | null
  readonly gatewayIp: string | null
  readonly netmaskIp: string | null
  readonly localLinkLocalIp: string | null
  readonly gatewayLinkLocalIp: string | null
  /** Octets; of the drilled host's interface. */
  readonly mtu: number
  /** Octets: segment size at which the interface cuts received super-segments; `null`: none. */
  readonly mss: number | null
  /** Mbit/s of the interface. */
  readonly speed: number | null
  /** How far an event may be from its time. */
  readonly toleranceUsecs: Micros
  /** … or this many percent of the time since the event before, if that is more. */
  readonly tolerancePercent: number
  /** What one tick of TS val is worth; 0: TS val of expected segments is not checked. */
  readonly tcpTsTickUsecs: Micros
  /** An `ecr` that echoes no value that was sent is interpolated, not an error. */
  readonly tcpTsEcrScaled: boolean
  /** An expected packet must be one packet; fragments of it are not gathered. */
  readonly strictSegments: boolean
  /** What goes wrong is reported and the script goes on. */
  readonly nonFatal: { readonly packet: boolean; readonly syscall: boolean }
  readonly initScripts: readonly string[]
  readonly udpEncapsulation: 'tcp' | 'sctp' | null
  readonly udpSourcePort: number | null
  readonly udpDestinationPort: number | null
  /** The key of `md5 valid` and `md5 invalid`. */
  readonly tcpMd5Secret: string | null
  /** The socket option that `%{ }%` shows, `TCP_INFO` if empty. */
  readonly codeSockopt: string
  readonly dryRun: boolean
  readonly verbose: boolean
  /** `-D NAME=VALUE`. */
  readonly definitions: ReadonlyMap<string, string>
  /**
   * Flags that are understood and mean nothing in virtual time: those of the wire client and server, of shared objects,
   * of the tun device and of the Python that is not called.
   */
  readonly ignored: ReadonlyMap<string, string | null>
}

/** packetdrill's defaults. */
export const DEFAULT_FLAGS: Flags = {
  ipVersion: null,
  bindPort: 8080,
  connectPort: 8080,
  localIp: null,
  remoteIp: null,
  gatewayIp: null,
  netmaskIp: null,
  localLinkLocalIp: null,
  gatewayLinkLocalIp: null,
  mtu: 1500,
  mss: null,
  speed: null,
  toleranceUsecs: 4000,
  tolerancePercent: 12.5,
  tcpTsTickUsecs: 0,
  tcpTsEcrScaled: false,
  strictSegments: false,
  nonFatal: { packet: false, syscall: false },
  initScripts: [],
  udpEncapsulation: null,
  udpSourcePort: null,
  udpDestinationPort: null,
  tcpMd5Secret: null,
  codeSockopt: '',
  dryRun: false,
  verbose: false,
  definitions: new Map(),
  ignored: new Map(),
}

/** A flag as written: `--name=value`, `null` for a bare `--name`. */
export interface FlagSetting {
  readonly name: string
  readonly value: string | null
}

type Reading = Partial<Flags> | { readonly expected: string }
type Reader = (value: string, flags: Flags) => Reading

interface FlagKind {
  readonly takesValue: boolean
  readonly read: Reader
}

const withValue = (read: Reader): FlagKind => ({ takesValue: true, read })
const text = (field: TextField): FlagKind =>
  withValue((value) => (value === '' ? { expected: 'a value' } : set(field, value)))
const bare = (change: Partial<Flags>): FlagKind => ({ takesValue: false, read: () => change })
const ignore = (name: string, takesValue: boolean): FlagKind => ({
  takesValue,
  read: (value, flags) => ({ ignored: new Map(flags.ignored).set(name, takesValue ? value : null) }),
})

function set<K extends keyof Flags>(field: K, value: Flags[K]): Partial<Flags> {
  const change: { -readonly [P in keyof Flags]?: Flags[P] } = {}
  change[field] = value
  return change
}

type TextField =
  | 'localIp'
  | 'remoteIp'
  | 'gatewayIp'
  | 'netmaskIp'
  | 'localLinkLocalIp'
  | 'gatewayLinkLocalIp'
  | 'tcpMd5Secret'
type NumberField = {
  [K in keyof Flags]: number extends Flags[K] ? K : never
}[keyof Flags]

function number(field: NumberField, min: number, max: number): FlagKind {
  return withValue((value) => {
    const read = /^\d+$/.test(value) ? Number(value) : Number.NaN
    return read >= min && read <= max ? set(field, read) : { expected: `a number from ${min} to ${max}` }
  })
}

const KINDS: Readonly<Record<string, FlagKind>> = {
  ip_version: withValue((value) => {
    const version = (['ipv4', 'ipv6', 'ipv4-mapped-ipv6'] as const).find((known) => known === value)
    return version === undefined ? { expected: 'ipv4, ipv6 or ipv4-mapped-ipv6' } : { ipVersion: version }
  }),
  bind_port: number('bindPort', 1, 0xffff),
  connect_port: number('connectPort', 1, 0xffff),
  local_ip: text('localIp'),
  remote_ip: text('remoteIp'),
  gateway_ip: text('gatewayIp'),
  netmask_ip: text('netmaskIp'),
  local_linklocal_ip: text('localLinkLocalIp'),
  gateway_linklocal_ip: text('gatewayLinkLocalIp'),
  mtu: number('mtu', 0, 0xffffffff),
  mss: number('mss', 1, 0xffffffff),
  speed: number('speed', 0, 0xffffffff),
  tolerance_usecs: number('toleranceUsecs', 1, Number.MAX_SAFE_INTEGER),
  tolerance_percent: withValue((value) => {
    const percent = /^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN
    return percent >= 0 ? { tolerancePercent: percent } : { expected: 'a number of percent' }
  }),
  tcp_ts_tick_usecs: number('tcpTsTickUsecs', 0, 1_000_000),
  tcp_ts_ecr_scaled: bare({ tcpTsEcrScaled: true }),
  strict_segments: bare({ strictSegments: true }),
  non_fatal: withValue((value, flags) => {
    const kinds = value.split(/[, ]+/).filter((kind) => kind !== '')
    if (kinds.length === 0 || kinds.some((kind) => kind !== 'packet' && kind !== 'syscall')) {
      return { expected: 'packet, syscall or both' }
    }
    const { packet, syscall } = flags.nonFatal
    return { nonFatal: { packet: packet || kinds.includes('packet'), syscall: syscall || kinds.includes('syscall') } }
  }),
  init_scripts: withValue((value) => ({ initScripts: value.split(',').filter((script) => script !== '') })),
  udp_encapsulation: withValue((value) =>
    value === 'tcp' || value === 'sctp' ? { udpEncapsulation: value } : { expected: 'tcp or sctp' },
  ),
  udp_src_port: number('udpSourcePort', 1, 0xffff),
  udp_dst_port: number('udpDestinationPort', 1, 0xffff),
  tcp_md5_secret: text('tcpMd5Secret'),
  code_sockopt: withValue((value) => ({ codeSockopt: value })),
  dry_run: bare({ dryRun: true }),
  verbose: bare({ verbose: true }),
  define: withValue((value, flags) => {
    const [, name, meaning] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(value) ?? []
    if (name === undefined || meaning === undefined) return { expected: 'NAME=VALUE' }
    return { definitions: new Map(flags.definitions).set(name, meaning) }
  }),
  ...Object.fromEntries(
    ['code_command', 'code_format', 'wire_server_ip', 'wire_server_at', 'wire_server_port', 'wire_client_dev']
      .concat(['wire_server_dev', 'so_filename', 'so_flags', 'tun_dev', 'timeout'])
      .map((name) => [name, ignore(name, true)]),
  ),
  ...Object.fromEntries(
    ['wire_client', 'wire_server', 'is_anyip', 'send_omit_free', 'debug', 'persistent_tun_dev', 'no_cleanup'].map(
      (name) => [name, ignore(name, false)],
    ),
  ),
}
const ALIASES: Readonly<Record<string, string>> = { udp_encaps: 'udp_encapsulation' }

/** Is `name` one of packetdrill's flags (without the dashes)? */
export function isFlag(name: string): boolean {
  return kindOf(name) !== undefined
}

/** Does the flag need a value? `false` for those that are not packetdrill's. */
export function flagTakesValue(name: string): boolean {
  return kindOf(name)?.takesValue ?? false
}

function kindOf(name: string): FlagKind | undefined {
  const canonical = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name
  return Object.hasOwn(KINDS, canonical) ? KINDS[canonical] : undefined
}

function read(name: string, value: string | null, flags: Flags): Reading {
  const kind = kindOf(name)
  if (kind === undefined) return { expected: `one of packetdrill's flags, found '--${name}'` }
  if (kind.takesValue && value === null) return { expected: `'--${name}=' and a value, found no value` }
  if (!kind.takesValue && value !== null) return { expected: `'--${name}' without a value, found '${value}'` }
  const reading = kind.read(value ?? '', flags)
  return 'expected' in reading ? { expected: `${reading.expected} for '--${name}', found '${value}'` } : reading
}

/** Why the flag cannot be (`expected …, found …`), or `null`. */
export function objection(name: string, value: string | null): string | null {
  const reading = read(name, value, DEFAULT_FLAGS)
  return 'expected' in reading ? `expected ${reading.expected}` : null
}

/** A flag of a command line that is wrong. */
export class FlagError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'FlagError'
  }
}

/** `flags` with further settings on top, in order. */
export function applyFlags(flags: Flags, settings: Iterable<FlagSetting>): Flags {
  let result = flags
  for (const { name, value } of settings) {
    const reading = read(name, value, result)
    if ('expected' in reading) throw new FlagError(`expected ${reading.expected}`)
    result = { ...result, ...reading }
  }
  return result
}

/**
 * The flags of one run: `base`, then those of the script, then those of the command line, which therefore win, as in
 * packetdrill.
 */
export function flagsOf(script: Script, commandLine: readonly FlagSetting[] = [], base: Flags = DEFAULT_FLAGS): Flags {
  let flags = base
  for (const option of script.options) {
    const reading = read(option.name, option.value, flags)
    if ('expected' in reading) throw new ScriptError(script.file, option.position, `expected ${reading.expected}`)
    flags = { ...flags, ...reading }
  }
  return applyFlags(flags, commandLine)
}

/**
 * Takes packetdrill's flags out of a command line: `--name=value`, `--name value`, `-D NAME=VALUE`, `-v`. What is not
 * packetdrill's stays in `rest`, in order.
 */
export function splitCommandLine(words: readonly string[]): { settings: FlagSetting[]; rest: string[] } {
  const settings: FlagSetting[] = []
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') {
      rest.push(...words.slice(at))
      break
    }
    if (word === '-D') settings.push({ name: 'define', value: words[++at] ?? null })
    else if (word.startsWith('-D')) settings.push({ name: 'define', value: word.slice(2) })
    else if (word === '-v') settings.push({ name: 'verbose', value: null })
    else {
      const [, name = '', equals, value = ''] = /^--([\w-]+)(=?)([\s\S]*)$/.exec(word) ?? []
      if (!isFlag(name)) rest.push(word)
      else if (equals === '=') settings.push({ name, value })
      else settings.push({ name, value: flagTakesValue(name) ? (words[++at] ?? null) : null })
    }
  }
  return { settings, rest }
}
