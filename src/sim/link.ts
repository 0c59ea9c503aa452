import type { FrameReceiver, Host, Link, Random } from '../ip/index.js'
import { copyFrame, finishChecksum, flipBit, MAX_SUPER_SEGMENT } from '../link/index.js'
import type { Instant } from '../tcp/index.js'
import { type Frame, type IpAddress, internAddress, read32 } from '../wire/index.js'
import type { VirtualClock } from './clock.js'
import { type Duration, milliseconds } from './duration.js'
import { InFlight } from './in-flight.js'
import { bitsPerSecond, checkOptionNames, probability, type Rate, wholeNumber } from './options.js'

/** How a link treats what crosses it, in each direction by itself. */
export interface LinkOptions {
  /**
   * Time from end to end; 0.1 ms when not given. With 0, hosts that disagree answer each other for ever without time
   * passing.
   */
  readonly latency?: Duration
  /** Up to so much more, evenly; the order is kept. */
  readonly jitter?: Duration
  /** Of each sender onto the link; no limit when not given. */
  readonly rate?: Rate
  /** Packets that may wait for the rate behind the one being sent; no limit when not given. */
  readonly queue?: number
  /** Octets that may wait so. */
  readonly queueOctets?: number
  /** Largest IP packet, octets; 1500 when not given. */
  readonly mtu?: number
  /** Probabilities that a packet is lost, arrives twice, is overtaken by later ones, has a bit flipped. */
  readonly loss?: number
  readonly duplication?: number
  readonly reordering?: number
  readonly corruption?: number
  /** How much later an overtaken packet arrives; the latency, or 10 ms if that is 0, when not given. */
  readonly reorderDelay?: Duration
  /** Hosts may send super-segments of up to 64 KB in one frame, and leave checksums out. For speed. */
  readonly superSegments?: boolean
}

export const LINK_OPTION_NAMES = [
  'latency',
  'jitter',
  'rate',
  'queue',
  'queueOctets',
  'mtu',
  'loss',
  'duplication',
  'reordering',
  'corruption',
  'reorderDelay',
  'superSegments',
]

/** What became of a packet on a link. */
export type PacketFate = 'sent' | 'delivered' | 'lost' | 'queue full' | 'rule' | 'partition' | 'nobody there'

/** What a link asks of the network it is part of. */
export interface LinkOwner {
  /** The port of `link` by which a packet to this address goes on; null: nobody there. */
  nextPort(link: SimulatedLink, destination: IpAddress): Port | null
  /** Rules and partitions. True: they saw to the packet, it is not the link's business any more. */
  intervene(from: Port, frame: Frame, now: Instant): boolean
  /** Tells captures. */
  noted(fate: PacketFate, from: Port, frame: Frame, now: Instant): void
  readonly captured: boolean
  /** There are rules or partitions. */
  readonly intervenes: boolean
}

/** A link's options, read. Times in ms, rate in bits per ms. */
interface Treatment {
  latency: Instant
  jitter: Instant
  bitsPerMs: number
  queue: number
  queueOctets: number
  loss: number
  duplication: number
  reordering: number
  corruption: number
  reorderDelay: Instant
  /** Every packet arrives, after the latency and nothing else. */
  plain: boolean
}

/** A host's end of a link. */
export class Port implements Link {
  readonly link: SimulatedLink
  readonly host: Host
  receiver: FrameReceiver | null = null
  /** The sender is busy until then, ms. */
  busyUntil: Instant = 0
  readonly waiting: InFlight
  /** Where the last packet was sent to, and the port it went on by: most often the next goes there too. */
  lastDestination: IpAddress | null = null
  lastNext: Port | null = null

  constructor(link: SimulatedLink, host: Host, clock: VirtualClock) {
    this.link = link
    this.host = host
    this.waiting = new InFlight(clock, this)
  }

  get mtu(): number {
    return this.link.mtu
  }

  get maxSuperSegment(): number {
    return this.link.superSegments ? MAX_SUPER_SEGMENT : 0
  }

  /** Memory does not garble: a checksum is worked out for whoever looks at a packet or garbles it. */
  get checksumOffload(): boolean {
    return true
  }

