import type {
  Acknowledgment,
  Encapsulation,
  IcmpPacket,
  IpInfo,
  MplsLabel,
  PacketAction,
  QuotedPacket,
  Sequence,
  TcpFlags,
  TcpPacket,
  UdpPacket,
  UdpPorts,
} from './ast.js'
import { type Lexer, U8, U16, U32 } from './lexer.js'
import { parseTcpOptions } from './parser-options.js'

/** `< S 0:0(0) win 1000 <mss 1460>`, `> icmp unreachable [1:1(0)]`, … */
export function parsePacket(lexer: Lexer): PacketAction {
  const position = lexer.position
  const direction = lexer.take('<') ? 'inbound' : 'outbound'
  if (direction === 'outbound') lexer.expect('>', `a direction ('<' or '>')`)
  const encapsulation = parseEncapsulations(lexer)
  const head = { position, ip: parseIpInfo(lexer), encapsulation }
  if (lexer.take('udp')) return { kind: 'packet', position, direction, packet: parseUdp(lexer, head) }
  for (const family of ['icmpv6', 'icmp'] as const) {
    if (lexer.take(family)) return { kind: 'packet', position, direction, packet: parseIcmp(lexer, head, family) }
  }
  return { kind: 'packet', position, direction, packet: parseTcp(lexer, head) }
}

type Head = Pick<TcpPacket, 'position' | 'ip' | 'encapsulation'>

function parseTcp(lexer: Lexer, head: Head): TcpPacket {
  const flags = parseFlags(lexer)
  const seq = parseSequence(lexer)
  const ack = lexer.take('ack') ? parseAcknowledgment(lexer) : null
  const window = lexer.take('win') ? parseWindow(lexer) : null
  const urgent = lexer.take('urg') ? lexer.decimal('an urgent pointer', U16) : null
  const options = lexer.at('<') ? parseTcpOptions(lexer) : []
  return { kind: 'tcp', ...head, flags, seq, ack, window, urgent, options, udp: parseUdpEncapsulation(lexer) }
}

const FLAG_NAMES: Readonly<Record<string, Exclude<keyof TcpFlags, 'ace'>>> = {
  F: 'fin',
  S: 'syn',
  R: 'rst',
  P: 'psh',
  '.': 'ack',
  U: 'urg',
  E: 'ece',
  W: 'cwr',
  C: 'cwr',
  A: 'ae',
}

function parseFlags(lexer: Lexer): TcpFlags {
  const what = 'TCP flags (of S F R P . U E W A, an ACE digit, or -)'
  const start = lexer.position
  const before = lexer.offset
  const letters = lexer.match(/-(?![\w.])|[A-Za-z0-9_.]+/y)
  if (letters === null) throw lexer.unexpected(what)
  // packetdrill's lexer takes the letters and the point apart, so `F .` is `F.`.
  const point = /^[A-Z]+$/.test(letters) ? (lexer.match(/\.(?![.\w])/y) ?? '') : ''
  const text = letters + point
  const flags = {
    fin: false,
    syn: false,
    rst: false,
    psh: false,
    ack: false,
    urg: false,
    ece: false,
    cwr: false,
    ae: false,
  }
  let ace: number | null = null
  for (const letter of text === '-' ? '' : text) {
    const flag = FLAG_NAMES[letter]
    if (flag === undefined ? !/[0-7]/.test(letter) || ace !== null : flags[flag]) {
      lexer.offset = before
      throw lexer.source.error(start, `expected ${what}, found '${text}'`)
    }
    if (flag === undefined) ace = Number(letter)
    else flags[flag] = true
  }
  if (ace !== null && (flags.ece || flags.cwr || flags.ae)) {
    throw lexer.source.error(start, `expected either an ACE digit or the letters A W E, found '${text}'`)
  }
  if (lexer.at(':')) throw lexer.source.error(start, `expected ${what}, found '${text}'`)
  return { ...flags, ace }
}

function parseSequence(lexer: Lexer): Sequence {
  if (lexer.take('...')) {
    return { start: null, end: null, length: parseLength(lexer), absolute: false }
  }
  const start = lexer.decimal('a sequence number', U32)
  lexer.expect(':', `':' and the end of the sequence numbers`)
  const endPosition = lexer.position
  const end = lexer.decimal('a sequence number', U32)
  const length = parseLength(lexer)
  if ((start + length) % 2 ** 32 !== end) {
    const expected = (start + length) % 2 ** 32
    throw lexer.source.error(
      endPosition,
      `expected ${start}:${expected}(${length}), found '${start}:${end}(${length})'`,
    )
  }
  return { start, end, length, absolute: lexer.take('!') }
}

