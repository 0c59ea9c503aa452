import type { Instant } from '../tcp/index.js'
import type { Errno } from './errno.js'
import type { OptionFailure, OptionValue } from './option-value.js'
import { IP_LEVEL, IPV6_LEVEL } from './options-ip.js'
import { SOCKET_LEVEL } from './options-socket.js'
import { tcpOption, tcpOptionsGone } from './options-tcp.js'
import type { Personality } from './personality.js'
import type { TcpSocket } from './socket.js'
import type { SocketOption } from './socket-option.js'

/** Levels by the prefix their options' names have. */
type Level = 'SO_' | 'TCP_' | 'IP_' | 'IPV6_'

/** The names of a level's options by number, per system; made when first asked for. */
const namesByNumber = new Map<string, ReadonlyMap<number, string>>()

/** Names with the prefix that are not options but values or other things; the option of the same number wins. */
const NOT_OPTIONS = /^(SO_EE_|IP_PMTUDISC_|IPV6_PMTUDISC_|TCP_CM_|TCP_MD5SIG_FLAG)/

function optionNames(level: Level, personality: Personality): ReadonlyMap<number, string> {
  const key = `${personality.system} ${level}`
  let names = namesByNumber.get(key)
  if (names === undefined) {
    const entries = Object.entries(personality.numbers)
      .filter(([name]) => name.startsWith(level) && !NOT_OPTIONS.test(name))
      .map(([name, number]) => [number, name] as const)
    names = new Map(entries.reverse())
    namesByNumber.set(key, names)
  }
  return names
}

function levelOf(level: number | string, personality: Personality): Level | null {
  const { numbers } = personality
  const number = typeof level === 'number' ? level : numbers[level]
  switch (number) {
    case numbers.SOL_SOCKET:
      return 'SO_'
    case numbers.IPPROTO_TCP:
      return 'TCP_'
    case numbers.IPPROTO_IP:
      return 'IP_'
    case numbers.IPPROTO_IPV6:
      return 'IPV6_'
    default:
      return null
  }
}

/** An option by level and name, each as a number of the system or by its name. */
function find(s: TcpSocket, level: number | string, option: number | string): SocketOption | Errno {
  const { personality } = s
  const { system } = personality
  const prefix = levelOf(level, personality)
  if (prefix === null) return 'ENOPROTOOPT'
  const name = typeof option === 'string' ? option : optionNames(prefix, personality).get(option)
  if (name === undefined) return 'ENOPROTOOPT'
  switch (prefix) {
    case 'SO_':
      return SOCKET_LEVEL[system][name] ?? 'ENOPROTOOPT'
    case 'TCP_':
      return tcpOptionsGone(s) ?? tcpOption(name, system) ?? 'ENOPROTOOPT'
    case 'IP_':
      return IP_LEVEL[system][name] ?? 'ENOPROTOOPT'
    case 'IPV6_':
      return s.ipv6 ? (IPV6_LEVEL[system][name] ?? 'ENOPROTOOPT') : 'ENOPROTOOPT'
  }
}

export function setOption(
  s: TcpSocket,
  level: number | string,
  option: number | string,
  value: OptionValue,
  now: Instant,
): Errno | null {
  const found = find(s, level, option)
  if (typeof found === 'string') return found
  return found.set === undefined ? 'ENOPROTOOPT' : found.set(s, value, now)
}

export function getOption(
  s: TcpSocket,
  level: number | string,
  option: number | string,
  now: Instant,
): OptionValue | OptionFailure {
  const found = find(s, level, option)
  if (typeof found === 'string') return { errno: found }
  return found.get === undefined ? { errno: 'ENOPROTOOPT' } : found.get(s, now)
}
