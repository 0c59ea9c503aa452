import type { StateName } from '../../tcp/index.js'
import type { IpAddress } from '../../wire/index.js'
import type { SystemFamily } from '../calls/symbols.js'
import { done, failed, type Outcome, type Program } from './shell.js'

/** A socket of the drilled host, as `ss`, `netstat` and `sockstat` show it. */
export interface SocketRow {
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
  readonly state: StateName
  /** A descriptor of the script's program stands for it. */
  readonly held: boolean
  /** Octets that the program has not read, and that the peer has not acknowledged. */
  readonly receiveQueue: number
  readonly sendQueue: number
}

export type SocketSource = () => readonly SocketRow[]

/** The states by the names that FreeBSD's netstat and sockstat print. */
const BSD_STATES: Readonly<Record<StateName, string>> = {
  CLOSED: 'CLOSED',
  LISTEN: 'LISTEN',
  'SYN-SENT': 'SYN_SENT',
  'SYN-RECEIVED': 'SYN_RCVD',
  ESTABLISHED: 'ESTABLISHED',
  'FIN-WAIT-1': 'FIN_WAIT_1',
  'FIN-WAIT-2': 'FIN_WAIT_2',
  'CLOSE-WAIT': 'CLOSE_WAIT',
  CLOSING: 'CLOSING',
  'LAST-ACK': 'LAST_ACK',
  'TIME-WAIT': 'TIME_WAIT',
}

/** … by those of Linux's ss, and the numbers of /proc/net/tcp. */
const LINUX_STATES: Readonly<Record<StateName, readonly [string, number]>> = {
  CLOSED: ['UNCONN', 7],
  LISTEN: ['LISTEN', 10],
  'SYN-SENT': ['SYN-SENT', 2],
  'SYN-RECEIVED': ['SYN-RECV', 3],
  ESTABLISHED: ['ESTAB', 1],
  'FIN-WAIT-1': ['FIN-WAIT-1', 4],
  'FIN-WAIT-2': ['FIN-WAIT-2', 5],
  'CLOSE-WAIT': ['CLOSE-WAIT', 8],
  CLOSING: ['CLOSING', 11],
  'LAST-ACK': ['LAST-ACK', 9],
  'TIME-WAIT': ['TIME-WAIT', 6],
}

const family = ({ local, remote }: SocketRow): 4 | 6 => (local.isIPv4 && (remote.isIPv4 || remote.w3 === 0) ? 4 : 6)

const endpoint = (address: IpAddress, port: number): string =>
  `${address.w3 === 0 && (address.isIPv4 || address.w0 === 0) ? '*' : address}:${port === 0 ? '*' : port}`

/** FreeBSD's sockstat: `-4 -6 -P tcp -p PORT -s -c -l`. */
export function sockstat(sockets: SocketSource): Program {
  return (words): Outcome => {
    const options = readOptions(words, 'Ppj')
    const ports = options.get('p')?.split(',').map(Number)
    const versions = [options.has('4') && 4, options.has('6') && 6].filter((version) => version !== false)
    const rows = sockets().filter((row) => {
      if (versions.length > 0 && !versions.includes(family(row))) return false
      if (ports !== undefined && !ports.includes(row.localPort) && !ports.includes(row.remotePort)) return false
      if (options.has('l') && !options.has('c')) return row.state === 'LISTEN'
      return !options.has('c') || options.has('l') || row.state !== 'LISTEN'
    })
    const lines = rows.map((row, i) => {
      const owner = row.held ? `root     packetdril 4242 ${i + 3}` : '?        ?          ?    ?'
      const state = options.has('s') ? `  ${BSD_STATES[row.state]}` : ''
      return `${owner}  tcp${family(row)}   ${endpoint(row.local, row.localPort)}  ${endpoint(row.remote, row.remotePort)}${state}`
    })
    return done(
      `USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS  FOREIGN ADDRESS  STATE\n${lines.map((line) => `${line}\n`).join('')}`,
    )
  }
}

/** … and by those of Linux's netstat, where they are not FreeBSD's. */
const LINUX_NETSTAT: Partial<Readonly<Record<StateName, string>>> = {
  CLOSED: 'CLOSE',
  'SYN-RECEIVED': 'SYN_RECV',
  'FIN-WAIT-1': 'FIN_WAIT1',
  'FIN-WAIT-2': 'FIN_WAIT2',
}

/** `netstat -an`, whatever else it is asked. */
export function netstat(sockets: SocketSource, system: SystemFamily): Program {
  const stateText = (state: StateName) => (system === 'linux' ? LINUX_NETSTAT[state] : undefined) ?? BSD_STATES[state]
  return (words): Outcome => {
    const all = words.some((word) => /^-\w*a/.test(word))
    const lines = sockets()
      .filter(({ state }) => all || state !== 'LISTEN')
      .map((row) => {
        const ends = `${endpoint(row.local, row.localPort)}  ${endpoint(row.remote, row.remotePort)}`
        return `tcp${family(row)}  ${row.receiveQueue}  ${row.sendQueue}  ${ends}  ${stateText(row.state)}\n`
      })
    return done(`Proto Recv-Q Send-Q Local Address  Foreign Address  State\n${lines.join('')}`)
  }
}

