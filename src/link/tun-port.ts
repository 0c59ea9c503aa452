import { Socket } from 'node:net'
import type { FrameReceiver, Link } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import { type Frame, TextElsewhere } from '../wire/index.js'
import { MAX_SUPER_SEGMENT } from './memory-pipe.js'
import type { OpenedInterface } from './tun-interface.js'
import { ReceiveSlab } from './tun-slab.js'
import { AF_UNIX, EAGAIN, EINTR, errorName, O_CLOEXEC, SOCK_STREAM, type System } from './tun-system.js'
import { readVnetHeader, VNET_HEADER_LENGTH, writeVnetHeader } from './tun-vnet-header.js'

/** What went through a device. A super-segment counts as one frame. */
export interface TunCounters {
  framesIn: number
  octetsIn: number
  superSegmentsIn: number
  /** How often the event loop found something to read: framesIn / wakes is the size of a batch. */
  wakes: number
  framesOut: number
  octetsOut: number
  superSegmentsOut: number
  /** From the kernel, and not understood. */
  droppedIn: number
  /** Not handed to the kernel: the octets contradict themselves, or the device is closed. */
  droppedOut: number
  /** Handed to the kernel, which refused them (`lastRefusal` says why): interface down, no memory, a malformed packet. */
  refusedOut: number
  lastRefusal: string | null
}

/** Read at one go before other events get their turn. */
const MOST_FRAMES = 64
const MOST_OCTETS = 512 * 1024

/**
 * A packet no longer than this that comes after others that came alone is taken to be alone too, without the system call
 * that would say so; of so many only the last is not. Should there be more, the event loop comes back at once.
 */
const SMALL = 576
const ASK_AFTER = 4

const LONGEST_PACKET = 65_535

/** Of a frame: its packet header, its octets, and what lies elsewhere. */
const MOST_PIECES = 2 + TextElsewhere.MOST

/** Stands in slots of the batch that hold nothing, so that slabs are not kept alive. */
const NOTHING = null as unknown as Frame

/**
 * An open TUN or TAP device as a carrier of what it carries, IP packets or Ethernet frames.
 *
 * Node waits for a device in its own event loop, without a thread: the device takes the place (dup3) of one end of a
 * socket pair that a net.Socket was opened on. The socket reads the first packet of a batch; the others are read by
 * direct system calls, 0.3 us above the kernel's own time. `ping -f` sends one every 16 us then, for 12 us of processor
 * time each; waiting with poll() on a thread of koffi's makes it 23 us and 24 us; a worker's wake-up takes longer still.
 */
export class TunPort implements Link {
  readonly name: string
  readonly mtu: number
  readonly maxSuperSegment: number
  readonly checksumOffload: boolean
  readonly copies = true
  /** With checksums left to the device nobody here looks at text that lies elsewhere. */
  readonly gathers: boolean
  receiver: FrameReceiver | null = null
  readonly counters: TunCounters = {
    framesIn: 0,
    octetsIn: 0,
    superSegmentsIn: 0,
    wakes: 0,
    framesOut: 0,
    octetsOut: 0,
    superSegmentsOut: 0,
    droppedIn: 0,
    droppedOut: 0,
    refusedOut: 0,
    lastRefusal: null,
  }
  /** Fulfilled when the device is closed: with null by `close`, with an error when the interface was taken away. */
  readonly closed: Promise<Error | null>

  readonly #system: System
  readonly #linkLength: number
  readonly #now: () => Instant
  readonly #socket: Socket
  readonly #slab: ReceiveSlab
  #fd = -1
  /** How many wakes in a row found one packet. */
  #aloneBefore = 0
  #failure: Error | null = null

  readonly #batch: Frame[] = []
  /** iovecs, address and length of 64 bits each: the packet header, the frame, and text that lies elsewhere. */
  readonly #vectors = new Uint32Array(4 * MOST_PIECES)
  readonly #vectorsAddress: number
  readonly #header = new Uint8Array(VNET_HEADER_LENGTH)
  readonly #addresses = new WeakMap<ArrayBufferLike, number>()
  #lastBuffer: ArrayBufferLike | null = null
  #lastAddress = 0

