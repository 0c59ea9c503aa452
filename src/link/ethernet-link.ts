import { type FrameReceiver, type InterfaceAddress, type Link, samePrefix } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import {
  ANY_IPV6,
  ARP_REPLY,
  ARP_REQUEST,
  BROADCAST_MAC,
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  etherType,
  type Frame,
  FrameAllocator,
  frameIsFor,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  type IpAddress,
  internAddress,
  type MacAddress,
  parseArp,
  read32,
  writeEthernetHeader,
} from '../wire/index.js'
import {
  ALL_NODES,
  advertisementFrame,
  arpFrame,
  groupMac,
  isNeighbourMessage,
  NO_MAC,
  parseNeighbourMessage,
  solicitationFrame,
  solicitedNodeGroup,
} from './ethernet-messages.js'
import { type Neighbour, NeighbourTable } from './ethernet-neighbours.js'

export interface EthernetOptions {
  readonly mac: MacAddress
  /** The addresses of the interface that stands on this link: they are answered for, and tell who is a neighbour. */
  readonly addresses: readonly InterfaceAddress[]
  /** Where packets for everybody else go, one for each family; none: everybody is asked for, as if a neighbour. */
  readonly gateways?: readonly IpAddress[]
}

export interface EthernetCounters {
  /** For another hardware address. */
  notForUs: number
  /** Neither IP nor ARP, or octets that contradict themselves. */
  droppedIn: number
  /** Not an IP packet. */
  droppedOut: number
  /** Frames lost because a neighbour did not answer in time. */
  unresolved: number
  /** Somebody else claimed an address of ours. */
  conflicts: number
}

/** An IP link over something that carries Ethernet frames: headers, ARP (RFC 826), neighbour discovery (RFC 4861). */
export class EthernetLink implements Link, FrameReceiver {
  receiver: FrameReceiver | null = null
  readonly mac: MacAddress
  readonly neighbours = new NeighbourTable()
  readonly ethernetCounters: EthernetCounters = {
    notForUs: 0,
    droppedIn: 0,
    droppedOut: 0,
    unresolved: 0,
    conflicts: 0,
  }
  readonly #carrier: Link
  readonly #addresses: readonly InterfaceAddress[]
  readonly #gateways: readonly IpAddress[]
  readonly #frames = new FrameAllocator()
  /** Frames for the carrier, made during the current call; and IP packets for the receiver. */
  #out: Frame[] = []
  #in: Frame[] = []

  /** @param carrier a link whose frames are Ethernet frames */
  constructor(carrier: Link, options: EthernetOptions) {
    this.#carrier = carrier
    this.mac = options.mac
    this.#addresses = options.addresses
    this.#gateways = options.gateways ?? []
    carrier.receiver = this
  }

  get mtu(): number {
    return this.#carrier.mtu
  }

  get maxSuperSegment(): number {
    return this.#carrier.maxSuperSegment
  }

  get checksumOffload(): boolean {
    return this.#carrier.checksumOffload
  }

  transmit(frames: readonly Frame[], count: number, now: Instant): void {
    for (let i = 0; i < count; i++) this.#send(frames[i]!, now)
    this.#flush(now)
  }

  receive(frames: readonly Frame[], count: number, now: Instant): void {
    for (let i = 0; i < count; i++) this.#frameArrives(frames[i]!, now)
    this.#flush(now)
    const arrived = this.#in
    if (arrived.length === 0) return
    this.#in = []
    this.receiver?.receive(arrived, arrived.length, now)
    arrived.length = 0
    this.#in = arrived
  }

  /** Tells the neighbours which addresses are here, so that they forget who had them before (RFC 5227 2.3, 4861 7.2.6). */
  announce(now: Instant): void {
    for (const { address } of this.#addresses) {
      this.#out.push(
        address.isIPv4
          ? this.#arp(ARP_REQUEST, address, NO_MAC, address, BROADCAST_MAC)
          : advertisementFrame(this.#frames, this.mac, address, ALL_NODES, groupMac(ALL_NODES)),
      )
    }
    this.#flush(now)
  }

