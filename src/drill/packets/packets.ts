import type { TraceLog } from '../../trace/index.js'
import type { IpAddress } from '../../wire/index.js'
import { Mismatch } from '../failure.js'
import { whySent } from '../hints.js'
import type { Micros, Packet, TcpPacket } from '../language/ast.js'
import type { Flags } from '../language/flags.js'
import { printPacket } from '../language/print.js'
import type { Target } from '../target.js'
import { type EventMoment, seconds } from '../timeline.js'
import { Conversation } from './conversation.js'
import { livePacketOf } from './inject.js'
import { type LivePacket, readLivePacket } from './live-packet.js'
import {
  belongsTo,
  differences,
  fragmentObjection,
  isItsSyn,
  isTcp,
  liveText,
  type TcpLivePacket,
  timestampOf,
} from './packets-match.js'

export interface PacketsOptions {
  readonly target: Target
  readonly flags: Flags
  readonly strictSegments: boolean
  readonly log: TraceLog
  /** From the start of the script. */
  readonly now: () => Micros
  /** When the script started, ms. */
  readonly start: () => number
}

/** An expected packet, and what was sent of it so far. */
export interface Expected {
  readonly packet: Packet | null
  readonly conversation: Conversation | null
  readonly sent: LivePacket[]
  /** Enough was sent to compare. */
  complete: boolean
  /** Why what was sent last cannot be part of it. */
  objection: string | null
}

/** Remote ports that passive opens come from, one after the other. */
const FIRST_REMOTE_PORT = 53_000

/** The conversations of a script, and the packets that go to and fro in them. */
export class Packets {
  readonly #options: PacketsOptions
  readonly #conversations: Conversation[] = []
  readonly #md5Key: Uint8Array | null
  readonly #tcpInUdp: boolean
  #nextRemotePort = FIRST_REMOTE_PORT
  /** The one that packets of the script are about: the socket made last, or the connection it was opened by. */
  underTest: Conversation | null = null

  constructor(options: PacketsOptions) {
    this.#options = options
    const secret = options.flags.tcpMd5Secret
    this.#md5Key = secret === null ? null : new TextEncoder().encode(secret)
    this.#tcpInUdp = options.flags.udpEncapsulation === 'tcp'
  }

  // --- what calls tell of descriptors ---

  socketMade(scriptFd: number, liveFd: number, protocol: 'tcp' | 'udp' | 'icmp'): void {
    const conversation = new Conversation(scriptFd, liveFd, protocol)
    this.#conversations.unshift(conversation)
    this.underTest = conversation
  }

  /** The conversation that a descriptor of the script stands for; null: none, it is a file or an epoll instance. */
  byFd(scriptFd: number): Conversation | null {
    return this.#conversations.find((one) => one.scriptFd === scriptFd && !one.closed) ?? null
  }

  listening(conversation: Conversation): void {
    conversation.stage = 'listening'
  }

  /** connect, or another call that connects; only the first one of a socket matters. */
  connecting(conversation: Conversation): void {
    if (conversation.stage !== 'new') return
    const { target, flags } = this.#options
    conversation.stage = 'connecting'
    conversation.remoteAddress = target.remote
    conversation.remotePort = flags.connectPort
    conversation.localAddress = target.local
  }

