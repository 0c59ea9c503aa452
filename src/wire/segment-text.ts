import type { IpAddress } from './ip-address.js'
import { read16, read32 } from './octets.js'
import { ACK, AE, CWR, ECE, FIN, PSH, RST, type Segment, SYN, URG } from './segment.js'
import {
  FAST_OPEN_MAGIC,
  OPT_ACCECN0,
  OPT_ACCECN1,
  OPT_AO,
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
  tcpOptions,
} from './tcp-options.js'

/** What a segment said, copied: `Segment` itself is reused. Sequence numbers are unsigned here. */
export interface SegmentSummary {
  readonly source: IpAddress
  readonly sourcePort: number
  readonly destination: IpAddress
  readonly destinationPort: number
  /** ECN field of the IP header. */
  readonly ecn: number
  readonly seq: number
  readonly ack: number
  readonly flags: number
  /** As on the wire, not scaled. */
  readonly window: number
  readonly urgentPointer: number
  /** Octets of text. */
  readonly textLength: number
  /** Octets of text per segment of a super-segment; 0: one segment. */
  readonly gsoSize: number
  /** The options as they stand in the header. */
  readonly options: Uint8Array
}

/** Copies what a received segment says. */
export function summarizeReceived(segment: Segment): SegmentSummary {
  const { bytes, optionsStart, optionsLength } = segment
  return summary(segment, bytes.slice(optionsStart, optionsStart + optionsLength))
}

/** Copies what a segment to send says; its options with the padding they will get. */
export function summarizeSent(segment: Segment): SegmentSummary {
  const options = new Uint8Array((segment.optionBytesLength + 3) & ~3)
  options.set(segment.optionBytes.subarray(0, segment.optionBytesLength))
  return summary(segment, options)
}

function summary(segment: Segment, options: Uint8Array): SegmentSummary {
  return {
    source: segment.source,
    sourcePort: segment.sourcePort,
    destination: segment.destination,
    destinationPort: segment.destinationPort,
    ecn: segment.ecn,
    seq: segment.seq >>> 0,
    ack: segment.ack >>> 0,
    flags: segment.flags,
    window: segment.window,
    urgentPointer: segment.urgentPointer,
    textLength: segment.textLength,
    gsoSize: segment.gsoSize,
    options,
  }
}

/** What is subtracted from numbers before they are printed, so that people read 1 and not 2976450329. */
export interface NumberBase {
  /** From SEG.SEQ: the sender's initial sequence number. */
  readonly seq?: number
  /** From SEG.ACK and the edges of SACK blocks: the receiver's initial sequence number. */
  readonly ack?: number
  /** From the timestamps. */
  readonly tsVal?: number
  readonly tsEcr?: number
}

/** Flags as packetdrill and tcpdump write them: `S.`, `P.`, `F.`, `SEW`, and `-` for none. */
export function flagText(flags: number): string {
  let text = ''
  if (flags & SYN) text += 'S'
  if (flags & FIN) text += 'F'
  if (flags & RST) text += 'R'
  if (flags & PSH) text += 'P'
  if (flags & ECE) text += 'E'
  if (flags & CWR) text += 'W'
  if (flags & AE) text += 'A'
  if (flags & URG) text += 'U'
  if (flags & ACK) text += '.'
  return text === '' ? '-' : text
}

/** Flags by name, `SYN,ACK`, for people who do not read packetdrill. */
export function flagNames(flags: number): string {
  const names: string[] = []
  if (flags & SYN) names.push('SYN')
  if (flags & FIN) names.push('FIN')
  if (flags & RST) names.push('RST')
  if (flags & PSH) names.push('PSH')
  if (flags & ACK) names.push('ACK')
  if (flags & URG) names.push('URG')
  if (flags & ECE) names.push('ECE')
  if (flags & CWR) names.push('CWR')
  if (flags & AE) names.push('AE')
  return names.join(',')
}

const ECN_TEXT = ['noecn', 'ect1', 'ect0', 'ce']

/** The ECN field of an IP header in packetdrill's words: `noecn`, `ect0`, `ect1`, `ce`. */
export function ecnText(ecn: number): string {
  return ECN_TEXT[ecn & 3]!
}

