import type { Instant } from '../tcp/index.js'
import { type Frame, FrameAllocator, type IpAddress, TextElsewhere } from '../wire/index.js'

/** Whoever takes frames that a link delivers; a Host's interface, or a middleware before it. */
export interface FrameReceiver {
  /** `frames[0..count)` arrived; they belong to the receiver, the array to the link. */
  receive(frames: readonly Frame[], count: number, now: Instant): void
  /** True: it releases every frame as soon as nothing of it is needed. */
  readonly releasesFrames?: boolean
}

/** What carries frames between hosts: a memory pipe, a port of a simulated segment, a TUN device. Frames are IP packets. */
export interface Link {
  /** Largest IP packet it carries, octets. */
  readonly mtu: number
  /** Largest text of a super-segment it takes, octets; 0: single segments only. */
  readonly maxSuperSegment: number
  /** True: it takes TCP segments whose checksum is not filled in (Frame.checksumPartial). */
  readonly checksumOffload: boolean
  /**
   * True: what `transmit` takes it has copied, or sent, before it returns, so that the memory of the frames serves for the
   * next. False when not given: frames stay in use, nobody knows how long.
   */
  readonly copies?: boolean
  /** True: it takes frames whose text lies elsewhere (Frame.elsewhere); it must copy as well, and take checksums not filled in. */
  readonly gathers?: boolean
  /** True: whoever gets its frames in the end releases them, so that they may be lent (Frame.slab). */
  readonly releasesFrames?: boolean
  /** Set by who attaches to it; frames that arrive while it is null are lost. */
  receiver: FrameReceiver | null
  /**
   * Takes `frames[0..count)`: they belong to the link from now on, the array stays with the caller. Never delivers
   * before it returns, so that a host is not entered from inside itself.
   */
  transmit(frames: readonly Frame[], count: number, now: Instant): void
}

/** An address of an interface, and how many of its leading bits are those of the network it is on (0-32 or 0-128). */
export interface InterfaceAddress {
  readonly address: IpAddress
  readonly prefixLength: number
}

/** Stands in slots of an outbox that hold nothing, so that a slab of frames is not kept alive. */
const NOTHING = null as unknown as Frame

/** Octets of frames after which a link that copies gets them, so that their memory is still in the cache for the next ones. */
const MOST_OUTSTANDING = 192 * 1024

/** One interface of a host: a name, addresses, and the link below it. */
export class NetworkInterface implements FrameReceiver {
  readonly name: string
  readonly link: Link
  readonly addresses: readonly InterfaceAddress[]
  /** Frames made during the current entry into the host; the link gets them as one batch. */
  readonly outbox: Frame[] = []
  outboxCount = 0
  /** Text of the frame that goes next that lies elsewhere; null: the link does not gather. */
  readonly elsewhere: TextElsewhere | null
  /** Where frames are cut that leave by this interface. */
  readonly frames: FrameAllocator
  readonly #copies: boolean
  readonly #owner: InterfaceOwner
  #mtu: number
  #up = true

  constructor(owner: InterfaceOwner, name: string, link: Link, addresses: readonly InterfaceAddress[], mtu: number) {
    this.#owner = owner
    this.name = name
    this.link = link
    this.addresses = addresses
    this.#mtu = mtu
    this.#copies = link.copies ?? false
    this.elsewhere = link.gathers === true ? new TextElsewhere() : null
    this.frames = this.#copies ? new FrameAllocator(MOST_OUTSTANDING + 64 * 1024) : owner.frames
    link.receiver = this
  }

  /** Largest IP packet sent, octets (`ip link set mtu`). */
  get mtu(): number {
    return this.#mtu
  }

  set mtu(octets: number) {
    this.#mtu = octets
    this.#owner.routesChanged()
  }

  /** An interface that is down neither sends nor receives. */
  get up(): boolean {
    return this.#up
  }

  set up(up: boolean) {
    this.#up = up
    this.#owner.routesChanged()
  }

  /** Unless programs keep what they read: text that is lent would have to be copied for them. */
  get releasesFrames(): boolean {
    return !this.#owner.readersKeep
  }

  receive(frames: readonly Frame[], count: number, now: Instant): void {
    if (this.#up) this.#owner.receive(this, frames, count, now)
    else releaseAll(frames, count)
  }

  hasAddress(address: IpAddress): boolean {
    for (let i = 0; i < this.addresses.length; i++) {
      if (this.addresses[i]!.address.equals(address)) return true
    }
    return false
  }

  /** True for the broadcast address of one of its networks, all host bits set (RFC 1122 3.2.1.3 d). */
  isBroadcast(address: IpAddress): boolean {
    for (const { address: own, prefixLength } of this.addresses) {
      if (!own.isIPv4 || !address.isIPv4 || prefixLength > 30) continue
      const hostBits = -1 >>> prefixLength
      if (((own.w3 ^ address.w3) & ~hostBits) === 0 && (address.w3 & hostBits) === hostBits) return true
    }
    return false
  }

  /** Hands everything in the outbox to the link. */
  flush(now: Instant): void {
    const count = this.outboxCount
    if (count === 0) return
    this.outboxCount = 0
    if (this.#up) this.link.transmit(this.outbox, count, now)
    else releaseAll(this.outbox, count)
    for (let i = 0; i < count; i++) this.outbox[i] = NOTHING
    if (this.#copies) this.frames.rewind()
  }

  /** True: so much waits for a link that copies that it should go before more is made. */
  get full(): boolean {
    return this.#copies && this.frames.used > MOST_OUTSTANDING
  }
}

function releaseAll(frames: readonly Frame[], count: number): void {
  for (let i = 0; i < count; i++) frames[i]!.release()
}

/** The host an interface belongs to. */
export interface InterfaceOwner {
  receive(from: NetworkInterface, frames: readonly Frame[], count: number, now: Instant): void
  routesChanged(): void
  readonly readersKeep: boolean
  /** Where frames are cut that a link may keep. */
  readonly frames: FrameAllocator
}