function parseLength(lexer: Lexer): number {
  lexer.expect('(', `'(' and a length`)
  const length = lexer.decimal('a length in octets', U32)
  lexer.expect(')')
  return length
}

function parseAcknowledgment(lexer: Lexer): Acknowledgment {
  if (lexer.take('...')) return { value: null, absolute: false }
  const value = lexer.decimal('an acknowledgment number', U32)
  return { value, absolute: lexer.take('!') }
}

function parseWindow(lexer: Lexer): number | 'any' {
  return lexer.take('...') ? 'any' : lexer.decimal('a window', U16)
}

/** `/udp(a > b)` behind a packet of NPLab's dialect. */
function parseUdpEncapsulation(lexer: Lexer): UdpPorts | null {
  if (!lexer.take('/')) return null
  lexer.expect('udp')
  lexer.expect('(')
  const ports = parsePorts(lexer)
  lexer.expect(')')
  return ports
}

function parsePorts(lexer: Lexer): UdpPorts {
  const source = lexer.decimal('a port', U16)
  lexer.expect('>')
  return { source, destination: lexer.decimal('a port', U16) }
}

/** `udp (100)`, `udp 1 > 2 (100)`. */
function parseUdp(lexer: Lexer, head: Head): UdpPacket {
  const ports = lexer.at('(') ? null : parsePorts(lexer)
  const length = parseLength(lexer)
  return { kind: 'udp', ...head, ports, length, udp: parseUdpEncapsulation(lexer) }
}

const ICMP_WORDS = new Set(['mtu', 'id'])

function parseIcmp(lexer: Lexer, head: Head, family: IcmpPacket['family']): IcmpPacket {
  const type = numbered(lexer.expectWord('an ICMP type'), 'type')
  const next = lexer.peekWord()
  const code = next === null || ICMP_WORDS.has(next) ? null : numbered(lexer.expectWord('an ICMP code'), 'code')
  let mtu: number | null = null
  let id: number | null = null
  for (;;) {
    if (mtu === null && lexer.take('mtu')) mtu = lexer.integer('an MTU', U32)
    else if (id === null && lexer.take('id')) id = lexer.integer('an identifier', U16)
    else break
  }
  const quoted = lexer.take('[') ? parseQuoted(lexer) : null
  return { kind: 'icmp', ...head, family, type, code, mtu, id, quoted, udp: parseUdpEncapsulation(lexer) }
}

/** tcpdump's notation for a type or code without a name: `type_3`, `code_13`. */
function numbered(word: string, prefix: 'type' | 'code'): string | number {
  const number = new RegExp(`^${prefix}_(\\d{1,3})$`).exec(word)?.[1]
  return number === undefined || Number(number) > U8 ? word : Number(number)
}

function parseQuoted(lexer: Lexer): QuotedPacket {
  for (const kind of ['udp', 'raw'] as const) {
    if (!lexer.take(kind)) continue
    const length = parseLength(lexer)
    lexer.expect(']')
    return { kind, length }
  }
  const seq = parseSequence(lexer)
  const udp = parseUdpEncapsulation(lexer)
  lexer.expect(']')
  return { kind: 'tcp', seq, udp }
}

const ECN_CODE_POINTS: Readonly<Record<string, NonNullable<IpInfo['ecn']>>> = {
  noecn: 0,
  ect1: 1,
  ect0: 2,
  ce: 3,
  ect01: 'ect01',
}

const IP_FIELDS = {
  tos: ['trafficClass', U8],
  class: ['trafficClass', U8],
  dscp: ['dscp', 63],
  ttl: ['hopLimit', U8],
  hlim: ['hopLimit', U8],
  flowlabel: ['flowLabel', 0xfffff],
} as const

/** `[ect0]`, `(hlim 64)`, `(tos 0x2, ttl 5)`: lists in either kind of bracket. */
function parseIpInfo(lexer: Lexer): IpInfo {
  const info: { -readonly [K in keyof IpInfo]: IpInfo[K] } = {
    ecn: null,
    trafficClass: null,
    dscp: null,
    hopLimit: null,
    flowLabel: null,
  }
  for (;;) {
    const closing = lexer.take('[') ? ']' : lexer.take('(') ? ')' : null
    if (closing === null) return info
    do {
      const what = 'noecn, ect0, ect1, ect01, ce, tos, class, dscp, ttl, hlim or flowlabel'
      const word = lexer.peekWord()
      if (word === null) throw lexer.unexpected(what)
      const ecn = Object.hasOwn(ECN_CODE_POINTS, word) ? ECN_CODE_POINTS[word] : undefined
      if (ecn !== undefined) {
        if (info.ecn !== null) throw lexer.error(`expected one ECN code point, found '${word}' as another`)
        info.ecn = ecn
        lexer.word()
      } else if (Object.hasOwn(IP_FIELDS, word)) {
        const [field, max] = IP_FIELDS[word as keyof typeof IP_FIELDS]
        if (info[field] !== null) throw lexer.error(`expected one value for this field, found '${word}' as another`)
        lexer.word()
        info[field] = lexer.integer(`a value for '${word}'`, max)
      } else {
        throw lexer.unexpected(what)
      }
    } while (lexer.take(','))
    lexer.expect(closing)
  }
}

