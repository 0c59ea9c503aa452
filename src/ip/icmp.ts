import type { IcmpError, Instant, Settings } from '../tcp/index.js'
import {
  ANY_IPV4,
  type Frame,
  ICMP_HEADER_LENGTH,
  ICMP4_ECHO_REPLY,
  ICMP4_REDIRECT,
  ICMP4_UNREACHABLE,
  ICMP6_ECHO_REPLY,
  IcmpKind,
  type IcmpMessage,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  type IpAddress,
  icmpQuoteLength,
  type PacketHeader,
  parseIcmp,
  read16,
  writeIcmp,
  writeIPv4Header,
  writeIPv6Header,
} from '../wire/index.js'
import { fragmentPacket } from './fragmentation.js'
import type { Host } from './host.js'
import { queueFrame } from './write-packet.js'

/** ICMP errors a host sends, a second and at once (Linux `icmp_msgs_per_sec`, `icmp_msgs_burst`; RFC 1812 4.3.2.8). */
const ERRORS_PER_SECOND = 1000
const ERROR_BURST = 50

/** MTUs in use when RFC 1191 was written (7.1), for routers that do not say theirs. Octets. */
const PLATEAUS = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68]

/** The error that TCP is told of; one object is reused. */
class TcpError implements IcmpError {
  kind: IcmpError['kind'] = 'other-unreachable'
  version: 4 | 6 = 4
  type = 0
  code = 0
  mtu = 0
  quotedSeq = 0
  from: IpAddress = ANY_IPV4
}

/** A host's ICMP and ICMPv6: echo, errors for its connections, errors it sends. */
export class Icmp {
  readonly #host: Host
  readonly #error = new TcpError()
  /** Errors that may be sent at once, and when that was worked out. */
  #credit = ERROR_BURST
  #creditAt: Instant = 0

  constructor(host: Host) {
    this.#host = host
  }

  /** A message for this host, in the packet `header` describes. */
  messageArrives(frame: Frame, header: PacketHeader, message: IcmpMessage, now: Instant): void {
    const problem = parseIcmp(frame.bytes, header, message, !frame.checksumPartial)
    if (problem !== null) return this.#host.drop(null, problem, now)
    this.#host.counters.count('IcmpInMsgs')
    if (message.kind === IcmpKind.EchoRequest) this.#answerEcho(frame, header, message)
    else if (message.hasQuote && message.quotedProtocol === IPPROTO_TCP) this.#errorArrives(frame, header, message, now)
  }

  /**
   * Sends an error about a packet that arrived, unless RFC 1122 3.2.2 or RFC 4443 2.4 e forbid it.
   * @param word the second word of the message: MTU, pointer, or 0
   */
  sendError(frame: Frame, header: PacketHeader, type: number, code: number, word: number, now: Instant): void {
    if (header.fragmentOffset > 0 || isGroupOrNobody(header.source) || isGroupOrNobody(header.destination)) return
    const first = frame.bytes[header.payloadStart] ?? 0
    if (header.protocol === IPPROTO_ICMP && isError4(first)) return
    if (header.protocol === IPPROTO_ICMPV6 && (first < 128 || first === 137)) return
    if (!this.#mayError(now)) return
    // the address the packet was for, or, on a router, the one of the interface towards its sender
    const host = this.#host
    const own = host.isLocal(header.destination) ? header.destination : host.sourceAddress(header.source)
    if (own === null) return
    const length = icmpQuoteLength(header.version, header.end - header.start)
    this.#send(own, header.source, type, code, word, frame.bytes, header.start, header.start + length)
  }

  #answerEcho(frame: Frame, header: PacketHeader, message: IcmpMessage): void {
    const type = header.version === 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY
    const { source, destination } = header
    this.#send(destination, source, type, 0, message.word, frame.bytes, message.bodyStart, message.bodyEnd)
  }

