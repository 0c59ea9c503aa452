import {
  FAST_OPEN_MAGIC,
  OPT_ACCECN0,
  OPT_EOL,
  OPT_EXPERIMENT,
  OPT_FAST_OPEN,
  OPT_MD5,
  OPT_MSS,
  OPT_NOP,
  OPT_SACK,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMPS,
  OPT_USER_TIMEOUT,
  OPT_WINDOW_SCALE,
  type Option,
  write16,
  write24,
  write32,
} from '../../wire/index.js'
import type { SackBlock, TcpOption } from '../language/ast.js'

/** What the numbers of a script's options become on the wire. */
export interface OptionNumbers {
  /** Added to SACK edges that are not absolute. */
  readonly sackOffset: number
  /** The echo on the wire for one of the script. */
  echo(scriptEcr: number): number
}

const AS_WRITTEN: OptionNumbers = { sackOffset: 0, echo: (ecr) => ecr }

/** Kind and data of an option; a digest is 16 zeros, to be filled in when the whole segment is there. */
export function optionOf(option: TcpOption, numbers: OptionNumbers = AS_WRITTEN): Option {
  switch (option.kind) {
    case 'eol':
      return { kind: OPT_EOL, data: new Uint8Array(0) }
    case 'nop':
      return { kind: OPT_NOP, data: new Uint8Array(0) }
    case 'sackOK':
      return { kind: OPT_SACK_PERMITTED, data: new Uint8Array(0) }
    case 'mss': {
      const data = new Uint8Array(2)
      write16(data, 0, option.value)
      return { kind: OPT_MSS, data }
    }
    case 'wscale':
      return { kind: OPT_WINDOW_SCALE, data: Uint8Array.of(option.value ?? 0) }
    case 'sack':
      return { kind: OPT_SACK, data: sackData(option.blocks, numbers.sackOffset) }
    case 'timestamp': {
      const data = new Uint8Array(8)
      write32(data, 0, option.val ?? 0)
      write32(data, 4, option.ecrAbsolute ? (option.ecr ?? 0) : numbers.echo(option.ecr ?? 0))
      return { kind: OPT_TIMESTAMPS, data }
    }
    case 'fast-open': {
      const cookie = fromHex(option.cookie)
      if (!option.experimental) return { kind: OPT_FAST_OPEN, data: cookie }
      return { kind: OPT_EXPERIMENT, data: withMagic(FAST_OPEN_MAGIC, cookie) }
    }
    case 'md5':
      return {
        kind: OPT_MD5,
        data: typeof option.digest === 'string' ? new Uint8Array(16) : fromHex(option.digest.hex),
      }
    case 'accurate-ecn': {
      const data = new Uint8Array(option.fields.length * 3)
      for (const [i, field] of option.fields.entries()) write24(data, i * 3, field.value & 0xffffff)
      if (!option.experimental) return { kind: option.optionKind, data }
      return { kind: OPT_EXPERIMENT, data: withMagic(option.optionKind === OPT_ACCECN0 ? 0xacc0 : 0xacc1, data) }
    }
    case 'user-timeout': {
      const data = new Uint8Array(2)
      write16(data, 0, option.value)
      return { kind: OPT_USER_TIMEOUT, data }
    }
    case 'generic':
      return { kind: option.optionKind, data: fromHex(option.data) }
  }
}

/** The options as they stand in a header, padded with EOL to whole words. */
export function optionBytes(options: readonly Option[]): Uint8Array {
  const length = options.reduce((sum, { kind, data }) => sum + (kind <= OPT_NOP ? 1 : 2 + data.length), 0)
  const bytes = new Uint8Array((length + 3) & ~3)
  let at = 0
  for (const { kind, data } of options) {
    bytes[at++] = kind
    if (kind <= OPT_NOP) continue
    bytes[at++] = 2 + data.length
    bytes.set(data, at)
    at += data.length
  }
  return bytes
}

function sackData(blocks: readonly SackBlock[], offset: number): Uint8Array {
  const data = new Uint8Array(blocks.length * 8)
  for (const [i, block] of blocks.entries()) {
    const add = block.absolute ? 0 : offset
    write32(data, i * 8, (block.left + add) | 0)
    write32(data, i * 8 + 4, (block.right + add) | 0)
  }
  return data
}

function withMagic(magic: number, data: Uint8Array): Uint8Array {
  const all = new Uint8Array(2 + data.length)
  write16(all, 0, magic)
  all.set(data, 2)
  return all
}

export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16)
  return bytes
}
