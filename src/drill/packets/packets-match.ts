import {
  ACK,
  AE,
  CWR,
  ECE,
  FIN,
  PSH,
  RST,
  read32,
  type SegmentSummary,
  SYN,
  segmentText,
  URG,
} from '../../wire/index.js'
import type { IpInfo, Packet, TcpFlags, TcpPacket } from '../language/ast.js'
import { type Conversation, patternAt } from './conversation.js'
import { icmpNumbers } from './icmp.js'
import type { LivePacket, LiveSegment } from './live-packet.js'
import { type OptionCheck, optionDifferences } from './packets-match-options.js'

/** How strictly packets are compared. */
export interface MatchRules extends OptionCheck {
  /** An expected packet is one packet: none is gathered from several. */
  readonly strictSegments: boolean
}

export type TcpLivePacket = LivePacket & { readonly content: LiveSegment }

export const isTcp = (packet: LivePacket): packet is TcpLivePacket => packet.content.kind === 'tcp'

/** The bits of a script's flags; ACE as its three. */
export function flagBits(flags: TcpFlags): number {
  let bits = 0
  if (flags.fin) bits |= FIN
  if (flags.syn) bits |= SYN
  if (flags.rst) bits |= RST
  if (flags.psh) bits |= PSH
  if (flags.ack) bits |= ACK
  if (flags.urg) bits |= URG
  if (flags.ece) bits |= ECE
  if (flags.cwr) bits |= CWR
  if (flags.ae) bits |= AE
  if (flags.ace !== null) bits |= (flags.ace & 4 ? AE : 0) | (flags.ace & 2 ? CWR : 0) | (flags.ace & 1 ? ECE : 0)
  return bits
}

/** Is this a packet of the conversation? */
export function belongsTo(packet: LivePacket, conversation: Conversation): boolean {
  const { content } = packet
  if (!conversation.remoteAddress?.equals(packet.destination)) return false
  if (content.kind === 'icmp') return true
  if (content.kind === 'other') return false
  // the local port of an active open is known by its SYN
  const ports = content.destinationPort === conversation.remotePort
  return ports && conversation.localPort === content.sourcePort
}

/** Is this the SYN that tells the local port and the ISN of a conversation that connects? */
export function isItsSyn(packet: LivePacket, conversation: Conversation): boolean {
  const { content } = packet
  if (conversation.stage !== 'syn-sent' || content.kind !== 'tcp') return false
  if ((content.flags & (SYN | ACK)) !== SYN) return false
  return (
    conversation.remoteAddress?.equals(packet.destination) === true &&
    content.destinationPort === conversation.remotePort
  )
}

/** What differs between the packet a script expects and the one that was sent, each as a short clause; none: they match. */
export function differences(
  expected: Packet,
  sent: readonly LivePacket[],
  conversation: Conversation,
  rules: MatchRules,
): string[] {
  const last = sent.at(-1)!
  const found = ipDifferences(expected.ip, last, conversation)
  const { content } = last
  if (expected.kind !== content.kind) {
    return [`expected ${expected.kind.toUpperCase()}, sent ${content.kind === 'other' ? content.reason : content.kind}`]
  }
  if (expected.kind === 'tcp') {
    return [...found, ...segmentDifferences(expected, sent as readonly TcpLivePacket[], conversation, rules)]
  }
  if (expected.kind === 'udp' && content.kind === 'udp') {
    if (expected.length !== content.length) found.push(`length: expected ${expected.length}, sent ${content.length}`)
  }
  if (expected.kind === 'icmp' && content.kind === 'icmp') {
    const { type, code } = icmpNumbers(expected, last.version)
    if (type !== content.type) found.push(`ICMP type: expected ${type}, sent ${content.type}`)
    if (code !== content.code) found.push(`ICMP code: expected ${code}, sent ${content.code}`)
  }
  return found
}

function ipDifferences(expected: IpInfo, sent: LivePacket, conversation: Conversation): string[] {
  const found: string[] = []
  const ecn = sent.trafficClass & 3
  if (expected.ecn === 'ect01' ? ecn !== 1 && ecn !== 2 : expected.ecn !== null && expected.ecn !== ecn) {
    found.push(`ECN field: expected ${ECN_NAMES[expected.ecn!]}, sent ${ECN_NAMES[ecn]}`)
  }
  check(found, 'traffic class', expected.trafficClass, sent.trafficClass)
  check(found, 'DSCP', expected.dscp, sent.trafficClass >> 2)
  check(found, sent.version === 4 ? 'TTL' : 'hop limit', expected.hopLimit, sent.hopLimit)
  if (expected.flowLabel !== null && expected.flowLabel !== 0) {
    const known = conversation.flowLabel
    if (sent.flowLabel === 0) found.push('flow label: expected one, sent none')
    else if (known === null || known.script !== expected.flowLabel) {
      if (known?.live === sent.flowLabel) found.push('flow label: expected another than before, sent the same')
      conversation.flowLabel = { script: expected.flowLabel, live: sent.flowLabel }
    } else if (known.live !== sent.flowLabel) found.push('flow label: expected the same as before, sent another')
  }
  return found
}

const ECN_NAMES: Readonly<Record<string | number, string>> = {
  0: 'noecn',
  1: 'ect1',
  2: 'ect0',
  3: 'ce',
  ect01: 'ect01',
}

function check(found: string[], what: string, expected: number | null, sent: number): void {
  if (expected !== null && expected !== sent) found.push(`${what}: expected ${expected}, sent ${sent}`)
}