  #flush(now: Instant): void {
    const out = this.#out
    if (out.length === 0) return
    this.#carrier.transmit(out, out.length, now)
    out.length = 0
  }

  #send(frame: Frame, now: Instant): void {
    const destination = destinationOf(frame)
    if (destination === null) {
      this.ethernetCounters.droppedOut++
      return
    }
    const mac = this.#groupMac(destination)
    if (mac !== null) return this.#sendTo(mac, frame)
    const neighbour = this.neighbours.at(this.#nextHop(destination))
    const disposition = neighbour.disposition(now)
    if (disposition === 'wait and ask' || disposition === 'send and ask') this.#ask(neighbour, frame)
    if (neighbour.mac !== null) this.#sendTo(neighbour.mac, frame)
    else if (!neighbour.keep(frame)) this.ethernetCounters.unresolved++
  }

  /** The header goes before the packet, where there is room for it. */
  #sendTo(mac: MacAddress, packet: Frame): void {
    let frame = packet
    if (packet.start < ETHERNET_HEADER_LENGTH) {
      frame = this.#frames.allocate(ETHERNET_HEADER_LENGTH + packet.length)
      frame.bytes.set(packet.view(), frame.start + ETHERNET_HEADER_LENGTH)
      frame.gsoSize = packet.gsoSize
      frame.checksumPartial = packet.checksumPartial
    } else frame.start -= ETHERNET_HEADER_LENGTH
    const { bytes, start } = frame
    const type = bytes[start + ETHERNET_HEADER_LENGTH]! >>> 4 === 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6
    writeEthernetHeader(bytes, start, mac, this.mac, type)
    this.#out.push(frame)
  }

  /** Hardware address of a group or of all; null: `address` is one host's. */
  #groupMac(address: IpAddress): MacAddress | null {
    const { w3 } = address
    if (!address.isIPv4) return address.w0 >>> 24 === 0xff ? groupMac(address) : null
    if (w3 >>> 28 === 0xe) return groupMac(address)
    if (w3 === -1) return BROADCAST_MAC
    for (const own of this.#addresses) {
      const hostBits = 32 - own.prefixLength
      if (hostBits < 2 || !own.address.isIPv4 || !samePrefix(own.address, address, 96 + own.prefixLength)) continue
      const broadcast = hostBits === 32 ? -1 : own.address.w3 | ((1 << hostBits) - 1)
      if (w3 === broadcast) return BROADCAST_MAC
    }
    return null
  }

  #nextHop(destination: IpAddress): IpAddress {
    if (this.#gateways.length === 0) return destination
    // fe80::/10 is on every link
    if (!destination.isIPv4 && destination.w0 >>> 22 === 0x3fa) return destination
    for (const { address, prefixLength } of this.#addresses) {
      if (samePrefix(address, destination, address.isIPv4 ? 96 + prefixLength : prefixLength)) return destination
    }
    return this.#gateways.find((gateway) => gateway.isIPv4 === destination.isIPv4) ?? destination
  }

  /** Asks for a neighbour's hardware address: all that may have it, or it alone where it was last. */
  #ask(neighbour: Neighbour, frame: Frame): void {
    const { address, mac } = neighbour
    const source = this.#sourceFor(address, frame)
    if (source === null) return
    if (address.isIPv4) this.#out.push(this.#arp(ARP_REQUEST, source, NO_MAC, address, mac ?? BROADCAST_MAC))
    else {
      const group = mac === null ? solicitedNodeGroup(address) : address
      this.#out.push(solicitationFrame(this.#frames, this.mac, source, address, group, mac ?? groupMac(group)))
    }
  }

  /** RFC 4861 7.2.2: the packet's own source address, if it is ours; else another one (RFC 1122 3.3.4.2). */
  #sourceFor(address: IpAddress, frame: Frame): IpAddress | null {
    const { bytes, start } = frame
    const source = address.isIPv4 ? address4(bytes, start + 12) : address6(bytes, start + 8)
    if (this.#isOurs(source)) return source
    return this.#addresses.find((own) => own.address.isIPv4 === address.isIPv4)?.address ?? null
  }

  #frameArrives(frame: Frame, now: Instant): void {
    const { bytes, start, end } = frame
    const type = etherType(bytes, start, end)
    if (type >= 0 && !frameIsFor(bytes, start, this.mac)) {
      this.ethernetCounters.notForUs++
      return
    }
    const packet = start + ETHERNET_HEADER_LENGTH
    if (type === ETHERTYPE_ARP) return this.#arpArrives(bytes, packet, end, now)
    if (type === ETHERTYPE_IPV6 && isNeighbourMessage(bytes, packet, end)) {
      return this.#neighbourMessageArrives(frame, packet, now)
    }
    if (type !== ETHERTYPE_IPV4 && type !== ETHERTYPE_IPV6) {
      this.ethernetCounters.droppedIn++
      return
    }
    frame.start = packet
    this.#in.push(frame)
  }

  #arpArrives(bytes: Uint8Array, start: number, end: number, now: Instant): void {
    const packet = parseArp(bytes, start, end)
    if (packet === null || !isHostMac(packet.senderMac)) {
      this.ethernetCounters.droppedIn++
      return
    }
    const { senderAddress, senderMac, targetAddress } = packet
    if (this.#isOurs(senderAddress)) {
      this.ethernetCounters.conflicts++
      return
    }
    const isForUs = this.#isOurs(targetAddress)
    // RFC 826: what is known is updated; somebody new only when it talks to us. RFC 5227: a probe has no sender
    if (senderAddress.w3 !== 0) {
      const known = this.neighbours.find(senderAddress) ?? (isForUs ? this.neighbours.at(senderAddress) : null)
      if (known !== null) this.#heard(known, senderMac, now)
    }
    if (!isForUs || packet.operation !== ARP_REQUEST) return
    this.#out.push(this.#arp(ARP_REPLY, targetAddress, senderMac, senderAddress, senderMac))
  }

  #neighbourMessageArrives(frame: Frame, ip: number, now: Instant): void {
    const message = parseNeighbourMessage(frame, ip)
    if (message === null || (message.mac !== null && !isHostMac(message.mac))) {
      this.ethernetCounters.droppedIn++
      return
    }
    const { source, target, mac } = message
    if (!message.isSolicitation) {
      if (this.#isOurs(target)) this.ethernetCounters.conflicts++
      const neighbour = this.neighbours.find(target)
      if (neighbour === null) return
      // RFC 4861 7.2.5: without the flag, another hardware address than the one known is not believed
      if (mac !== null && (neighbour.mac === null || message.override)) this.#heard(neighbour, mac, now)
      else if (neighbour.mac !== null && (mac === null || sameMac(mac, neighbour.mac)))
        neighbour.heard(neighbour.mac, now)
      return
    }
    if (!this.#isOurs(target)) return
    if (source.equals(ANY_IPV6)) {
      // somebody wants our address and asks whether it is free (RFC 4862 5.4): all are told that it is not
      this.#out.push(advertisementFrame(this.#frames, this.mac, target, ALL_NODES, groupMac(ALL_NODES)))
      return
    }
    if (mac !== null) this.#heard(this.neighbours.at(source), mac, now)
    const to = mac ?? this.neighbours.find(source)?.mac ?? null
    if (to !== null) this.#out.push(advertisementFrame(this.#frames, this.mac, target, source, to))
  }

  /** What waited for a neighbour is sent to it. */
  #heard(neighbour: Neighbour, mac: MacAddress, now: Instant): void {
    neighbour.heard(mac, now)
    const { waiting } = neighbour
    if (waiting.length === 0) return
    neighbour.waiting = []
    for (let i = 0; i < waiting.length; i++) this.#sendTo(mac, waiting[i]!)
  }

  #arp(
    operation: number,
    senderAddress: IpAddress,
    targetMac: MacAddress,
    targetAddress: IpAddress,
    to: MacAddress,
  ): Frame {
    return arpFrame(this.#frames, to, { operation, senderMac: this.mac, senderAddress, targetMac, targetAddress })
  }

  #isOurs(address: IpAddress): boolean {
    for (let i = 0; i < this.#addresses.length; i++) if (this.#addresses[i]!.address.equals(address)) return true
    return false
  }
}

/** Where an IP packet goes; null: it is none. */
function destinationOf({ bytes, start, end }: Frame): IpAddress | null {
  if (end > bytes.length || end - start < IPV4_HEADER_LENGTH) return null
  const version = bytes[start]! >>> 4
  if (version === 4) return address4(bytes, start + 16)
  return version === 6 && end - start >= IPV6_HEADER_LENGTH ? address6(bytes, start + 24) : null
}

function address4(bytes: Uint8Array, at: number): IpAddress {
  return internAddress(0, 0, 0xffff, read32(bytes, at))
}

function address6(bytes: Uint8Array, at: number): IpAddress {
  return internAddress(read32(bytes, at), read32(bytes, at + 4), read32(bytes, at + 8), read32(bytes, at + 12))
}

/** RFC 1812 3.3.2: a group's hardware address, or none, is not believed to be a host's. */
function isHostMac(mac: MacAddress): boolean {
  return (mac[0]! & 1) === 0 && !sameMac(mac, NO_MAC)
}

function sameMac(a: MacAddress, b: MacAddress): boolean {
  for (let i = 0; i < 6; i++) if (a[i] !== b[i]) return false
  return true
}