  /** accept gave `liveFd` for a peer. */
  accepted(scriptFd: number, liveFd: number, peerPort: number): void {
    const open = this.#conversations.filter(
      ({ stage, scriptFd: fd }) => fd < 0 && (stage === 'syn-ack-sent' || stage === 'syn-ack-acknowledged'),
    )
    const conversation = open.find(({ remotePort }) => remotePort === peerPort) ?? open[0]
    if (conversation === undefined)
      throw new Mismatch('the connection that was accepted is none that the script opened')
    conversation.scriptFd = scriptFd
    conversation.liveFd = liveFd
  }

  // --- packets of the script's side ---

  /** Finds out whom a packet of the script is about, when the script comes to it. */
  prepare(packet: Packet): void {
    if (packet.kind === 'tcp') this.#passiveOpen(packet)
    if (this.underTest === null) throw new Mismatch('no socket was made that this packet could be for')
  }

  /** Delivers a packet; gives it as text. */
  inject(packet: Packet): string {
    const conversation = this.underTest!
    if (packet.kind === 'tcp') {
      if (conversation.stage === 'syn-ack-sent' && packet.flags.ack) conversation.stage = 'syn-ack-acknowledged'
      else if (conversation.stage === 'syn-sent' && packet.flags.syn && packet.flags.ack) {
        conversation.stage = 'syn-acknowledged'
        conversation.remoteIsn = packet.seq.start ?? 0
      }
    }
    const { target, flags } = this.#options
    const octets = livePacketOf(packet, conversation, { md5Key: this.#md5Key, scaledEcho: flags.tcpTsEcrScaled })
    const segmentSize = flags.mss ?? 0
    target.deliver(octets, packet.kind === 'tcp' && (packet.seq.length ?? 0) > segmentSize ? segmentSize : 0)
    return printPacket(packet, 'inbound')
  }

  /** The first packet for a socket that listens, or for none at all, opens a conversation from a new port. */
  #passiveOpen(packet: TcpPacket): void {
    const { underTest } = this
    if (underTest?.stage === 'new') return this.#peerAppears(underTest, packet)
    if (underTest !== null && underTest.stage !== 'listening') return
    const child = new Conversation(-1, -1, 'tcp')
    child.stage = 'packet-received'
    this.#peerAppears(child, packet)
    this.#conversations.unshift(child)
    this.underTest = child
  }

  /** Somebody sends to the port that scripts bind; also to a socket that does not listen (yet). */
  #peerAppears(conversation: Conversation, packet: TcpPacket): void {
    const { target, flags } = this.#options
    conversation.localAddress = target.local
    conversation.localPort = flags.bindPort
    conversation.remoteAddress = target.remote
    conversation.remotePort = this.#nextRemotePort++
    conversation.remoteIsn = packet.seq.start ?? 0
  }

  // --- packets of the host ---

  /** What to look for from now on. */
  expect(packet: Packet): Expected {
    const conversation = this.underTest
    if (conversation === null) throw new Mismatch('no socket was made that could send this packet')
    if (packet.kind === 'tcp') {
      const { syn, ack } = packet.flags
      if (syn && !ack && conversation.stage === 'connecting') {
        conversation.stage = 'syn-sent'
        conversation.scriptLocalIsn = packet.seq.start ?? 0
      } else if (syn && ack && conversation.stage === 'packet-received' && packet.seq.start !== null) {
        conversation.scriptLocalIsn = packet.seq.start
      }
    }
    return { packet, conversation, sent: [], complete: false, objection: null }
  }

  /** Whatever the connection under test sends. */
  expectAnything(): Expected {
    return { packet: null, conversation: this.underTest, sent: [], complete: false, objection: null }
  }

  /** Takes what was sent and belongs to `expected`, oldest first; false: there is nothing more now. */
  take(expected: Expected): boolean {
    const { target } = this.#options
    const start = this.#options.start()
    for (let next = target.nextSent(); next !== null; next = target.nextSent()) {
      const packet = readLivePacket(next.packet, (next.at - start) * 1000, this.#tcpInUdp, !next.unfinished)
      if (typeof packet === 'string') throw new Mismatch(`the host sent a packet that is wrong: ${packet}`)
      if (packet.content.kind === 'other' && expected.conversation?.remoteAddress?.equals(packet.destination)) {
        throw new Mismatch(`the host sent a packet that is wrong: ${packet.content.reason}`)
      }
      if (!this.#isFor(packet, expected.conversation)) continue
      this.#learn(packet, expected)
      this.#add(packet, expected)
      return true
    }
    return false
  }

  /** Everything that was sent in the conversation under test and nobody looked at. */
  rest(): LivePacket[] {
    const found: LivePacket[] = []
    for (let next = this.expectAnything(); this.take(next); next = this.expectAnything()) found.push(...next.sent)
    return found
  }

  #isFor(packet: LivePacket, conversation: Conversation | null): boolean {
    if (conversation === null) return true
    if (belongsTo(packet, conversation)) return true
    if (!isItsSyn(packet, conversation) || !isTcp(packet)) return false
    conversation.localAddress = packet.source
    conversation.localPort = packet.content.sourcePort
    conversation.liveLocalIsn = packet.content.seq
    return true
  }

  /** What a packet tells of the numbers of its conversation. */
  #learn(packet: LivePacket, { packet: wanted, conversation }: Expected): void {
    if (conversation === null || wanted?.kind !== 'tcp' || !isTcp(packet)) return
    if (conversation.stage === 'packet-received' && wanted.flags.syn && wanted.flags.ack) {
      conversation.stage = 'syn-ack-sent'
      conversation.liveLocalIsn = packet.content.seq
    }
    const option = wanted.options === 'any' ? undefined : wanted.options.find(({ kind }) => kind === 'timestamp')
    const live = timestampOf(packet.content)
    if (option?.kind !== 'timestamp' || option.val === null || live === null) return
    const script = option.val >>> 0
    conversation.timestamps.set(script, live)
    conversation.firstTimestamp ??= { script, live }
  }

  #add(packet: LivePacket, expected: Expected): void {
    const wanted = expected.packet
    const before = expected.sent.at(-1)
    expected.sent.push(packet)
    if (wanted?.kind !== 'tcp' || !isTcp(packet)) {
      expected.complete = true
      return
    }
    const tcp = expected.sent as TcpLivePacket[]
    const length = tcp.reduce((sum, { content }) => sum + content.text.length, 0)
    const missing = wanted.seq.length - (length - packet.content.text.length)
    if (before !== undefined) expected.objection = fragmentObjection(before as TcpLivePacket, packet, missing)
    expected.complete =
      expected.objection !== null ||
      length >= wanted.seq.length ||
      // nothing can be gathered with a packet that has no text, or when one packet is to be one
      this.#options.strictSegments ||
      packet.content.text.length === 0
  }

  /** What differs, in clauses; none: the packet is the expected one. */
  differences(expected: Expected): string[] {
    const { packet, conversation, sent, objection } = expected
    if (packet === null || conversation === null) return []
    const { flags, strictSegments } = this.#options
    if (objection !== null) return [objection]
    return differences(packet, sent, conversation, {
      strictSegments,
      timestampTick: flags.tcpTsTickUsecs,
      tolerance: flags.toleranceUsecs,
      md5Key: this.#md5Key,
    })
  }

  // --- messages ---

  text(packet: LivePacket): string {
    return `> ${liveText(packet, this.underTest)}`
  }

  /** Both packets, one under the other. */
  comparison({ sent }: Expected, written: string, moment: EventMoment): string[] {
    const { log, start } = this.#options
    const range = moment.kind === 'range' ? `${seconds(moment.at)}~${seconds(moment.to)}` : seconds(moment.at)
    const when = moment.kind === 'any' ? '*' : range
    const rows = [{ title: 'expected', when, text: written, why: '' }]
    for (const packet of sent) {
      const why = whySent(packet, log.events, start())
      rows.push({ title: rows.length === 1 ? 'sent' : '', when: seconds(packet.at), text: this.text(packet), why })
    }
    const width = Math.max(...rows.map((row) => row.when.length))
    return rows.map(({ title, when: at, text, why }) =>
      `${title.padEnd(8)}  ${at.padStart(width)}  ${text}${why === '' ? '' : `      ${why}`}`.trimEnd(),
    )
  }

  /** Host time at which the script started, ms. */
  get start(): number {
    return this.#options.start()
  }

  /** The address and port that bind and connect mean by `...`. */
  get bindAddress(): { address: IpAddress; port: number } {
    return { address: this.#options.target.local, port: this.#options.flags.bindPort }
  }

  get connectAddress(): { address: IpAddress; port: number } {
    return { address: this.#options.target.remote, port: this.#options.flags.connectPort }
  }
}