function parseEncapsulations(lexer: Lexer): Encapsulation[] {
  const found: Encapsulation[] = []
  for (;;) {
    if (lexer.take('ipv4')) found.push(parseIpHeader(lexer, 'ipv4', /[0-9.]+/y))
    else if (lexer.take('ipv6')) found.push(parseIpHeader(lexer, 'ipv6', /[0-9A-Fa-f:.]*[0-9A-Fa-f](?:::)?|::/y))
    else if (lexer.take('gre') || lexer.take('GREv0')) found.push(parseGre(lexer))
    else if (lexer.take('mpls')) found.push(parseMpls(lexer))
    else return found
  }
}

function parseIpHeader(lexer: Lexer, kind: 'ipv4' | 'ipv6', address: RegExp): Encapsulation {
  const what = `an ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} address`
  const source = lexer.match(address)
  if (source === null) throw lexer.unexpected(what)
  lexer.expect('>')
  const destination = lexer.match(address)
  if (destination === null) throw lexer.unexpected(what)
  lexer.expect(':')
  return { kind, source, destination }
}

const GRE_FLAGS: Readonly<Record<string, number>> = { checksum: 0x8000, key: 0x2000, sequence: 0x1000 }

/** `gre:`, or `gre flags [checksum present, key present], sum 0, off 0, key=1, seq 2:`. */
function parseGre(lexer: Lexer): Encapsulation {
  const gre = { flags: null, checksum: null, offset: null, key: null, sequence: null } as Record<string, number | null>
  const fields = { sum: ['checksum', U16], off: ['offset', U16], key: ['key', U32], seq: ['sequence', U32] } as const
  while (!lexer.take(':')) {
    lexer.take(',')
    if (lexer.take('flags') || lexer.take('Flags')) {
      gre.flags = lexer.take('[') ? parseGreFlags(lexer) : lexer.integer('GRE flags', U16)
      continue
    }
    const name = (['sum', 'off', 'key', 'seq'] as const).find((word) => lexer.take(word))
    if (name === undefined) throw lexer.unexpected(`flags, sum, off, key, seq or ':'`)
    lexer.take('=')
    const [field, max] = fields[name]
    gre[field] = lexer.integer(`a value for '${name}'`, max)
  }
  const { flags = null, checksum = null, offset = null, key = null, sequence = null } = gre
  return { kind: 'gre', flags, checksum, offset, key, sequence }
}

function parseGreFlags(lexer: Lexer): number {
  let flags = 0
  do {
    if (lexer.take('none')) continue
    const name = Object.keys(GRE_FLAGS).find((word) => lexer.take(word))
    if (name === undefined) throw lexer.unexpected('none, checksum present, key present or sequence# present')
    lexer.take('#')
    lexer.expect('present')
    flags |= GRE_FLAGS[name]!
  } while (lexer.take(','))
  lexer.expect(']')
  return flags
}

/** `mpls (label 0, tc 0, ttl 0) (label 1, tc 0, [S], ttl 0):` */
function parseMpls(lexer: Lexer): Encapsulation {
  const labels: MplsLabel[] = []
  while (!lexer.take(':')) {
    lexer.expect('(', `'(' and a label, or ':'`)
    lexer.expect('label')
    const label = lexer.integer('a label', 0xfffff)
    lexer.expect(',')
    lexer.expect('tc')
    const trafficClass = lexer.integer('a traffic class', 7)
    lexer.expect(',')
    const bottom = lexer.take('[')
    if (bottom) {
      lexer.expect('S')
      lexer.expect(']')
      lexer.expect(',')
    }
    lexer.expect('ttl')
    const ttl = lexer.integer('a TTL', U8)
    lexer.expect(')')
    labels.push({ label, trafficClass, bottom, ttl })
  }
  return { kind: 'mpls', labels }
}