  /** An error is for the connection whose segment it quotes, found by exactly those addresses and ports. */
  #errorArrives(frame: Frame, header: PacketHeader, message: IcmpMessage, now: Instant): void {
    const kind = errorKind(message)
    if (kind === null || !message.hasQuotedSeq) return
    const host = this.#host
    const { quotedSource, quotedSourcePort, quotedDestination, quotedDestinationPort } = message
    const endpoint = host.connections.find(quotedSource, quotedSourcePort, quotedDestination, quotedDestinationPort)
    if (endpoint === null) {
      host.counters.count('IcmpInErrors')
      return
    }
    const error = this.#error
    error.kind = kind
    error.version = header.version
    error.type = message.type
    error.code = message.code
    error.mtu = message.kind === IcmpKind.PacketTooBig ? nextHopMtu(frame.bytes, message, host.settings) : 0
    error.quotedSeq = message.quotedSeq
    error.from = header.source
    endpoint.errorArrives(error, now)
    if (host.observer !== null) host.observer.settled(endpoint, now)
  }

  #send(
    source: IpAddress,
    destination: IpAddress,
    type: number,
    code: number,
    word: number,
    body: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): void {
    const host = this.#host
    const path = host.paths.to(destination)
    path.resolve()
    const { via } = path
    if (via === null) return
    const { isIPv4 } = destination
    const headerLength = isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
    const length = ICMP_HEADER_LENGTH + bodyEnd - bodyStart
    const frame = host.frames.allocate(headerLength + length)
    const { bytes, start } = frame
    writeIcmp(bytes, start + headerLength, source, destination, type, code, word, body, bodyStart, bodyEnd)
    const { ttl } = host.settings
    const identification = path.nextIdentification++
    if (isIPv4) {
      writeIPv4Header(bytes, start, length, IPPROTO_ICMP, source, destination, ttl, 0, identification & 0xffff, 0)
    } else writeIPv6Header(bytes, start, length, IPPROTO_ICMPV6, source, destination, ttl, 0, 0)
    host.counters.count('IcmpOutMsgs')
    if (frame.length > path.mtu) fragmentPacket(host, frame, path.mtu, identification, via)
    else queueFrame(via, frame)
  }

  #mayError(now: Instant): boolean {
    const earned = ((now - this.#creditAt) * ERRORS_PER_SECOND) / 1000
    this.#credit = Math.min(ERROR_BURST, this.#credit + Math.max(0, earned))
    this.#creditAt = now
    if (this.#credit < 1) {
      this.#host.counters.count('IcmpOutRateLimitHost')
      return false
    }
    this.#credit--
    return true
  }
}

/** RFC 1122 3.2.2: no error about an error. */
function isError4(type: number): boolean {
  return type === ICMP4_UNREACHABLE || type === 4 || type === ICMP4_REDIRECT || type === 11 || type === 12
}

/** True for multicast, broadcast and the unspecified address: nobody to answer. */
export function isGroupOrNobody(address: IpAddress): boolean {
  if (address.isIPv4) return address.w3 === 0 || address.w3 >>> 28 === 0xe || address.w3 === -1
  return address.w0 >>> 24 === 0xff || (address.w0 === 0 && address.w1 === 0 && address.w2 === 0 && address.w3 === 0)
}

/** RFC 1191 5: an MTU of 0 is from a router that does not know better; the next plateau below what was sent is tried. */
function nextHopMtu(bytes: Uint8Array, message: IcmpMessage, { mtuPlateaus }: Settings): number {
  if (message.mtu > 0 || message.version === 6 || !mtuPlateaus) return message.mtu
  const sent = read16(bytes, message.bodyStart + 2)
  return PLATEAUS.find((mtu) => mtu < sent) ?? 68
}

/** Codes 0-15 of ICMPv4 unreachable, and 0-6 of ICMPv6's, in TCP's words. */
const UNREACHABLE_4: readonly IcmpError['kind'][] = [
  'network-unreachable',
  'host-unreachable',
  'protocol-unreachable',
  'port-unreachable',
  'fragmentation-needed',
  'other-unreachable',
  'network-unreachable',
  'host-unreachable',
  'host-unreachable',
  'prohibited',
  'prohibited',
  'network-unreachable',
  'host-unreachable',
  'prohibited',
  'prohibited',
  'prohibited',
]
const UNREACHABLE_6: readonly IcmpError['kind'][] = [
  'network-unreachable',
  'prohibited',
  'other-unreachable',
  'host-unreachable',
  'port-unreachable',
  'prohibited',
  'prohibited',
]

/** What an error says in TCP's words; null: nothing TCP wants to know. */
function errorKind(message: IcmpMessage): IcmpError['kind'] | null {
  switch (message.kind) {
    case IcmpKind.Unreachable: {
      const codes = message.version === 4 ? UNREACHABLE_4 : UNREACHABLE_6
      return codes[message.code] ?? 'other-unreachable'
    }
    case IcmpKind.PacketTooBig:
      return message.version === 4 ? 'fragmentation-needed' : 'packet-too-big'
    case IcmpKind.TimeExceeded:
      return 'time-exceeded'
    case IcmpKind.ParameterProblem:
      return 'parameter-problem'
    case IcmpKind.SourceQuench:
      return 'source-quench'
    case IcmpKind.Redirect:
      return 'redirect'
    default:
      return null
  }
}