  /** Nobody between here and a host keeps or changes frames, and hosts release them. */
  get releasesFrames(): boolean {
    return this.link.releasesFrames
  }

  transmit(frames: readonly Frame[], count: number, now: Instant): void {
    this.link.framesSent(this, frames, count, now)
  }
}

/**
 * A link that joins any number of hosts, each by a port, like an Ethernet with a switch. A packet waits for the sender's
 * rate, may be lost, garbled, doubled or overtaken, and arrives after the latency.
 */
export class SimulatedLink {
  readonly name: string
  readonly mtu: number
  readonly superSegments: boolean
  readonly ports: Port[] = []
  /** Packets since the start. */
  sent = 0
  delivered = 0
  lost = 0
  queueDropped = 0
  duplicated = 0
  reordered = 0
  corrupted = 0
  readonly #owner: LinkOwner
  readonly #clock: VirtualClock
  readonly #random: Random
  #options: LinkOptions
  #treatment: Treatment

  constructor(name: string, options: LinkOptions, owner: LinkOwner, clock: VirtualClock, random: Random) {
    this.name = name
    this.#owner = owner
    this.#clock = clock
    this.#random = random
    this.#options = options
    this.#treatment = readOptions(name, options)
    this.mtu = wholeNumber(`link '${name}': mtu`, options.mtu ?? 1500, 68)
    this.superSegments = options.superSegments ?? false
  }

  get options(): LinkOptions {
    return this.#options
  }

  /** Changes how the link treats packets from now on; what is on the way stays on its way. */
  change(options: Omit<LinkOptions, 'mtu' | 'superSegments'>): void {
    this.#options = { ...this.#options, ...options }
    this.#treatment = readOptions(this.name, this.#options)
  }

