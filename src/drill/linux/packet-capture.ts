import type { CLibrary, Memory } from './c-library.js'
import { LITTLE, type MessageMemory, msghdr, readTimespec } from './structs.js'

const AF_PACKET = 17
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const ETH_P_ALL = 3
const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const SO_TIMESTAMPNS = 35
const PACKET_OUTGOING = 4

/** Octets; a burst of super-segments must not be lost. */
const ROOM = 16 * 1024 * 1024
const LARGEST_PACKET = 65_600
const CONTROL_ROOM = 64

/** What an interface sends, with the kernel's own times: a packet socket. */
export class PacketCapture {
  readonly fd: number
  readonly #c: CLibrary
  readonly #text: Memory
  readonly #from: Memory
  readonly #message: MessageMemory

  constructor(c: CLibrary, device: string) {
    this.#c = c
    const { call, memory } = c
    const protocol = ((ETH_P_ALL & 0xff) << 8) | (ETH_P_ALL >> 8)
    this.fd = call.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
    if (this.fd < 0) throw new Error(`No packet socket on '${device}' (error ${c.errno()}).`)
    const number = memory(4)
    const set = (option: number, value: number) => {
      number.view.setInt32(0, value, LITTLE)
      call.setsockopt(this.fd, SOL_SOCKET, option, number.address, 4)
    }
    set(SO_RCVBUFFORCE, ROOM)
    set(SO_TIMESTAMPNS, 1)
    const name = memory(new TextEncoder().encode(`${device}\0`))
    const address = memory(20)
    address.view.setUint16(0, AF_PACKET, LITTLE)
    address.view.setUint16(2, protocol, LITTLE)
    address.view.setInt32(4, call.if_nametoindex(name.address), LITTLE)
    if (call.bind(this.fd, address.address, 20) < 0)
      throw new Error(`No packets from '${device}' (error ${c.errno()}).`)
    this.#text = memory(LARGEST_PACKET)
    this.#from = memory(20)
    this.#message = msghdr(c, this.#text, this.#from, CONTROL_ROOM)
  }

  /** The next packet that was sent, and when (ns of the wall clock); null: there is none now. */
  next(): { packet: Uint8Array; at: bigint } | null {
    const { call } = this.#c
    const { header, control } = this.#message
    for (;;) {
      header.view.setUint32(8, 20, LITTLE)
      header.view.setBigUint64(40, BigInt(CONTROL_ROOM), LITTLE)
      const length = call.recvmsg(this.fd, header.address, 0)
      if (length < 0) return null
      if (this.#from.view.getUint8(10) !== PACKET_OUTGOING) continue
      return { packet: this.#text.bytes.slice(0, length), at: readTimespec(control!.view, 16) }
    }
  }

  close(): void {
    this.#c.call.close(this.fd)
  }
}
