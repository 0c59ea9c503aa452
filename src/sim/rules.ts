import {
  ACK,
  AE,
  CWR,
  ECE,
  FIN,
  type Frame,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type IpAddress,
  PacketHeader,
  PSH,
  parsePacket,
  parseTcp,
  RST,
  Segment,
  SYN,
  takePacketHeader,
  URG,
} from '../wire/index.js'
import { type Duration, milliseconds } from './duration.js'
import { checkOptionNames, wholeNumber } from './options.js'

/** A packet on its way, as rules see it. One object is reused: read it, do not keep it. */
export interface PacketOnTheWay {
  /** Names of the hosts that have its source and destination address; '' for nobody on this network. */
  readonly from: string
  readonly to: string
  /** The link it is about to cross. */
  readonly link: string
  /** Virtual time, ms. */
  readonly now: number
  readonly source: IpAddress
  readonly destination: IpAddress
  /** IP protocol number. */
  readonly protocol: number
  readonly isFragment: boolean
  /** Its TCP segment; null: it is something else, or only a part of one. */
  readonly segment: Segment | null
  readonly frame: Frame
}

/** Which packets a rule is for. Everything named must hold. */
export interface PacketMatch {
  /** Host whose address it comes from, goes to. */
  readonly from?: string
  readonly to?: string
  /** Link it crosses. Without, a rule sees each packet once: on the first link of its way. */
  readonly on?: string
  /** TCP flags that are all set, as packetdrill writes them: S F R P . U E W A. */
  readonly flags?: string
  /** TCP flags of which none is set. */
  readonly without?: string
  /** Whether it is a TCP segment with text. */
  readonly text?: boolean
  /** Either port; the sender's; the receiver's. */
  readonly port?: number
  readonly fromPort?: number
  readonly toPort?: number
  readonly protocol?: 'tcp' | 'udp' | 'icmp'
  /** Whatever else. */
  readonly where?: (packet: PacketOnTheWay) => boolean
  /** Of the packets for which all this holds, only the second, say, or the second and the fourth. Counted from 1. */
  readonly nth?: number | readonly number[]
  /** At most so many of them. */
  readonly times?: number
}

/** What a rule does with a packet. */
export type Action =
  | { readonly kind: 'pass' }
  | { readonly kind: 'drop' }
  /** It arrives so many ms later, what follows it overtakes it. */
  | { readonly kind: 'delay'; readonly by: number }
  /** It arrives and so many copies of it. */
  | { readonly kind: 'duplicate'; readonly copies: number }
  /** One bit of it is flipped. */
  | { readonly kind: 'corrupt' }
  /** Other packets, or none, are sent in its place. */
  | { readonly kind: 'replace'; readonly by: (packet: PacketOnTheWay) => readonly Frame[] }

export interface Rule {
  readonly match: PacketMatch
  readonly action: Action
}

/** The packet passes, whatever later rules say. */
export const pass = (match: PacketMatch): Rule => ({ match, action: { kind: 'pass' } })

/** The packet is lost. */
export const drop = (match: PacketMatch): Rule => ({ match, action: { kind: 'drop' } })

/** The packet arrives later by a duration; what follows it overtakes it. */
export const delay = (match: PacketMatch, by: Duration): Rule => ({
  match,
  action: { kind: 'delay', by: milliseconds(by) },
})

/** The packet arrives more than once. */
export const duplicate = (match: PacketMatch, copies = 1): Rule => ({
  match,
  action: { kind: 'duplicate', copies: wholeNumber('duplicate: copies', copies, 1) },
})

/** One bit of the packet is flipped on the way. */
export const corrupt = (match: PacketMatch): Rule => ({ match, action: { kind: 'corrupt' } })

/** Other packets (as frames) travel in the packet's place; none: it is lost. */
export const replace = (match: PacketMatch, by: (packet: PacketOnTheWay) => readonly Frame[]): Rule => ({
  match,
  action: { kind: 'replace', by },
})

/** A rule in force. */
export class ActiveRule {
  readonly rule: Rule
  /** Packets it was for, those that `nth` and `times` let pass included. */
  matched = 0
  /** Packets it acted on. */
  applied = 0
  /** Functions of a program look at the packets. */
  readonly seesFrames: boolean
  readonly #flags: number
  readonly #without: number
  readonly #end: (rule: ActiveRule) => void