  /** See Port. */
  get releasesFrames(): boolean {
    if (!this.#treatment.plain || this.#owner.intervenes) return false
    for (let i = 0; i < this.ports.length; i++) if (this.ports[i]!.receiver?.releasesFrames !== true) return false
    return true
  }

  attach(host: Host): Port {
    const port = new Port(this, host, this.#clock)
    this.ports.push(port)
    return port
  }

  /** `frames[0..count)` from a host. */
  framesSent(from: Port, frames: readonly Frame[], count: number, now: Instant): void {
    const { plain, latency } = this.#treatment
    if (plain && !this.#owner.captured && !this.#owner.intervenes) {
      this.sent += count
      for (let i = 0; i < count; i++) this.#travels(from, frames[i]!, now + latency, 0, now)
      return
    }
    for (let i = 0; i < count; i++) {
      this.sent++
      if (plain && !this.#owner.intervenes) {
        this.#note('sent', from, frames[i]!, now)
        this.#travels(from, frames[i]!, now + latency, 0, now)
        continue
      }
      const frame = frames[i]!.slab === null ? frames[i]! : ownFrame(frames[i]!)
      this.#note('sent', from, frame, now)
      if (!this.#owner.intervene(from, frame, now)) this.carry(from, frame, 0, now)
    }
  }

  /** The frame goes its way, with the link's own chances; `extra` ms later than others when a rule delays it. */
  carry(from: Port, frame: Frame, extra: Instant, now: Instant): void {
    const { loss, duplication, corruption, reordering, reorderDelay } = this.#treatment
    const random = this.#random
    if (random.chance(loss)) {
      this.lost++
      this.#note('lost', from, frame, now)
      return
    }
    if (random.chance(duplication)) {
      this.duplicated++
      this.#enqueue(from, copyFrame(frame), extra, now)
    }
    let carried = frame
    if (random.chance(corruption)) {
      this.corrupted++
      carried = copyFrame(frame)
      flipBit(carried, random)
    }
    const overtaken = random.chance(reordering)
    if (overtaken) this.reordered++
    this.#enqueue(from, carried, overtaken ? extra + reorderDelay : extra, now)
  }

  /** The sender's queue, then the way. */
  #enqueue(from: Port, frame: Frame, extra: Instant, now: Instant): void {
    const { bitsPerMs, queue, queueOctets, latency, jitter } = this.#treatment
    let departure = now
    if (bitsPerMs !== Number.POSITIVE_INFINITY) {
      const start = Math.max(now, from.busyUntil)
      if (start > now && !from.waiting.hasRoom(queue, queueOctets, frame.length, now)) {
        this.queueDropped++
        this.#note('queue full', from, frame, now)
        return
      }
      departure = start + (frame.length * 8) / bitsPerMs
      from.busyUntil = departure
      if (start > now) from.waiting.waits(start, frame.length)
    }
    const arrival = departure + latency + (jitter > 0 ? jitter * this.#random.unit() : 0)
    this.#travels(from, frame, arrival, extra, now)
  }

  /** On its way to the next port; `extra` ms later than its turn. */
  #travels(from: Port, frame: Frame, arrival: Instant, extra: Instant, now: Instant): void {
    const destination = destinationOf(frame, from.lastDestination)
    if (destination !== from.lastDestination || from.lastNext === null) {
      from.lastDestination = destination
      from.lastNext = this.#owner.nextPort(this, destination)
    }
    const to = from.lastNext
    if (to === null) {
      this.#note('nobody there', from, frame, now)
      return frame.release()
    }
    if (extra > 0) this.#clock.at(arrival + extra, () => this.deliver(from, to, [frame], 1, this.#clock.now))
    else from.waiting.travels(frame, to, arrival)
  }

  /** Frames reach the other end. */
  deliver(from: Port, to: Port, frames: readonly Frame[], count: number, now: Instant): void {
    this.delivered += count
    if (this.#owner.captured) for (let i = 0; i < count; i++) this.#note('delivered', from, frames[i]!, now)
    to.receiver?.receive(frames, count, now)
  }

  #note(fate: PacketFate, from: Port, frame: Frame, now: Instant): void {
    if (!this.#owner.captured) return
    if (frame.checksumPartial) finishChecksum(frame)
    this.#owner.noted(fate, from, frame, now)
  }
}

function readOptions(name: string, options: LinkOptions): Treatment {
  const what = `link '${name}'`
  checkOptionNames(what, options, LINK_OPTION_NAMES)
  const latency = milliseconds(options.latency ?? 0.1)
  const treatment = {
    latency,
    jitter: milliseconds(options.jitter ?? 0),
    bitsPerMs: bitsPerSecond(options.rate ?? Number.POSITIVE_INFINITY) / 1000,
    queue: options.queue === undefined ? Number.POSITIVE_INFINITY : wholeNumber(`${what}: queue`, options.queue, 0),
    queueOctets:
      options.queueOctets === undefined
        ? Number.POSITIVE_INFINITY
        : wholeNumber(`${what}: queueOctets`, options.queueOctets, 0),
    loss: probability(`${what}: loss`, options.loss),
    duplication: probability(`${what}: duplication`, options.duplication),
    reordering: probability(`${what}: reordering`, options.reordering),
    corruption: probability(`${what}: corruption`, options.corruption),
    reorderDelay: milliseconds(options.reorderDelay ?? (latency > 0 ? latency : 10)),
  }
  const { jitter, bitsPerMs, loss, duplication, reordering, corruption } = treatment
  const chances = jitter + loss + duplication + reordering + corruption
  return { ...treatment, plain: chances === 0 && bitsPerMs === Number.POSITIVE_INFINITY }
}

/**
 * Where a packet goes, read from its header without more ado; the same object for the same address.
 * @param last where the packet before went: most often this one does too
 */
function destinationOf(frame: Frame, last: IpAddress | null): IpAddress {
  const { bytes, start } = frame
  if (bytes[start]! >>> 4 === 4) {
    const word = read32(bytes, start + 16)
    return last?.isIPv4 === true && last.w3 === word ? last : internAddress(0, 0, 0xffff, word)
  }
  return internAddress(
    read32(bytes, start + 24),
    read32(bytes, start + 28),
    read32(bytes, start + 32),
    read32(bytes, start + 36),
  )
}

/** The same in memory of its own, instead of memory that was lent. */
function ownFrame(frame: Frame): Frame {
  const own = copyFrame(frame)
  frame.release()
  return own
}
