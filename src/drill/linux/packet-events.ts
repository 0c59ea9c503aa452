import type { Observer } from '../../tcp/index.js'
import { IPPROTO_TCP, PacketHeader, parsePacket, parseTcp, Segment, takePacketHeader } from '../../wire/index.js'

/** Tells a log of the packets to and from a kernel, which tells nothing of itself. */
export class PacketEvents {
  readonly #observer: Observer
  readonly #header = new PacketHeader()
  readonly #segment = new Segment()

  constructor(observer: Observer) {
    this.#observer = observer
  }

  sent(packet: Uint8Array, at: number): void {
    if (this.#read(packet)) this.#observer.segmentSent(null, this.#segment, false, at)
  }

  received(packet: Uint8Array, at: number): void {
    if (this.#read(packet)) this.#observer.segmentReceived(null, this.#segment, at)
  }

  #read(packet: Uint8Array): boolean {
    const header = this.#header
    if (parsePacket(packet, 0, packet.length, header) !== null || header.protocol !== IPPROTO_TCP) return false
    takePacketHeader(this.#segment, header)
    return parseTcp(packet, header.payloadStart, header.payloadEnd, this.#segment, false) === null
  }
}