/** Linux's ss: `-t -a -n -l -o -i -H`, `state NAME`, `sport = :N`, `dport = :N`. */
export function ss(sockets: SocketSource): Program {
  return (words): Outcome => {
    const flags = new Set(words.filter((word) => word.startsWith('-')).flatMap((word) => [...word.slice(1)]))
    const text = words.filter((word) => !word.startsWith('-')).join(' ')
    const states = [...text.matchAll(/\bstate\s+(\S+)/g)].map((match) => match[1]!.toLowerCase())
    const port = (name: string) => Number(new RegExp(`\\b${name}\\s*=?\\s*:(\\d+)`).exec(text)?.[1] ?? Number.NaN)
    const sport = port('sport')
    const dport = port('dport')
    const rows = sockets().filter((row) => {
      if (states.length > 0 && !states.includes(ssFilterName(row.state))) return false
      if (states.length === 0 && !flags.has('a') && flags.has('l') !== (row.state === 'LISTEN')) return false
      if (!Number.isNaN(sport) && row.localPort !== sport) return false
      return Number.isNaN(dport) || row.remotePort === dport
    })
    const lines = rows.map((row) => {
      const ends = `${endpoint(row.local, row.localPort)} ${endpoint(row.remote, row.remotePort)}`
      return `${LINUX_STATES[row.state][0]} ${row.receiveQueue} ${row.sendQueue} ${ends}\n`
    })
    return done(
      `${flags.has('H') ? '' : 'State Recv-Q Send-Q Local Address:Port Peer Address:Port\n'}${lines.join('')}`,
    )
  }
}

const ssFilterName = (state: StateName): string =>
  (
    ({ ESTABLISHED: 'established', LISTEN: 'listening', 'SYN-RECEIVED': 'syn-recv', CLOSED: 'closed' }) as Partial<
      Record<StateName, string>
    >
  )[state] ?? state.toLowerCase()

/** /proc/net/tcp or tcp6. */
export function procNetTcp(sockets: SocketSource, version: 4 | 6): string {
  const rows = sockets().filter((row) => family(row) === version)
  const lines = rows.map((row, i) => {
    const ends = `${hexEndpoint(row.local, row.localPort, version)} ${hexEndpoint(row.remote, row.remotePort, version)}`
    const queues = `${hex(row.sendQueue, 8)}:${hex(row.receiveQueue, 8)}`
    return `${String(i).padStart(4)}: ${ends} ${hex(LINUX_STATES[row.state][1], 2)} ${queues} 00:00000000 00000000     0        0 ${1000 + i} 1\n`
  })
  return `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${lines.join('')}`
}

const hex = (number: number, digits: number): string => (number >>> 0).toString(16).toUpperCase().padStart(digits, '0')

/** The kernel prints words in the order of a little-endian machine. */
function hexEndpoint(address: IpAddress, port: number, version: 4 | 6): string {
  const words = version === 4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3]
  const swapped = words.map((word) => hex(swap(version === 4 && address.w0 === 0 && !address.isIPv4 ? 0 : word), 8))
  return `${swapped.join('')}:${hex(port, 4)}`
}

const swap = (word: number): number =>
  ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)

/** `tcpdrop -s STATE`, `tcpdrop -a`, or the two ends of a connection. */
export function tcpdrop(drop: (which: (row: SocketRow) => boolean) => void): Program {
  return (words): Outcome => {
    const options = readOptions(words, 's')
    const state = options.get('s')
    if (state !== undefined) {
      if (!Object.values(BSD_STATES).includes(state)) return failed(`tcpdrop: unknown state ${state}\n`)
      drop((row) => BSD_STATES[row.state] === state)
      return done()
    }
    if (options.has('a')) {
      drop(({ state }) => state !== 'LISTEN')
      return done()
    }
    const [local, localPort, remote, remotePort] = words.filter((word) => !word.startsWith('-'))
    if (remotePort === undefined)
      return failed('usage: tcpdrop -s state | local-address local-port foreign-address foreign-port\n')
    drop(
      (row) =>
        `${row.local}` === local &&
        row.localPort === Number(localPort) &&
        `${row.remote}` === remote &&
        row.remotePort === Number(remotePort),
    )
    return done()
  }
}

/** Options of one letter; those in `withValue` take the rest of their word or the next one. */
export function readOptions(words: readonly string[], withValue: string): Map<string, string> {
  const options = new Map<string, string>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!word.startsWith('-')) continue
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at)
      if (!withValue.includes(letter)) options.set(letter, '')
      else {
        options.set(letter, at + 1 < word.length ? word.slice(at + 1) : (words[++i] ?? ''))
        break
      }
    }
  }
  return options
}
