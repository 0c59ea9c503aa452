import type { AccurateEcnField, SackBlock, TcpOption } from './ast.js'
import { type Lexer, U8, U16, U32 } from './lexer.js'

/** All options of a segment have at most this many octets (RFC 9293 3.1: the data offset has four bits). */
const MAX_OPTION_OCTETS = 40

const EXPERIMENTAL = 254
/** The magic of the TCP ACK rate request option (draft-ietf-tcpm-ack-rate-request). */
const TARR_MAGIC = '00ac'

/** `<mss 1460,nop,wscale 7>`, or `<...>`; the bracket is next. */
export function parseTcpOptions(lexer: Lexer): readonly TcpOption[] | 'any' {
  const position = lexer.position
  lexer.expect('<')
  if (lexer.take('...')) {
    lexer.expect('>')
    return 'any'
  }
  const options: TcpOption[] = []
  do options.push(parseOption(lexer))
  while (lexer.take(','))
  lexer.expect('>', `',' and another option, or '>'`)
  const octets = options.reduce((sum, option) => sum + optionLength(option), 0)
  if (octets > MAX_OPTION_OCTETS) {
    throw lexer.source.error(position, `expected at most ${MAX_OPTION_OCTETS} octets of options, found ${octets}`)
  }
  return options
}

/** How many octets the option takes on the wire. */
export function optionLength(option: TcpOption): number {
  switch (option.kind) {
    case 'eol':
    case 'nop':
      return 1
    case 'sackOK':
      return 2
    case 'mss':
    case 'user-timeout':
      return 4
    case 'wscale':
      return 3
    case 'sack':
      return 2 + 8 * option.blocks.length
    case 'timestamp':
      return 10
    case 'fast-open':
      return (option.experimental ? 4 : 2) + option.cookie.length / 2
    case 'md5':
      return typeof option.digest === 'string' ? 18 : 2 + option.digest.hex.length / 2
    case 'accurate-ecn':
      return (option.experimental ? 4 : 2) + 3 * option.fields.length
    case 'generic':
      return 2 + option.data.length / 2
  }
}

function parseOption(lexer: Lexer): TcpOption {
  const start = lexer.position
  const before = lexer.offset
  const name = lexer.match(/[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)?/y)
  switch (name) {
    case 'eol':
    case 'nop':
    case 'sackOK':
      return { kind: name }
    case 'mss':
      return { kind: 'mss', value: lexer.decimal('a segment size', U16) }
    case 'wscale':
      return { kind: 'wscale', value: lexer.take('*') ? null : lexer.decimal('a shift count', U8) }
    case 'sack':
      return { kind: 'sack', blocks: parseSackBlocks(lexer) }
    case 'TS':
      return parseTimestamp(lexer)
    case 'FO':
    case 'FOEXP':
    case 'exp-FO':
      return { kind: 'fast-open', experimental: name !== 'FO', cookie: parseOptionalHex(lexer, 'a cookie') }
    case 'md5':
      return parseMd5(lexer)
    case 'uto':
      return { kind: 'user-timeout', value: lexer.decimal('a user timeout', U16) }
    case 'ECN':
    case 'AccECN':
    case 'AccECN0':
    case 'AccECN1':
    case 'exp-AccECN0':
    case 'exp-AccECN1':
      return parseAccurateEcn(lexer, name)
    case 'exp-tarr':
      return { kind: 'generic', optionKind: EXPERIMENTAL, data: TARR_MAGIC + parseTarrRate(lexer) }
  }
  const generic = /^(gen)-(\d{1,3})$|^(exp)-([0-9A-Fa-f]{4})$/.exec(name ?? '')
  if (generic?.[1] !== undefined && Number(generic[2]) <= U8) {
    return { kind: 'generic', optionKind: Number(generic[2]), data: parseOptionalHex(lexer, `the option's octets`) }
  }
  if (generic?.[3] !== undefined) {
    const data = generic[4]!.toLowerCase() + parseOptionalHex(lexer, `the option's octets`)
    return { kind: 'generic', optionKind: EXPERIMENTAL, data }
  }
  lexer.offset = before
  const found = name === null ? lexer.found() : `'${name}'`
  throw lexer.source.error(
    start,
    `expected a TCP option (mss, nop, eol, wscale, sackOK, sack, TS, FO, …), found ${found}`,
  )
}

