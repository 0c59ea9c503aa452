import { type Endpoint, type Instant, type Observer, segmentForNobody, segmentOverUdp } from '../tcp/index.js'
import {
  DropReason,
  Frame,
  ICMP4_PORT,
  ICMP4_PROTOCOL,
  ICMP4_SOURCE_ROUTE_FAILED,
  ICMP4_TIME_EXCEEDED,
  ICMP4_UNREACHABLE,
  ICMP6_PARAMETER_PROBLEM,
  ICMP6_PORT,
  ICMP6_TIME_EXCEEDED,
  ICMP6_UNREACHABLE,
  IcmpMessage,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_NONE,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_HEADER_LENGTH,
  type IpAddress,
  nextOfRoute,
  PacketHeader,
  parsePacket,
  parsePlainPacket,
  parseTcp,
  parseUdp,
  recordInRoute,
  returnRoute,
  routeIsComplete,
  Segment,
  SYN,
  sourceRouteAt,
  takePacketHeader,
  UdpHeader,
  write32,
} from '../wire/index.js'
import { forwardPacket } from './forwarding.js'
import type { Host } from './host.js'
import { Icmp, isGroupOrNobody } from './icmp.js'
import type { NetworkInterface } from './network-interface.js'
import { Reassembly } from './reassembly.js'
import { ReceiveOffload } from './receive-offload.js'

/** ICMP code 1 of time exceeded: fragments did not become whole in time; code 1 of ICMPv6 parameter problem. */
const REASSEMBLY_TIME = 1
const UNKNOWN_NEXT_HEADER = 1

/** One that was joined to another, for observers. */
const joinedHeader = new PacketHeader()
const joined = new Segment()

/** What a host does with a frame. Whatever the octets are, nothing is thrown: what makes no sense is dropped and counted. */
export class Receiver {
  readonly #host: Host
  readonly #icmp: Icmp
  readonly #reassembly: Reassembly
  readonly #header = new PacketHeader()
  readonly #segment = new Segment()
  readonly #message = new IcmpMessage()
  readonly #udp = new UdpHeader()
  readonly #offload = new ReceiveOffload(this.#segment)
  /** Of the plain packet before: a packet like that may come, and is for this host. */
  #lastFrom: NetworkInterface | null = null
  #lastSource: IpAddress | null = null
  #lastDestination: IpAddress | null = null

