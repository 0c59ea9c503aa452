import { OPT_MD5, OPT_TIMESTAMPS, type Option, optionText, read32 } from '../../wire/index.js'
import type { Micros, TcpOption } from '../language/ast.js'
import type { Conversation } from './conversation.js'
import { type LivePacket, type LiveSegment, md5Of } from './live-packet.js'
import { optionOf } from './option-bytes.js'

/** How options are compared. */
export interface OptionCheck {
  /** What a tick of TS val is worth; 0: TS val is not compared. */
  readonly timestampTick: Micros
  /** How far TS val may be off. */
  readonly tolerance: Micros
  /** The key of `md5 valid`. */
  readonly md5Key: Uint8Array | null
}

/** Compares options in order, each with its place: their order is part of what a script says. */
export function optionDifferences(
  expected: readonly TcpOption[],
  packet: LivePacket & { readonly content: LiveSegment },
  conversation: Conversation,
  syn: boolean,
  rules: OptionCheck,
): string[] {
  const sent = packet.content.options
  const found: string[] = []
  const count = Math.max(expected.length, sent.length)
  for (let i = 0; i < count; i++) {
    const want = expected[i]
    const have = sent[i]
    if (want === undefined) {
      found.push(`option ${i + 1}: expected no more, sent ${printed(have!, conversation, syn)}`)
      break
    }
    if (have === undefined) {
      found.push(`option ${i + 1}: expected ${wanted(want)}, sent no more`)
      break
    }
    if (!sameOption(want, have, packet, conversation, syn, rules)) {
      found.push(`option ${i + 1}: expected ${wanted(want)}, sent ${printed(have, conversation, syn)}`)
      // what follows another kind is only shifted
      if (optionOf(want).kind !== have.kind) break
    }
  }
  return found
}

function sameOption(
  want: TcpOption,
  have: Option,
  packet: LivePacket & { readonly content: LiveSegment },
  conversation: Conversation,
  syn: boolean,
  rules: OptionCheck,
): boolean {
  const asWritten = optionOf(want, { sackOffset: conversation.remoteOffset(syn), echo: (ecr) => ecr })
  if (asWritten.kind !== have.kind || asWritten.data.length !== have.data.length) return false
  switch (want.kind) {
    case 'timestamp':
      return sameTimestamp(want, have, conversation, rules)
    case 'wscale':
      return want.value === null || want.value === have.data[0]
    case 'md5': {
      if (typeof want.digest !== 'string') return sameOctets(asWritten.data, have.data)
      const right = rules.md5Key !== null && sameOctets(md5Of(packet, packet.content, rules.md5Key), have.data)
      return right === (want.digest === 'valid')
    }
    default:
      return sameOctets(asWritten.data, have.data)
  }
}

function sameTimestamp(
  want: Extract<TcpOption, { kind: 'timestamp' }>,
  have: Option,
  conversation: Conversation,
  rules: OptionCheck,
): boolean {
  const val = read32(have.data, 0) >>> 0
  const ecr = read32(have.data, 4) >>> 0
  if (want.ecr !== null && want.ecr >>> 0 !== ecr) return false
  if (want.val === null) return true
  if (want.valAbsolute) return want.val >>> 0 === val
  const clocks = conversation.firstTimestamp
  if (rules.timestampTick === 0 || clocks === null) return true
  const inScript = (val - clocks.live + clocks.script) | 0
  return Math.abs((inScript - want.val) | 0) * rules.timestampTick <= rules.tolerance
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i])
}

function wanted(option: TcpOption): string {
  if (option.kind === 'timestamp') return `TS val ${option.val ?? '...'} ecr ${option.ecr ?? '...'}`
  if (option.kind === 'wscale') return `wscale ${option.value ?? '*'}`
  if (option.kind === 'md5' && typeof option.digest === 'string') return `md5 ${option.digest}`
  return optionText(optionOf(option))
}

function printed(option: Option, conversation: Conversation, syn: boolean): string {
  const clocks = conversation.firstTimestamp
  const text = optionText(option, {
    ack: conversation.remoteOffset(syn),
    tsVal: option.kind === OPT_TIMESTAMPS && clocks !== null ? clocks.live - clocks.script : 0,
  })
  return option.kind === OPT_MD5 ? 'another md5' : text
}