  constructor(rule: Rule, end: (rule: ActiveRule) => void) {
    checkOptionNames('rule', rule.match, MATCH_NAMES)
    this.rule = rule
    this.#end = end
    this.seesFrames = rule.match.where !== undefined || rule.action.kind === 'replace'
    this.#flags = flagBits(rule.match.flags ?? '')
    this.#without = flagBits(rule.match.without ?? '')
  }

  /** The rule is no more in force. */
  dispose(): void {
    this.#end(this)
  }

  /** Whether it acts on this packet; counts. */
  takes(packet: PacketOnTheWay, isFirstLink: boolean): boolean {
    const { match } = this.rule
    if (match.on === undefined ? !isFirstLink : match.on !== packet.link) return false
    if (!this.#holdsFor(packet)) return false
    this.matched++
    const { nth, times } = match
    if (nth !== undefined && !(typeof nth === 'number' ? nth === this.matched : nth.includes(this.matched)))
      return false
    if (times !== undefined && this.applied >= times) return false
    this.applied++
    return true
  }

  #holdsFor(packet: PacketOnTheWay): boolean {
    const { match } = this.rule
    if (match.from !== undefined && match.from !== packet.from) return false
    if (match.to !== undefined && match.to !== packet.to) return false
    if (match.protocol !== undefined && !PROTOCOLS[match.protocol].includes(packet.protocol)) return false
    if (needsSegment(match)) {
      const { segment } = packet
      if (segment === null) return false
      if ((segment.flags & this.#flags) !== this.#flags || (segment.flags & this.#without) !== 0) return false
      if (match.text !== undefined && match.text !== segment.textLength > 0) return false
      const { sourcePort, destinationPort } = segment
      if (match.port !== undefined && match.port !== sourcePort && match.port !== destinationPort) return false
      if (match.fromPort !== undefined && match.fromPort !== sourcePort) return false
      if (match.toPort !== undefined && match.toPort !== destinationPort) return false
    }
    return match.where === undefined || match.where(packet)
  }
}

const MATCH_NAMES = [
  'from',
  'to',
  'on',
  'flags',
  'without',
  'text',
  'port',
  'fromPort',
  'toPort',
  'protocol',
  'where',
  'nth',
  'times',
]

const PROTOCOLS = { tcp: [IPPROTO_TCP], udp: [IPPROTO_UDP], icmp: [IPPROTO_ICMP, IPPROTO_ICMPV6] }

const FLAG_BITS: Readonly<Record<string, number>> = {
  S: SYN,
  F: FIN,
  R: RST,
  P: PSH,
  '.': ACK,
  U: URG,
  E: ECE,
  W: CWR,
  A: AE,
}

function flagBits(text: string): number {
  let bits = 0
  for (const letter of text) {
    const bit = FLAG_BITS[letter]
    if (bit === undefined)
      throw new RangeError(`rule: no TCP flag '${letter}' in '${text}' (there are S F R P . U E W A)`)
    bits |= bit
  }
  return bits
}

function needsSegment(match: PacketMatch): boolean {
  return (
    match.flags !== undefined ||
    match.without !== undefined ||
    match.text !== undefined ||
    match.port !== undefined ||
    match.fromPort !== undefined ||
    match.toPort !== undefined
  )
}

/** Reads packets for rules: one object, filled again for each. */
export class PacketReader implements PacketOnTheWay {
  from = ''
  to = ''
  link = ''
  now = 0
  segment: Segment | null = null
  frame!: Frame
  readonly #header = new PacketHeader()
  readonly #segment = new Segment()

  get source(): IpAddress {
    return this.#header.source
  }

  get destination(): IpAddress {
    return this.#header.destination
  }

  get protocol(): number {
    return this.#header.protocol
  }

  get isFragment(): boolean {
    return this.#header.isFragment
  }

  /** False: it is not a packet at all. */
  read(frame: Frame, link: string, now: number): boolean {
    const header = this.#header
    if (parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return false
    this.frame = frame
    this.link = link
    this.now = now
    this.segment = null
    if (header.protocol !== IPPROTO_TCP || header.isFragment) return true
    takePacketHeader(this.#segment, header)
    if (parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, this.#segment, false) === null) {
      this.segment = this.#segment
      this.#segment.gsoSize = frame.gsoSize
    }
    return true
  }
}