  constructor(host: Host) {
    this.#host = host
    this.#icmp = new Icmp(host)
    this.#reassembly = new Reassembly(
      (timed) => host.schedule(timed),
      (first, now) => this.#reassemblyTimedOut(first, now),
    )
  }

  clear(): void {
    this.#reassembly.clear()
  }

  /**
   * Reads a frame and does what it asks for, or holds it back to join others to it until `deliver`. A lent frame is
   * released as soon as nothing of it is needed.
   */
  frameArrives(from: NetworkInterface, frame: Frame, now: Instant): void {
    const offload = this.#offload
    if (offload.endpoint !== null) {
      if (offload.joins(frame)) {
        this.#host.counters.segmentsIn++
        if (this.#host.observer !== null) this.#tellOfJoined(frame, this.#host.observer, now)
        return
      }
      // its ACK may wait for what this frame brings
      const more = this.#host.moreArriving
      this.#host.moreArriving = true
      this.deliver(now)
      this.#host.moreArriving = more
    }
    if (!this.#plainPacketArrives(from, frame, now)) this.#readFrame(from, frame, now)
    if (offload.first !== frame) frame.release()
  }

  /** A packet as nearly all of a connection are; false: it is to be read like any other. */
  #plainPacketArrives(from: NetworkInterface, frame: Frame, now: Instant): boolean {
    const segment = this.#segment
    if (!parsePlainPacket(frame, segment)) return false
    const { source, destination } = segment
    if (source !== this.#lastSource || destination !== this.#lastDestination || from !== this.#lastFrom) {
      if (!this.#isFrom(from, source) || !this.#isForUs(from, destination)) return false
      this.#lastSource = source
      this.#lastDestination = destination
      this.#lastFrom = from
    }
    const host = this.#host
    const endpoint = host.connections.find(destination, segment.destinationPort, source, segment.sourcePort)
    if (endpoint === null) return false
    host.counters.segmentsIn++
    this.#segmentIsFor(endpoint, frame, now)
    return true
  }

  /** A segment for an endpoint, which gets it now or joined with what comes next. */
  #segmentIsFor(endpoint: Endpoint, frame: Frame, now: Instant): void {
    const host = this.#host
    const segment = this.#segment
    segment.gsoSize = frame.gsoSize
    segment.slab = frame.slab
    if (host.observer !== null) host.observer.segmentReceived(endpoint, segment, now)
    if (host.offloads && host.moreArriving && this.#offload.holds(endpoint, frame)) return
    endpoint.segmentArrives(segment, now)
    if (host.observer !== null) host.observer.settled(endpoint, now)
  }

  /** No more frames come: what is held back is delivered. */
  deliver(now: Instant): void {
    const { endpoint } = this.#offload
    if (endpoint === null) return
    this.#offload.deliver(now)
    if (this.#host.observer !== null) this.#host.observer.settled(endpoint, now)
  }

  /** What was joined to a segment that is held back: an observer sees each as it was on the link. */
  #tellOfJoined(frame: Frame, observer: Observer, now: Instant): void {
    const { endpoint, headerLength } = this.#offload
    if (parsePacket(frame.bytes, frame.start - headerLength, frame.end, joinedHeader) !== null) return
    takePacketHeader(joined, joinedHeader)
    if (parseTcp(frame.bytes, joinedHeader.payloadStart, joinedHeader.payloadEnd, joined, false) !== null) return
    observer.segmentReceived(endpoint, joined, now)
  }

  /** Whoever keeps frames, or views of them, must get one that is not lent. */
  #lentArrives(from: NetworkInterface, frame: Frame, now: Instant): void {
    const kept = this.#host.frames.allocate(frame.length)
    kept.bytes.set(frame.view(), kept.start)
    kept.gsoSize = frame.gsoSize
    kept.checksumPartial = frame.checksumPartial
    this.#readFrame(from, kept, now)
  }

  #readFrame(from: NetworkInterface, frame: Frame, now: Instant): void {
    const header = this.#header
    const problem = parsePacket(frame.bytes, frame.start, frame.end, header)
    if (problem !== null) return this.#host.drop(null, problem, now)
    if (!this.#isFrom(from, header.source)) return this.#host.drop(null, DropReason.BadSourceAddress, now)
    const forUs = this.#isForUs(from, header.destination)
    const plain = forUs && header.protocol === IPPROTO_TCP && !header.isFragment && !hasOptions(header)
    if (frame.slab !== null && !plain) return this.#lentArrives(from, frame, now)
    if (!forUs) {
      if (this.#host.forwarding) forwardPacket(this.#host, this.#icmp, from, frame, header, this.#segment, now)
      else this.#host.drop(null, DropReason.NotForUs, now)
      return
    }
    if (hasOptions(header) && this.#isUnderWay(from, frame, now)) return
    if (!header.isFragment) return this.#packetArrives(frame, now)
    const whole = this.#reassembly.add(frame.bytes, header, this.#host.frames, now)
    if (whole === 'waiting') return
    if (whole === 'dropped') return this.#host.drop(null, DropReason.FragmentDropped, now)
    const cause = parsePacket(whole.bytes, whole.start, whole.end, header)
    if (cause !== null || header.isFragment) return this.#host.drop(null, cause ?? DropReason.FragmentDropped, now)
    this.#packetArrives(whole, now)
  }

  /**
   * A packet with IPv4 options: true when its source route is not accepted, or is not at its end: only a router sends it
   * on (RFC 1122 3.3.5, RFC 1812 5.2.4.1).
   */
  #isUnderWay(from: NetworkInterface, frame: Frame, now: Instant): boolean {
    const host = this.#host
    const header = this.#header
    const { bytes } = frame
    const at = sourceRouteAt(bytes, header.start + IPV4_HEADER_LENGTH, header.payloadStart)
    if (at < 0) return false
    if (!host.settings.acceptSourceRoute) {
      host.drop(null, DropReason.SourceRoute, now)
      return true
    }
    if (routeIsComplete(bytes, at)) return false
    const next = nextOfRoute(bytes, at)
    const own = host.sourceAddress(next)
    if (!host.forwarding || own === null) {
      this.#icmp.sendError(frame, header, ICMP4_UNREACHABLE, ICMP4_SOURCE_ROUTE_FAILED, 0, now)
      host.drop(null, DropReason.SourceRoute, now)
      return true
    }
    recordInRoute(bytes, at, own)
    write32(bytes, header.start + 16, next.w3)
    header.destination = next
    forwardPacket(host, this.#icmp, from, frame, header, this.#segment, now)
    return true
  }

  /** A whole packet for this host, described by the header. */
  #packetArrives(frame: Frame, now: Instant): void {
    const header = this.#header
    switch (header.protocol) {
      case IPPROTO_TCP:
        return this.#segmentArrives(frame, now)
      case IPPROTO_ICMP:
        if (header.version === 4) return this.#icmp.messageArrives(frame, header, this.#message, now)
        break
      case IPPROTO_ICMPV6:
        if (header.version === 6) return this.#icmp.messageArrives(frame, header, this.#message, now)
        break
      case IPPROTO_UDP:
        return this.#datagramArrives(frame, now)
      case IPPROTO_NONE:
        if (header.version === 6) return
        break
    }
    this.#host.drop(null, DropReason.UnknownProtocol, now)
    if (header.version === 4) this.#icmp.sendError(frame, header, ICMP4_UNREACHABLE, ICMP4_PROTOCOL, 0, now)
    // RFC 4443 3.4: the pointer is to the next-header field, here always taken for that of the fixed header
    else this.#icmp.sendError(frame, header, ICMP6_PARAMETER_PROBLEM, UNKNOWN_NEXT_HEADER, 6, now)
  }

  #segmentArrives(frame: Frame, now: Instant): void {
    const host = this.#host
    const header = this.#header
    const segment = this.#segment
    takePacketHeader(segment, header)
    if (hasOptions(header)) {
      segment.ipOptions = returnRoute(frame.bytes, header.start + IPV4_HEADER_LENGTH, header.payloadStart)
    }
    const problem = parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, segment, !frame.checksumPartial)
    host.counters.segmentsIn++
    if (problem !== null) {
      host.counters.count(problem === DropReason.BadTcpChecksum ? 'TcpInCsumErrors' : 'TcpInErrs')
      return host.drop(null, problem, now)
    }
    // MUST-63: nobody has the broadcast address of a network
    if (segment.flags & SYN && host.isBroadcast(segment.source)) {
      return host.drop(null, DropReason.BadSourceAddress, now)
    }
    const { source, destination, sourcePort, destinationPort } = segment
    const endpoint =
      host.connections.find(destination, destinationPort, source, sourcePort) ??
      host.connections.findListener(destination, destinationPort, source, sourcePort)
    if (endpoint !== null) return this.#segmentIsFor(endpoint, frame, now)
    segment.gsoSize = frame.gsoSize
    segment.slab = frame.slab
    if (host.observer !== null) host.observer.segmentReceived(null, segment, now)
    const bound = host.ports.boundTo(destination, destinationPort)?.socket ?? undefined
    segmentForNobody(host, segment, now, false, bound)
  }

  /** A TCP segment in UDP (FreeBSD); its checksum is that of the datagram. */
  #segmentInUdpArrives(frame: Frame, now: Instant): void {
    const host = this.#host
    const segment = this.#segment
    const udp = this.#udp
    takePacketHeader(segment, this.#header)
    const problem = parseTcp(frame.bytes, udp.dataStart, udp.dataEnd, segment, false)
    host.counters.segmentsIn++
    if (problem !== null) return host.drop(null, problem, now)
    segment.slab = null
    segment.udpSourcePort = udp.sourcePort
    segment.udpDestinationPort = udp.destinationPort
    const { source, destination, sourcePort, destinationPort } = segment
    const endpoint = host.connections.find(destination, destinationPort, source, sourcePort)
    if (host.observer !== null) host.observer.segmentReceived(endpoint, segment, now)
    segmentOverUdp(host, segment, endpoint, now)
    segment.udpSourcePort = 0
    segment.udpDestinationPort = 0
  }

  /** This host has no UDP sockets: every port is closed, but for the one of TCP over UDP. */
  #datagramArrives(frame: Frame, now: Instant): void {
    const header = this.#header
    const problem = parseUdp(frame.bytes, header, this.#udp, !frame.checksumPartial)
    if (problem !== null) return this.#host.drop(null, problem, now)
    const { udpTunnelingPort } = this.#host.settings
    if (udpTunnelingPort !== 0 && this.#udp.destinationPort === udpTunnelingPort) {
      return this.#segmentInUdpArrives(frame, now)
    }
    this.#host.counters.count('UdpNoPorts')
    if (header.version === 4) this.#icmp.sendError(frame, header, ICMP4_UNREACHABLE, ICMP4_PORT, 0, now)
    else this.#icmp.sendError(frame, header, ICMP6_UNREACHABLE, ICMP6_PORT, 0, now)
  }

  #reassemblyTimedOut(first: Uint8Array, now: Instant): void {
    const header = this.#header
    const frame = new Frame(first, 0, first.length)
    if (parsePacket(first, 0, first.length, header) !== null) return
    const type = header.version === 4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED
    this.#icmp.sendError(frame, header, type, REASSEMBLY_TIME, 0, now)
  }

  /** MUST-63: no answer to a source that is not one host; RFC 1122 3.2.1.3 g: 127/8 never comes from outside. */
  #isFrom(from: NetworkInterface, source: IpAddress): boolean {
    return !isGroupOrNobody(source) && (!isLoopback(source) || from === this.#host.loopback)
  }

  /** The interface's own addresses are looked at first; then any of the host's, as its model is a weak one (RFC 1122 3.3.4.2). */
  #isForUs(from: NetworkInterface, destination: IpAddress): boolean {
    if (from.hasAddress(destination)) return true
    if (isLoopback(destination)) return from === this.#host.loopback
    return this.#host.isLocal(destination)
  }
}

const hasOptions = ({ version, start, payloadStart }: PacketHeader): boolean =>
  version === 4 && payloadStart - start > IPV4_HEADER_LENGTH

function isLoopback(address: IpAddress): boolean {
  if (address.isIPv4) return address.w3 >>> 24 === 127
  return address.w3 === 1 && address.w2 === 0 && address.w1 === 0 && address.w0 === 0
}