/**
 * A segment in one line of packetdrill: `P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 0>`. The end of the range
 * does not count SYN and FIN.
 */
export function segmentText(segment: SegmentSummary, base: NumberBase = {}): string {
  const seq = (segment.seq - (base.seq ?? 0)) >>> 0
  const end = (seq + segment.textLength) >>> 0
  let text = segment.ecn !== 0 ? `[${ecnText(segment.ecn)}] ` : ''
  text += `${flagText(segment.flags)} ${seq}:${end}(${segment.textLength})`
  if (segment.flags & ACK) text += ` ack ${(segment.ack - (base.ack ?? 0)) >>> 0}`
  text += ` win ${segment.window}`
  if (segment.flags & URG) text += ` urg ${segment.urgentPointer}`
  if (segment.options.length > 0) text += ` <${optionsText(segment.options, 0, segment.options.length, base)}>`
  return text
}

/** The options [start, start + length) as packetdrill writes them between `<` and `>`. */
export function optionsText(bytes: Uint8Array, start: number, length: number, base: NumberBase = {}): string {
  return tcpOptions(bytes, start, length)
    .map((option) => optionText(option, base))
    .join(',')
}

/** One option: `mss 1460`, `wscale 7`, `sack 1:2 3:4`, `FO 0102…`; of a kind not known `opt 200 0102`. */
export function optionText({ kind, data }: Option, base: NumberBase = {}): string {
  const n = data.length
  if (kind === OPT_EOL) return 'eol'
  if (kind === OPT_NOP) return 'nop'
  if (kind === OPT_MSS && n === 2) return `mss ${read16(data, 0)}`
  if (kind === OPT_WINDOW_SCALE && n === 1) return `wscale ${data[0]}`
  if (kind === OPT_SACK_PERMITTED && n === 0) return 'sackOK'
  if (kind === OPT_SACK && n % 8 === 0) return sackText(data, base.ack ?? 0)
  if (kind === OPT_TIMESTAMPS && n === 8) {
    const val = (read32(data, 0) - (base.tsVal ?? 0)) >>> 0
    const ecr = (read32(data, 4) - (base.tsEcr ?? 0)) >>> 0
    return `TS val ${val} ecr ${ecr}`
  }
  if (kind === OPT_MD5) return `md5 ${hex(data)}`
  if (kind === OPT_USER_TIMEOUT && n === 2) return userTimeoutText(read16(data, 0))
  if (kind === OPT_AO && n >= 2) return `ao ${data[0]} ${data[1]} ${hex(data.subarray(2))}`
  if (kind === OPT_FAST_OPEN) return n === 0 ? 'FO' : `FO ${hex(data)}`
  if (kind === OPT_EXPERIMENT && n >= 2 && read16(data, 0) === FAST_OPEN_MAGIC) {
    return n === 2 ? 'FOEXP' : `FOEXP ${hex(data.subarray(2))}`
  }
  if ((kind === OPT_ACCECN0 || kind === OPT_ACCECN1) && n % 3 === 0) return accEcnText(kind, data)
  return n === 0 ? `opt ${kind}` : `opt ${kind} ${hex(data)}`
}

function sackText(data: Uint8Array, ackBase: number): string {
  let text = 'sack'
  for (let at = 0; at < data.length; at += 8) {
    text += ` ${(read32(data, at) - ackBase) >>> 0}:${(read32(data, at + 4) - ackBase) >>> 0}`
  }
  return text
}

/** RFC 5482 3: the highest bit says minutes, else seconds. */
function userTimeoutText(value: number): string {
  return `uto ${value & 0x7fff}${value & 0x8000 ? 'm' : 's'}`
}

function accEcnText(kind: number, data: Uint8Array): string {
  const names = kind === OPT_ACCECN0 ? ['e0b', 'ceb', 'e1b'] : ['e1b', 'ceb', 'e0b']
  let text = 'ECN'
  for (let i = 0; i * 3 < data.length; i++) {
    const count = (data[i * 3]! << 16) | (data[i * 3 + 1]! << 8) | data[i * 3 + 2]!
    text += ` ${names[i] ?? '?'} ${count}`
  }
  return text
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('')
}