const BIT_NAMES: readonly (readonly [number, string])[] = [
  [FIN, 'FIN'],
  [SYN, 'SYN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
  [URG, 'URG'],
  [ECE, 'ECE'],
  [CWR, 'CWR'],
  [AE, 'AE'],
]

function segmentDifferences(
  expected: TcpPacket,
  packets: readonly TcpLivePacket[],
  conversation: Conversation,
  rules: MatchRules,
): string[] {
  const found: string[] = []
  const first = packets[0]!.content
  const { content: last } = packets.at(-1)!
  // as packetdrill's aggregate: the last header with the sequence number and CWR of the first
  const flags = (last.flags & ~CWR) | (first.flags & CWR)
  const syn = (flags & SYN) !== 0
  const wanted = flagBits(expected.flags)
  const ace = AE | CWR | ECE
  const plain = expected.flags.ace === null ? wanted ^ flags : (wanted ^ flags) & ~ace
  for (const [bit, name] of BIT_NAMES) {
    if (plain & bit) found.push(wanted & bit ? `${name} bit: expected, not sent` : `${name} bit: sent, not expected`)
  }
  if (expected.flags.ace !== null) check(found, 'ACE', expected.flags.ace, aceOf(flags))

  if (expected.seq.start !== null) {
    const offset = expected.seq.absolute ? 0 : conversation.localOffset(syn)
    check(found, 'seq', expected.seq.start >>> 0, (first.seq - offset) >>> 0)
  }
  const length = packets.reduce((sum, packet) => sum + packet.content.text.length, 0)
  check(found, 'length', expected.seq.length, length)
  if (expected.ack?.value !== null) {
    const offset = expected.ack?.absolute || !(flags & ACK) ? 0 : conversation.remoteOffset(syn)
    check(found, 'ack', (expected.ack?.value ?? 0) >>> 0, (last.ack - offset) >>> 0)
  }
  if (typeof expected.window === 'number') check(found, 'win', expected.window, last.window)
  check(found, 'urg', expected.urgent ?? 0, last.urgentPointer)
  if (expected.udp !== null || last.udp !== null) {
    check(found, 'UDP source port', expected.udp?.source ?? null, last.udp?.source ?? 0)
    check(found, 'UDP destination port', expected.udp?.destination ?? null, last.udp?.destination ?? 0)
  }
  if (expected.options !== 'any') {
    found.push(...optionDifferences(expected.options, packets.at(-1)!, conversation, syn, rules))
  }
  if (found.length === 0) found.push(...textDifferences(packets, conversation))
  return found
}

const aceOf = (flags: number): number => (flags & AE ? 4 : 0) | (flags & CWR ? 2 : 0) | (flags & ECE ? 1 : 0)

/** Octets that are not those the program wrote at this place of the stream. */
function textDifferences(packets: readonly TcpLivePacket[], conversation: Conversation): string[] {
  if (conversation.patternBroken) return []
  for (const { content } of packets) {
    const { text } = content
    // a single octet may be a keepalive's garbage
    if (text.length < 2) continue
    const start = content.flags & SYN ? 0 : (content.seq - conversation.liveLocalIsn - 1) >>> 0
    for (let i = 0; i < text.length; i++) {
      if (text[i] !== patternAt(start + i))
        return [`the text is not what the program wrote, from octet ${start + i} on`]
    }
  }
  return []
}

/** Why the next fragment cannot be part of the same expected segment; null: it can. */
export function fragmentObjection(before: TcpLivePacket, next: TcpLivePacket, stillExpected: number): string | null {
  const a = before.content
  const b = next.content
  // FIN, PSH and CWR are looked at on the whole
  const kept = ~(FIN | PSH | CWR)
  const same =
    (a.flags & kept) === (b.flags & kept) &&
    a.ack === b.ack &&
    a.window === b.window &&
    a.urgentPointer === b.urgentPointer &&
    a.optionBytes.length === b.optionBytes.length &&
    b.seq === (a.seq + a.text.length) >>> 0
  if (!same) return 'the next packet sent is no continuation of it'
  if (b.text.length < stillExpected && b.text.length !== a.text.length) {
    return `fragments of ${a.text.length} and ${b.text.length} octets were sent, which are not of equal size`
  }
  return null
}

/** A live packet in the script's own words and numbers. */
export function liveText(sent: LivePacket, conversation: Conversation | null): string {
  const { content } = sent
  if (content.kind === 'udp') return `udp (${content.length})`
  if (content.kind === 'icmp') return `icmp type ${content.type} code ${content.code}`
  if (content.kind === 'other') return content.reason
  const summary: SegmentSummary = {
    source: sent.source,
    sourcePort: content.sourcePort,
    destination: sent.destination,
    destinationPort: content.destinationPort,
    ecn: sent.trafficClass & 3,
    seq: content.seq,
    ack: content.ack,
    flags: content.flags,
    window: content.window,
    urgentPointer: content.urgentPointer,
    textLength: content.text.length,
    gsoSize: 0,
    options: content.optionBytes,
  }
  if (conversation === null) return segmentText(summary)
  const syn = (content.flags & SYN) !== 0
  const clocks = conversation.firstTimestamp
  return segmentText(summary, {
    seq: conversation.localOffset(syn),
    ack: conversation.remoteOffset(syn),
    tsVal: clocks === null ? 0 : clocks.live - clocks.script,
  })
}

/** TS val of a segment, or null; unsigned. */
export function timestampOf(content: LiveSegment): number | null {
  const option = content.options.find(({ kind, data }) => kind === 8 && data.length === 8)
  return option === undefined ? null : read32(option.data, 0) >>> 0
}
