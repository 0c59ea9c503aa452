import {
  acknowledgeOwing,
  type Connection,
  Counters,
  type Endpoint,
  type Environment,
  HostWide,
  type Instant,
  type Observed,
  type Observer,
  type Secrets,
  type Settings,
  type Timed,
} from '../tcp/index.js'
import {
  ANY_IPV4,
  ANY_IPV6,
  Batch,
  type DropReason,
  type Frame,
  FrameAllocator,
  IpAddress,
  Segment,
} from '../wire/index.js'
import { ConnectionTable } from './connection-table.js'
import { Deadlines } from './deadlines.js'
import { Loopback } from './loopback.js'
import { type InterfaceAddress, type InterfaceOwner, type Link, NetworkInterface } from './network-interface.js'
import { PathTable } from './path-table.js'
import { PortTable } from './ports.js'
import type { Random } from './random.js'
import { Receiver } from './receive-packet.js'
import { RouteTable } from './routes.js'
import { sendSegment } from './send-packet.js'

/** Who gives a host its time. */
export interface Driver {
  /**
   * What `host.nextDeadline()` gives may have changed. Called at most once until `advance`, `nextDeadline` or
   * `earliestDeadline` is.
   */
  deadlineChanged(host: Host): void
  /** It looks at the host at this time in any case, and is not told of deadlines after it; when not given, of each. ms. */
  readonly looksAt?: Instant
}

/** Something that waits for the machine and was woken by it. */
export interface Program {
  run(now: Instant): void
}

export interface HostOptions {
  readonly name?: string
  /** Copied: the host's live settings are its own. */
  readonly settings: Settings
  /** Source of everything random in this host. */
  readonly random: Random
  /** Drawn from `random` when not given. */
  readonly secrets?: Secrets
  readonly observer?: Observer | null
  /** Passes packets on that are not for it: a router. */
  readonly forwarding?: boolean
  /** See `Host.offloads`. */
  readonly offloads?: boolean
}

export interface AttachOptions {
  /** 'eth0', 'eth1' … when not given. */
  readonly name?: string
  readonly addresses: readonly InterfaceAddress[]
  /** Octets of IP packet; the link's when not given. */
  readonly mtu?: number
}

/** Most text of a super-segment that the host cuts, octets: with headers it is below the 65 535 of an IP packet. */
const LARGEST_CUT = 65_535 - 40 - 60

const LOOPBACK_ADDRESSES: readonly InterfaceAddress[] = [
  { address: new IpAddress(0, 0, 0xffff, 0x7f000001), prefixLength: 8 },
  { address: new IpAddress(0, 0, 0, 1), prefixLength: 128 },
]

/**
 * A host: what the machine of tcp/ stands on. It has interfaces and routes, finds the endpoint for every segment that
 * arrives, makes packets of those that leave, and keeps everybody's deadlines; it knows no clock: each entry is given
 * `now`, and a driver calls `advance` when `nextDeadline()` has come.
 *
 * It tells its observer of segments sent and received, of drops that are not TCP's own, and `settled` after each segment,
 * ICMP error and time-out; whoever makes user calls tells of those.
 */
export class Host implements Environment, InterfaceOwner {
  readonly name: string
  readonly settings: Settings
  observer: Observer | null
  readonly secrets: Secrets
  shared = new HostWide()
  readonly out = new Segment()
  /** Largest super-segment TCP should make, octets of text; 0: none. Set by `attach` from the link; may be set by hand. */
  maxSuperSegment = 0
  /**
   * Segments of one connection that arrive together are given to TCP as one (Linux's GRO), and it makes super-segments that
   * the host cuts for links that take single segments (GSO): the cost of a segment is then that of its octets. How often
   * ACKs are sent and how text is cut may differ; an observer is told of each segment as it is on the link.
   */
  offloads: boolean
  moreArriving = false
  readonly owing = new Batch<Connection>()
  readersKeep = false
  readonly forwarding: boolean
  readonly interfaces: NetworkInterface[] = []
  readonly loopback: NetworkInterface
  readonly routes = new RouteTable()
  readonly paths: PathTable
  readonly connections: ConnectionTable
  readonly ports: PortTable
  readonly frames = new FrameAllocator()
  /** Who is told when the next deadline may have changed; null: nobody needs to know. */
  driver: Driver | null = null
  /** The time of the latest entry into the host, ms. */
  now: Instant = Number.NEGATIVE_INFINITY
  readonly counters = new Counters()

  readonly #random: Random
  readonly #deadlines = new Deadlines()
  readonly #receiver: Receiver
  readonly #loopbackLink: Loopback
  readonly #onReboot = new Set<() => void>()
  readonly #woken = new Batch<Program>()
  #depth = 0
  #driverKnows = false
  #id = 0
  /** Ids up to this one belong to connections from before a reboot. */
  #forgottenIds = 0