function parseSackBlocks(lexer: Lexer): SackBlock[] {
  const blocks: SackBlock[] = []
  do {
    const left = lexer.decimal('the left edge of a SACK block', U32)
    lexer.expect(':')
    const right = lexer.decimal('the right edge of a SACK block', U32)
    blocks.push({ left, right, absolute: lexer.take('!') })
  } while (!lexer.at(',') && !lexer.at('>'))
  return blocks
}

function parseTimestamp(lexer: Lexer): TcpOption {
  lexer.expect('val')
  const val = lexer.take('...') ? null : lexer.decimal('a timestamp', U32)
  const valAbsolute = lexer.take('!')
  lexer.expect('ecr')
  const ecr = lexer.take('...') ? null : lexer.decimal('a timestamp', U32)
  return { kind: 'timestamp', val, ecr, valAbsolute, ecrAbsolute: lexer.take('!') }
}

function parseMd5(lexer: Lexer): TcpOption {
  if (lexer.take('invalid')) return { kind: 'md5', digest: 'invalid' }
  if (lexer.take('valid')) return { kind: 'md5', digest: 'valid' }
  const hex = parseOptionalHex(lexer, 'a digest, valid or invalid')
  return { kind: 'md5', digest: hex === '' ? 'valid' : { hex } }
}

/** Octets in hexadecimal, as lower case; `''` if the option ends here. */
function parseOptionalHex(lexer: Lexer, what: string): string {
  if (lexer.at(',') || lexer.at('>')) return ''
  const start = lexer.position
  const text = lexer.match(/[A-Za-z0-9_]+/y)
  if (text === null) throw lexer.unexpected(`${what} in hexadecimal`)
  const digits = text.replace(/^0[xX]/, '').toLowerCase()
  if (!/^(?:[0-9a-f]{2})+$/.test(digits)) {
    throw lexer.source.error(start, `expected ${what} as pairs of hexadecimal digits, found '${text}'`)
  }
  return digits
}

const COUNTERS: Readonly<Record<string, AccurateEcnField['name']>> = {
  e0b: 'e0b',
  ceb: 'ceb',
  e1b: 'e1b',
  ee0b: 'e0b',
  eceb: 'ceb',
  ee1b: 'e1b',
}

/** Order of the counters in the option (draft-ietf-tcpm-accurate-ecn 3.2.3): kind 172 starts with e0b, 174 with e1b. */
const COUNTER_ORDER = { 172: ['e0b', 'ceb', 'e1b'], 174: ['e1b', 'ceb', 'e0b'] } as const

function parseAccurateEcn(lexer: Lexer, name: string): TcpOption {
  const experimental = name.startsWith('exp-')
  const first = lexer.peekWord()?.toLowerCase() ?? ''
  const optionKind = name.endsWith('1') || (!name.endsWith('0') && COUNTERS[first] === 'e1b') ? 174 : 172
  const fields: AccurateEcnField[] = []
  while (!lexer.at(',') && !lexer.at('>')) {
    const due = COUNTER_ORDER[optionKind][fields.length]
    const word = lexer.peekWord()?.toLowerCase() ?? ''
    if (due === undefined || COUNTERS[word] !== due) throw lexer.unexpected(due ?? `',' or '>'`)
    lexer.word()
    fields.push({ name: due, value: lexer.decimal('a counter', 0xffffff) })
  }
  return { kind: 'accurate-ecn', optionKind, experimental, fields }
}

/** The rate is the upper 15 bits of what follows the magic; the lowest bit is reserved. */
function parseTarrRate(lexer: Lexer): string {
  if (lexer.at(',') || lexer.at('>')) return ''
  const rate = lexer.decimal('an ACK rate', U16 >> 1)
  return (rate << 1).toString(16).padStart(4, '0')
}