  /** @param linkLength octets of link header that frames start with: 0 or 14 */
  constructor(system: System, opened: OpenedInterface, linkLength: number, offloads: boolean, now: () => Instant) {
    this.#system = system
    this.name = opened.name
    this.mtu = opened.mtu
    this.maxSuperSegment = offloads ? MAX_SUPER_SEGMENT : 0
    this.checksumOffload = offloads
    this.gathers = offloads
    this.#linkLength = linkLength
    this.#now = now
    this.#slab = new ReceiveSlab(system, linkLength)
    this.#vectorsAddress = system.addressOf(this.#vectors.buffer)
    this.#socket = this.#openSocket(opened.fd)
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#slab.close()
        resolve(this.#failure)
      })
    })
  }

  transmit(frames: readonly Frame[], count: number): void {
    for (let i = 0; i < count; i++) this.#write(frames[i]!)
  }

  /** Closes the device; the kernel removes its interface, unless it was made to stay. */
  async close(): Promise<void> {
    this.#fd = -1
    this.#socket.destroy()
    await this.closed
  }

  unref(): void {
    this.#socket.unref()
  }

  /** Puts the device below a socket of the event loop, whose descriptor it has from then on. */
  #openSocket(device: number): Socket {
    const system = this.#system
    const pair = new Int32Array(2)
    if (system.socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, pair) < 0) {
      system.close(device)
      throw new Error(`No socket for '${this.name}' (${errorName(system.errno())}).`)
    }
    const [fd, other] = pair as unknown as [number, number]
    const options = {
      fd,
      readable: true,
      writable: false,
      manualStart: true,
      onread: { buffer: () => this.#slab.view(), callback: (length: number) => this.#wake(length) },
    }
    const socket = new Socket(options)
    socket.on('error', (error) => this.#fail(error))
    const moved = system.dup3(device, fd, O_CLOEXEC)
    const errno = moved < 0 ? system.errno() : 0
    system.close(other)
    system.close(device)
    if (moved < 0) {
      socket.destroy()
      throw new Error(`No descriptor for '${this.name}' (${errorName(errno)}).`)
    }
    this.#fd = fd
    socket.resume()
    return socket
  }

  /** The socket has read one packet of `length` octets to where the slab said; what else waits is read here. */
  #wake(length: number): boolean {
    const system = this.#system
    const slab = this.#slab
    this.counters.wakes++
    slab.lends = this.receiver?.releasesFrames === true
    let count = this.#take(length, 0)
    let octets = length
    const most = length <= SMALL && this.#aloneBefore % ASK_AFTER !== 0 ? 1 : MOST_FRAMES
    for (let reads = 1; reads < most && octets < MOST_OCTETS; reads++) {
      const read = system.read(this.#fd, slab.address, slab.room)
      if (read < 0) {
        const errno = system.errno()
        if (errno === EINTR) continue
        if (errno !== EAGAIN) this.#fail(new Error(`Reading from '${this.name}' failed (${errorName(errno)}).`))
        break
      }
      octets += read
      count = this.#take(read, count)
    }
    this.#aloneBefore = count > 1 ? 0 : this.#aloneBefore + 1
    const batch = this.#batch
    if (this.receiver !== null) this.receiver.receive(batch, count, this.#now())
    for (let i = 0; i < count; i++) batch[i] = NOTHING
    return true
  }

  /** Makes a frame of the octets just read; gives how many the batch holds then. */
  #take(length: number, count: number): number {
    const { counters } = this
    const slab = this.#slab
    const { bytes, at } = slab
    const start = at + VNET_HEADER_LENGTH
    const end = at + length
    if (end <= start) {
      counters.droppedIn++
      return count
    }
    const frame = slab.cut(start, end)
    if (!readVnetHeader(bytes, at, frame)) {
      counters.droppedIn++
      frame.release()
      return count
    }
    counters.framesIn++
    counters.octetsIn += end - start
    if (frame.gsoSize > 0) counters.superSegmentsIn++
    this.#batch[count] = frame
    return count + 1
  }

  #write(frame: Frame): void {
    const { counters } = this
    const { bytes, start, end, elsewhere } = frame
    const length = end - start + (elsewhere === null ? 0 : elsewhere.octets)
    const linkLength = this.#linkLength
    const isWithin = start >= 0 && end <= bytes.length && length > linkLength && length <= linkLength + LONGEST_PACKET
    // most frames have room before them for the packet header (HEADROOM): one piece is written faster than two
    const isWhole = start >= VNET_HEADER_LENGTH
    const header = isWhole ? bytes : this.#header
    const headerAt = isWhole ? start - VNET_HEADER_LENGTH : 0
    if (this.#fd < 0 || !isWithin || !writeVnetHeader(header, headerAt, frame, linkLength)) {
      counters.droppedOut++
      return
    }
    const written =
      isWhole && elsewhere === null
        ? this.#system.write(this.#fd, this.#addressOf(bytes) + headerAt, VNET_HEADER_LENGTH + end - start)
        : this.#system.writev(this.#fd, this.#vectorsAddress, this.#gather(frame, header, headerAt))
    if (written < 0) {
      counters.refusedOut++
      counters.lastRefusal = errorName(this.#system.errno())
      return
    }
    counters.framesOut++
    counters.octetsOut += length
    if (frame.gsoSize > 0) counters.superSegmentsOut++
  }

  /** Lists the pieces of a frame, its packet header first; how many they are. */
  #gather({ bytes, start, end, elsewhere }: Frame, header: Uint8Array, headerAt: number): number {
    const isWhole = header === bytes
    let count = 0
    this.#setVector(count++, this.#addressOf(header) + headerAt, isWhole ? end - headerAt : VNET_HEADER_LENGTH)
    if (!isWhole) this.#setVector(count++, this.#addressOf(bytes) + start, end - start)
    for (let i = 0; i < (elsewhere?.count ?? 0); i++) {
      this.#setVector(count++, this.#addressOf(elsewhere!.bytes[i]!) + elsewhere!.starts[i]!, elsewhere!.lengths[i]!)
    }
    return count
  }

  #addressOf({ buffer, byteOffset }: Uint8Array): number {
    if (buffer !== this.#lastBuffer) this.#lookUp(buffer)
    return this.#lastAddress + byteOffset
  }

  /** Frames are cut from few slabs: the last one is at hand. */
  #lookUp(buffer: ArrayBufferLike): void {
    let address = this.#addresses.get(buffer)
    if (address === undefined) {
      address = this.#system.addressOf(buffer)
      this.#addresses.set(buffer, address)
    }
    this.#lastBuffer = buffer
    this.#lastAddress = address
  }

  #setVector(index: number, address: number, length: number): void {
    const vectors = this.#vectors
    const at = index * 4
    vectors[at] = address
    vectors[at + 1] = address / 0x1_0000_0000
    vectors[at + 2] = length
  }

  #fail(cause: Error): void {
    if (this.#fd < 0) return
    this.#fd = -1
    this.#failure = new Error(`The network device '${this.name}' went away.`, { cause })
    this.#socket.destroy()
  }
}