  constructor(options: HostOptions) {
    this.name = options.name ?? 'host'
    this.settings = structuredClone(options.settings)
    this.#random = options.random
    this.secrets = options.secrets ?? drawSecrets(options.random)
    this.observer = options.observer ?? null
    this.forwarding = options.forwarding ?? false
    this.offloads = options.offloads ?? false
    if (this.offloads) this.maxSuperSegment = LARGEST_CUT
    this.connections = new ConnectionTable(this.random())
    this.ports = new PortTable(this)
    this.paths = new PathTable(this)
    this.#receiver = new Receiver(this)
    this.#loopbackLink = new Loopback((timed) => this.schedule(timed))
    this.loopback = new NetworkInterface(this, 'lo', this.#loopbackLink, LOOPBACK_ADDRESSES, this.#loopbackLink.mtu)
    this.interfaces.push(this.loopback)
    for (const { address, prefixLength } of LOOPBACK_ADDRESSES) {
      this.routes.add({ destination: address, prefixLength, via: this.loopback })
    }
  }

  /** Puts an interface on a link, with a route to each of its networks. */
  attach(link: Link, options: AttachOptions): NetworkInterface {
    const name = options.name ?? `eth${this.interfaces.length - 1}`
    const made = new NetworkInterface(this, name, link, options.addresses, options.mtu ?? link.mtu)
    this.interfaces.push(made)
    // of two addresses on one network the first is what is sent from: its route is added last
    for (const { address, prefixLength } of [...options.addresses].reverse()) {
      this.routes.add({ destination: address, prefixLength, via: made, source: address })
    }
    if (link.maxSuperSegment > this.maxSuperSegment) this.maxSuperSegment = link.maxSuperSegment
    return made
  }

  /** Frames from a link (or a test): read, given to whom they are for, and answered. */
  receive(from: NetworkInterface, frames: readonly Frame[], count: number, now: Instant): void {
    this.enter(now)
    for (let i = 0; i < count; i++) {
      this.moreArriving = i + 1 < count
      this.#receiver.frameArrives(from, frames[i]!, now)
    }
    this.#receiver.deliver(now)
    if (this.owing.count > 0) acknowledgeOwing(this, now)
    this.leave(now)
  }

  /** One frame, as `receive`. */
  receiveFrame(from: NetworkInterface, frame: Frame, now: Instant): void {
    this.enter(now)
    this.#receiver.frameArrives(from, frame, now)
    this.leave(now)
  }

  /** How many connections, records and others wait for a time, or did lately. */
  get waiting(): number {
    return this.#deadlines.size
  }

  /** When `advance` must be called; NEVER: only when something arrives or somebody calls. */
  nextDeadline(): Instant {
    this.#driverKnows = false
    return this.#deadlines.next()
  }

  /** As `nextDeadline`, found faster: it may be that of somebody who wants nothing any more. Never later than it. */
  earliestDeadline(): Instant {
    this.#driverKnows = false
    return this.#deadlines.earliest
  }

  /** Wakes everybody whose deadline has come, in order of their deadlines. */
  advance(now: Instant): void {
    this.enter(now)
    this.#driverKnows = false
    let last: Timed | null = null
    let repeated = 0
    for (let timed = this.#deadlines.take(now); timed !== null; timed = this.#deadlines.take(now)) {
      timed.deadlineReached(now)
      if (timed.wheelSlot < 0) this.#deadlines.schedule(timed)
      if (this.observer !== null && isObserved(timed)) this.observer.settled(timed, now)
      // a fault of ours, never of a peer: better told than a program that hangs
      if (timed !== last) repeated = 0
      else if (++repeated > 5_000_000) throw new Error(`${this.name}: a deadline at ${timed.deadline} ms does not move`)
      last = timed
    }
    this.leave(now)
  }

  /**
   * Frames sent between `enter` and `leave` go to the links in batches at the end. Every entry of this class does that
   * itself; for user calls it is only worth while when one of them may send much.
   */
  enter(now: Instant): void {
    this.#depth++
    this.now = now
    this.#deadlines.now = now
  }

  leave(now: Instant): void {
    if (this.#depth === 1 && this.#woken.count > 0) this.#runWoken(now)
    if (--this.#depth === 0) this.flush(now)
  }

  /**
   * Runs `program` when the machine has finished what it is doing, at the end of the current entry: as a process that
   * an interrupt wakes runs after it. Called from inside an entry only.
   */
  wake(program: Program): void {
    this.#woken.push(program)
  }

  #runWoken(now: Instant): void {
    const woken = this.#woken
    for (let i = 0; i < woken.count; i++) woken.items[i]!.run(now)
    woken.clear()
  }

  /** Hands what was sent to the links. */
  flush(now: Instant): void {
    for (let i = 0; i < this.interfaces.length; i++) this.interfaces[i]!.flush(now)
  }

  /** True inside an entry: frames wait in the outboxes. */
  get entered(): boolean {
    return this.#depth > 0
  }

  // --- what the machine calls: Environment ---

  transmit(endpoint: Observed | null, segment: Segment, retransmission: boolean, now: Instant): void {
    if (endpoint !== null && endpoint.id <= this.#forgottenIds) return
    this.now = now
    sendSegment(this, endpoint, segment, retransmission, now)
  }

  random(): number {
    return this.#random.int32()
  }

  nextId(): number {
    return ++this.#id
  }

  register(endpoint: Endpoint): void {
    if (endpoint.id <= this.#forgottenIds) return
    this.connections.register(endpoint)
  }

  find(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null {
    return this.connections.find(local, localPort, remote, remotePort)
  }

  findListener(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null {
    return this.connections.findListener(local, localPort, remote, remotePort)
  }

  unregister(endpoint: Endpoint): void {
    this.connections.unregister(endpoint)
  }

  replace(previous: Endpoint, next: Endpoint): void {
    if (next.id <= this.#forgottenIds) return
    this.connections.replace(previous, next)
  }

  schedule(timed: Timed, at: Instant = timed.deadline): void {
    this.#deadlines.schedule(timed, at)
    const { driver } = this
    if (this.#driverKnows || driver === null) return
    if (driver.looksAt !== undefined && at >= driver.looksAt) return
    this.#driverKnows = true
    driver.deadlineChanged(this)
  }

  unschedule(timed: Timed): void {
    this.#deadlines.remove(timed)
  }

  path(destination: IpAddress): ReturnType<PathTable['to']> {
    return this.paths.to(destination)
  }

  doubtPath(destination: IpAddress): void {
    this.paths.to(destination).doubt()
  }

  interfaceMtu(destination: IpAddress): number {
    const path = this.paths.to(destination)
    path.resolve()
    return path.via?.mtu ?? 0
  }

  // --- what the socket room asks ---

  /** The address to send from towards a destination; null: no route (ENETUNREACH). */
  sourceAddress(destination: IpAddress): IpAddress | null {
    const path = this.paths.to(destination)
    path.resolve()
    return path.source
  }

  /** True for an address of this host, 127.0.0.0/8 included. */
  isLocal(address: IpAddress): boolean {
    if (address.isIPv4 && address.w3 >>> 24 === 127) return true
    for (let i = 0; i < this.interfaces.length; i++) if (this.interfaces[i]!.hasAddress(address)) return true
    return false
  }

  /** True for the broadcast address of a network that this host is on. */
  isBroadcast(address: IpAddress): boolean {
    for (let i = 0; i < this.interfaces.length; i++) {
      const from = this.interfaces[i]!
      if (from !== this.loopback && from.isBroadcast(address)) return true
    }
    return false
  }

  /** True for an address a socket may be bound to: one of this host, or none in particular. */
  isBindable(address: IpAddress): boolean {
    return address.equals(ANY_IPV4) || address.equals(ANY_IPV6) || this.isLocal(address)
  }

  /** The host crashes and starts again: every connection, port and learned path is forgotten, and nobody is told. */
  reboot(): void {
    this.#forgottenIds = this.#id
    this.shared = new HostWide()
    this.connections.clear()
    this.#woken.clear()
    this.#deadlines.clear()
    this.ports.clear()
    this.paths.clear()
    this.#receiver.clear()
    this.#woken.clear()
    this.#loopbackLink.clear()
    this.routesChanged()
    this.driver?.deadlineChanged(this)
    for (const reborn of this.#onReboot) reborn()
  }

  /** Calls `then` after each reboot, for whoever holds descriptors; gives a function that ends that. */
  onReboot(then: () => void): () => void {
    this.#onReboot.add(then)
    return () => this.#onReboot.delete(then)
  }

  // --- what the parts of this room call ---

  routesChanged(): void {
    this.routes.changed()
  }

  /** Something that arrived is not processed, and it is not TCP that says so. */
  drop(segment: Segment | null, reason: DropReason, now: Instant): void {
    this.counters.drop(reason)
    if (this.observer !== null) this.observer.dropped(null, segment, reason, now)
  }
}

function drawSecrets(random: Random): Secrets {
  return {
    isn: random.bytes(16),
    timestamps: random.bytes(16),
    synCookie: random.bytes(16),
    ports: random.bytes(16),
    fastOpen: [random.bytes(16)],
  }
}

function isObserved(timed: Timed): timed is Endpoint {
  return 'state' in timed
}
