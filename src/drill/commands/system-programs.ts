import type { SystemFamily } from '../calls/symbols.js'
import { type CounterSource, nstat } from './kernel-counters.js'
import { done, failed, type Outcome, type Program } from './shell.js'
import {
  netstat,
  procNetTcp,
  readOptions,
  type SocketRow,
  type SocketSource,
  sockstat,
  ss,
  tcpdrop,
} from './socket-listing.js'
import { TEXT_PROGRAMS } from './text-programs.js'

/** What programs of the drilled host can see and change. */
export interface System {
  readonly family: SystemFamily
  readonly sockets: SocketSource
  readonly counters: CounterSource
  /** null: there is no such setting. */
  getSysctl(name: string): string | null
  /** Why it cannot be set; null: it is set. */
  setSysctl(name: string, value: string): string | null
  /** Ends connections without a segment sent. */
  drop(which: (row: SocketRow) => boolean): void
  /** Forgets what was learnt of paths. */
  flushMetrics(): void
  /** `ip route change`: metrics of the route that scripts use. Why it cannot be; null: done. */
  changeRoute(metrics: ReadonlyMap<string, string>): string | null
  setMtu(device: string, octets: number): boolean
  /** Lets virtual time pass, ms. */
  sleep(milliseconds: number): void
  /** FreeBSD's setkey: an MD5 key for segments between two addresses; null: all are forgotten. */
  setMd5Key(key: { readonly source: string; readonly destination: string; readonly secret: string } | null): void
}

/** Every program of the drilled host by name. */
export function programs(system: System): Map<string, Program> {
  const table = new Map<string, Program>(TEXT_PROGRAMS)
  table.set('sysctl', (words) => sysctl(words, system))
  table.set('set_sysctls.py', (words, _input, shell) => {
    const restore = ['#!/bin/bash']
    for (const word of words) {
      const equals = word.indexOf('=')
      const [path, value] = [word.slice(0, equals), word.slice(equals + 1)]
      const before = shell.files.read(path)
      if (before === null) return failed(`${path}: No such file or directory\n`)
      restore.push(`echo "${before.trim()}" > ${path}`)
      if (!shell.files.write(path, `${value}\n`)) return failed(`${path}: ${value}: Invalid argument\n`)
    }
    shell.files.write(`/tmp/sysctl_restore_${shell.variables.get('PPID') ?? ''}.sh`, `${restore.join('\n')}\n`)
    return done()
  })
  table.set('nstat', nstat(system.counters))
  table.set('sockstat', sockstat(system.sockets))
  table.set('netstat', netstat(system.sockets, system.family))
  table.set('ss', ss(system.sockets))
  table.set(
    'tcpdrop',
    tcpdrop((which) => system.drop(which)),
  )
  table.set('sleep', (words) => sleep(words, system))
  table.set('ip', (words) => ip(words, system))
  table.set('ifconfig', (words) => ifconfig(words, system))
  table.set('tc', (words) => tc(words, system))
  table.set('ethtool', (words) =>
    words[0] === '-K' || words[0] === '-k' ? done() : failed(`ethtool: unknown option\n`),
  )
  table.set('setkey', (words, input) => setkey(words, input, system))
  for (const name of ['kldstat', 'kldload', 'kldunload', 'modprobe', 'sync', 'iptables', 'ip6tables', 'pfctl']) {
    table.set(name, () => done())
  }
  table.set('uname', () => done('Estab\n'))
  table.set('id', () => done('0\n'))
  return table
}

/** What files of the kernel hold; null: there is no such file. */
export function kernelFile(path: string, system: System): string | null {
  if (path === '/proc/net/tcp') return procNetTcp(system.sockets, 4)
  if (path === '/proc/net/tcp6') return procNetTcp(system.sockets, 6)
  const name = sysctlOfPath(path)
  const value = name === null ? null : system.getSysctl(name)
  return value === null ? null : `${value}\n`
}

/** The setting behind a file of /proc/sys; null: it is none. */
export const sysctlOfPath = (path: string): string | null =>
  path.startsWith('/proc/sys/') ? path.slice('/proc/sys/'.length).replaceAll('/', '.') : null

/** Linux's and FreeBSD's: `sysctl -q -w name=value … name …`. */
function sysctl(words: readonly string[], system: System): Outcome {
  let output = ''
  const flags = new Set(words.filter((word) => word.startsWith('-')).flatMap((word) => [...word.slice(1)]))
  for (const word of words.filter((other) => !other.startsWith('-'))) {
    const equals = word.indexOf('=')
    const name = (equals < 0 ? word : word.slice(0, equals)).trim().replaceAll('/', '.')
    const before = system.getSysctl(name)
    if (before === null) {
      if (flags.has('e') || flags.has('i')) continue
      return failed(`sysctl: unknown setting '${name}'\n`)
    }
    if (equals < 0) {
      output += flags.has('n') ? `${before}\n` : `${name} = ${before}\n`
      continue
    }
    const value = word.slice(equals + 1).trim()
    const problem = system.setSysctl(name, value)
    if (problem !== null) return failed(`sysctl: ${problem}\n`)
    if (!flags.has('q')) output += `${name} = ${value}\n`
  }
  return done(output)
}

function sleep(words: readonly string[], system: System): Outcome {
  const [, digits, unit = 's'] = /^(\d*\.?\d+)([smh]?)$/.exec(words[0] ?? '') ?? []
  if (digits === undefined) return failed(`sleep: expected seconds, found '${words.join(' ')}'\n`)
  system.sleep(Number(digits) * ({ s: 1000, m: 60_000, h: 3_600_000 }[unit || 's'] ?? 1000))
  return done()
}

function ip(words: readonly string[], system: System): Outcome {
  const rest = words.filter((word) => !word.startsWith('-'))
  const [object = '', verb = '', ...more] = rest
  const is = (name: string, short: number) => object.length >= short && name.startsWith(object)
  if (object === 'tcp_metrics' || object === 'tcpmetrics') {
    if (verb === 'flush' || verb.startsWith('del')) system.flushMetrics()
    return done()
  }
  if (is('link', 1)) {
    const at = more.indexOf('mtu')
    if (verb !== 'set' || at < 0) return done()
    const device = more[0] === 'dev' ? more[1]! : more[0]!
    const octets = Number(more[at + 1])
    return system.setMtu(device, octets) ? done() : failed(`Cannot find device "${device}"\n`)
  }
  if (is('route', 1)) {
    if (!['change', 'replace', 'add', 'append', 'set'].includes(verb)) return done()
    const problem = system.changeRoute(routeMetrics(more))
    return problem === null ? done() : failed(`ip: ${problem}\n`, 2)
  }
  if (is('addr', 1) || is('address', 1) || is('rule', 2) || is('netns', 2) || is('neigh', 1)) return done()
  return failed(`ip: the simulated host has no '${words.join(' ')}'\n`)
}

const ROUTE_METRICS = new Set([
  'mtu',
  'advmss',
  'initcwnd',
  'initrwnd',
  'rto_min',
  'rtt',
  'rttvar',
  'ssthresh',
  'cwnd',
  'reordering',
  'hoplimit',
  'quickack',
  'features',
  'congctl',
  'fastopen_no_cookie',
  'window',
  'tcp_usec_ts',
])

/** `mtu lock 1400 initcwnd 20 features ecn` as names and values. */
function routeMetrics(words: readonly string[]): Map<string, string> {
  const metrics = new Map<string, string>()
  for (let i = 0; i < words.length; i++) {
    const name = words[i]!
    if (!ROUTE_METRICS.has(name)) continue
    if (words[i + 1] === 'lock') i++
    metrics.set(name, words[++i] ?? '')
  }
  return metrics
}

function ifconfig(words: readonly string[], system: System): Outcome {
  const at = words.indexOf('mtu')
  if (at < 0) return done()
  return system.setMtu(words[0]!, Number(words[at + 1]))
    ? done()
    : failed(`ifconfig: interface ${words[0]} does not exist\n`)
}

/** The link of a script has no rate; of what a queueing discipline does only the pacing of fq remains, which is TCP's. */
function tc(words: readonly string[], system: System): Outcome {
  if (words[0] !== 'qdisc') return failed(`tc: the simulated link has no '${words[0] ?? ''}'\n`)
  const [, verb = '', ...rest] = words
  if (verb === 'del' || verb === 'delete' || verb === 'show') return done()
  const at = rest.indexOf('root')
  const kind = rest[at + 1] ?? ''
  if (system.setSysctl('net.core.default_qdisc', kind) === null) return done()
  return failed(`tc: the simulated link has no queueing discipline '${kind}'\n`)
}

/** `setkey -F`, and `add SOURCE DESTINATION tcp SPI -A tcp-md5 "KEY" ;` read from `setkey -c`. */
function setkey(words: readonly string[], input: string, system: System): Outcome {
  const options = readOptions(words, 'f')
  if (options.has('F') || options.has('P')) system.setMd5Key(null)
  if (!options.has('c')) return done()
  for (const statement of input.split(';')) {
    const text = statement.trim()
    if (text === '') continue
    if (/^flush/.test(text)) {
      system.setMd5Key(null)
      continue
    }
    const match = /^add\s+(\S+)\s+(\S+)\s+tcp\s+\S+\s+-A\s+tcp-md5\s+("([^"]*)"|0x([0-9a-fA-F]+)|(\S+))$/.exec(text)
    if (match === null) return failed(`setkey: the simulated host understands only TCP MD5 keys, found '${text}'\n`)
    const [, source = '', destination = '', , quoted, , plain] = match
    system.setMd5Key({ source, destination, secret: quoted ?? plain ?? '' })
  }
  return done()
}
