import { type Host, type InterfaceAddress, parseInterfaceAddress, Random } from '../ip/index.js'
import { copyFrame, finishChecksum, flipBit } from '../link/index.js'
import { LiveHost, personality } from '../socket/index.js'
import { type Instant, type Observer, PROFILE_NAMES, type ProfileName, profile, type Settings } from '../tcp/index.js'
import type { Frame } from '../wire/index.js'
import { VirtualClock } from './clock.js'
import type { Duration } from './duration.js'
import {
  LINK_OPTION_NAMES,
  type LinkOptions,
  type LinkOwner,
  type PacketFate,
  type Port,
  SimulatedLink,
} from './link.js'
import { checkOptionNames } from './options.js'
import type { RunOptions } from './programs/index.js'
import { ActiveRule, PacketReader, type Rule } from './rules.js'
import { Topology } from './topology.js'

/** What runs programs needs Node, and is loaded when it is used: this room runs in a browser too. */
type Programs = typeof import('./programs/index.js')
const PROGRAMS = './programs/index.js'
let programs: Programs | null = null

export interface NetworkOptions extends LinkOptions {
  /** Everything random comes from it: the same seed gives the same run. 1 when not given. */
  readonly seed?: number
}

export interface SimulatedHostOptions {
  /** 'linux' when not given. */
  readonly profile?: ProfileName
  /** What differs from the profile. */
  readonly settings?: Partial<Settings>
  /** The links it is on, 'lan' when not given; with addresses ('192.0.2.1/24', '2001:db8::1/64'), or those it gets. */
  readonly on?: string | readonly string[] | Readonly<Record<string, readonly string[]>>
  /** Its addresses on its only link. */
  readonly addresses?: readonly string[]
  readonly observer?: Observer | null
  /** Passes packets from link to link: a router. */
  readonly forwarding?: boolean
  /**
   * TCP is given segments that arrive together as one, and cuts large ones last (GRO and GSO), as Linux does on most
   * machines: fewer ACKs on a link without a rate, and more simulated segments a second. False when not given: what is
   * sent then depends on no batch.
   */
  readonly offloads?: boolean
}

/** A packet at a point of its way, as captures get it; the frame is only valid during the call. */
export interface CapturedPacket {
  readonly fate: PacketFate
  readonly link: SimulatedLink
  readonly from: Host
  readonly frame: Frame
  /** Virtual time, ms. */
  readonly now: Instant
}

/** Groups of hosts that cannot reach each other. */
export class Partition {
  readonly groups: readonly ReadonlySet<string>[]
  /** Packets it stopped. */
  stopped = 0
  readonly #end: (partition: Partition) => void

  constructor(groups: readonly ReadonlySet<string>[], end: (partition: Partition) => void) {
    this.groups = groups
    this.#end = end
  }

  heal(): void {
    this.#end(this)
  }

  separates(a: string, b: string): boolean {
    const groupA = this.#groupOf(a)
    const groupB = this.#groupOf(b)
    return groupA !== groupB && groupA !== -2 && groupB !== -2
  }

  /** With one group, everybody else is the other (-1); with more, who is in none of them (-2) reaches all. */
  #groupOf(host: string): number {
    const at = this.groups.findIndex((group) => group.has(host))
    return at >= 0 ? at : this.groups.length === 1 ? -1 : -2
  }
}

/** A network of simulated hosts in virtual time. */
export class Network implements LinkOwner {
  readonly clock = new VirtualClock()
  readonly random: Random
  readonly #defaults: LinkOptions
  readonly #hosts = new Map<string, LiveHost>()
  readonly #links = new Map<string, SimulatedLink>()
  readonly #topology = new Topology()
  readonly #rules: ActiveRule[] = []
  readonly #partitions: Partition[] = []
  readonly #captures = new Set<(packet: CapturedPacket) => void>()
  readonly #packet = new PacketReader()

  constructor(options: NetworkOptions = {}) {
    checkOptionNames('network', options, ['seed', ...LINK_OPTION_NAMES])
    const { seed = 1, ...defaults } = options
    this.random = new Random(seed)
    this.#defaults = defaults
  }

  /** Virtual time, ms. */
  get now(): Instant {
    return this.clock.now
  }

  /** Lets a while of virtual time pass, and everything in it happen: `'2h'`, or ms. */
  advance(duration: Duration): void {
    this.#refuseInRun('advance')
    this.clock.advance(duration)
  }

  /** Lets time pass until nothing is left to happen, or `limit` has passed. */
  runUntilIdle(limit?: Duration): void {
    this.#refuseInRun('runUntilIdle')
    this.clock.run(limit)
  }

  /**
   * Runs a program of Node's, unmodified, on the host 'client' (or another: `{ on: 'name' }`), and gives what it gives. In
   * it, and in all that it begins, `net`, `http`, `https`, `fetch`, `dns`, and what is built on them, are those of the host,
   * whenever they were imported; timers and `Date` live in virtual time, which passes whenever everybody waits. When it is
   * done, what it left open is closed, and everything is as before.
   * @throws Error ERR_SIM_DEADLOCK when nothing is left to happen that it could wait for; ERR_SIM_LIMIT; what it throws
   */
  async run<T>(program: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
    if (typeof program !== 'function') {
      throw new TypeError('run takes a program: run(async () => { … }); to let time pass: advance(), runUntilIdle()')
    }
    programs ??= (await import(/* @vite-ignore */ /* webpackIgnore: true */ PROGRAMS)) as Programs
    return programs.run(this, program, options)
  }

  #refuseInRun(what: string): void {
    if (!programs?.runsOn(this)) return
    throw new Error(`${what}: in a run time passes by itself while programs wait: await setTimeout(ms)`)
  }

  /** In a run: runs a program on the host of that name, beside the one that says so. Gives what it gives. */
  on<T>(host: string, program: () => T): T {
    if (programs === null) throw new Error(`on('${host}', …) belongs inside run(async () => { … })`)
    return programs.on(this, host, program)
  }

  /** The link of that name, made when there is none; options not given are those of the network. */
  link(name: string, options?: LinkOptions): SimulatedLink {
    let link = this.#links.get(name)
    if (link === undefined) {
      link = new SimulatedLink(name, { ...this.#defaults, ...options }, this, this.clock, this.random.fork())
      this.#links.set(name, link)
      this.#topology.addLink(link)
    } else if (options !== undefined) link.change(options)
    return link
  }

  /** Makes a host, or, without options, gives the one that has the name. */
  host(name: string, options?: SimulatedHostOptions): LiveHost {
    const known = this.#hosts.get(name)
    if (known !== undefined) {
      if (options !== undefined) throw new RangeError(`there is a host '${name}' already`)
      return known
    }
    return this.#makeHost(name, options ?? {})
  }

  /** A host that passes packets between its links. */
  router(name: string, options: SimulatedHostOptions): LiveHost {
    return this.#makeHost(name, { ...options, forwarding: true })
  }

  hosts(): LiveHost[] {
    return [...this.#hosts.values()]
  }

  links(): SimulatedLink[] {
    return [...this.#links.values()]
  }

  /** Puts a rule into force, behind those there are: of the rules that match a packet, the first wins. */
  rule(rule: Rule): ActiveRule {
    const active = new ActiveRule(rule, (ended) => {
      const at = this.#rules.indexOf(ended)
      if (at >= 0) this.#rules.splice(at, 1)
    })
    this.#rules.push(active)
    return active
  }

  /**
   * From now on packets between hosts of different groups are lost; one group alone is cut off from everybody else.
   * `heal()` of what is returned ends it.
   */
  partition(...groups: (readonly string[])[]): Partition {
    for (const name of groups.flat()) {
      if (!this.#hosts.has(name)) throw new RangeError(`partition: no host '${name}' (there are ${this.#names()})`)
    }
    const partition = new Partition(
      groups.map((group) => new Set(group)),
      (ended) => {
        const at = this.#partitions.indexOf(ended)
        if (at >= 0) this.#partitions.splice(at, 1)
      },
    )
    this.#partitions.push(partition)
    return partition
  }

  /** Ends every partition. */
  heal(): void {
    this.#partitions.length = 0
  }

  /** Shows every packet, at each point of its way, to a sink; gives a function that ends that. */
  capture(sink: (packet: CapturedPacket) => void): () => void {
    this.#captures.add(sink)
    return () => this.#captures.delete(sink)
  }

  // --- what links ask ---

  get captured(): boolean {
    return this.#captures.size > 0
  }

  get intervenes(): boolean {
    return this.#rules.length > 0 || this.#partitions.length > 0
  }

  nextPort(link: SimulatedLink, destination: Parameters<Topology['owner']>[0]): Port | null {
    return this.#topology.nextPort(link, destination)
  }

  noted(fate: PacketFate, from: Port, frame: Frame, now: Instant): void {
    const packet = { fate, link: from.link, from: from.host, frame, now }
    for (const sink of this.#captures) sink(packet)
  }

  intervene(from: Port, frame: Frame, now: Instant): boolean {
    if (this.#rules.length === 0 && this.#partitions.length === 0) return false
    const packet = this.#packet
    if (!packet.read(frame, from.link.name, now)) return false
    packet.from = this.#topology.nameOf(packet.source)
    packet.to = this.#topology.nameOf(packet.destination)
    const isFirstLink = packet.from === from.host.name
    for (const partition of this.#partitions) {
      if (!partition.separates(packet.from, packet.to)) continue
      partition.stopped++
      this.#note('partition', from, frame, now)
      return true
    }
    for (const active of this.#rules) {
      if (active.seesFrames && frame.checksumPartial) finishChecksum(frame)
      if (active.takes(packet, isFirstLink)) return this.#act(active.rule, packet, from, frame, now)
    }
    return false
  }

  /** True: the packet is seen to. */
  #act({ action }: Rule, packet: PacketReader, from: Port, frame: Frame, now: Instant): boolean {
    const { link } = from
    switch (action.kind) {
      case 'pass':
        return false
      case 'drop':
        this.#note('rule', from, frame, now)
        return true
      case 'delay':
        link.carry(from, frame, action.by, now)
        return true
      case 'duplicate':
        for (let i = 0; i < action.copies; i++) link.carry(from, copyFrame(frame), 0, now)
        return false
      case 'corrupt': {
        const garbled = copyFrame(frame)
        flipBit(garbled, this.random)
        link.carry(from, garbled, 0, now)
        return true
      }
      case 'replace':
        for (const other of action.by(packet)) link.carry(from, other, 0, now)
        return true
    }
  }

  #note(fate: PacketFate, from: Port, frame: Frame, now: Instant): void {
    if (this.captured) this.noted(fate, from, frame, now)
  }

  #makeHost(name: string, options: SimulatedHostOptions): LiveHost {
    checkOptionNames(`host '${name}'`, options, HOST_OPTION_NAMES)
    if (this.#hosts.has(name)) throw new RangeError(`there is a host '${name}' already`)
    const {
      profile: profileName = 'linux',
      settings = {},
      observer = null,
      forwarding = false,
      offloads = false,
    } = options
    if (!PROFILE_NAMES.includes(profileName)) {
      throw new RangeError(`host '${name}': no profile '${profileName}' (there are ${PROFILE_NAMES.join(', ')})`)
    }
    const base = profile(profileName)
    checkOptionNames(`host '${name}': settings`, settings, Object.keys(base))
    const places = this.#places(name, options)
    const all = { ...base, ...settings }
    const host = new LiveHost({
      name,
      settings: all,
      random: this.random.fork(),
      observer,
      forwarding,
      offloads,
      clock: this.clock,
      personality: personality(profileName),
      lookup: (known) => this.#addressesOf(known),
      alive: null,
    })
    for (const [link, addresses] of places) {
      this.#topology.join(host, link, addresses ?? this.#topology.freeAddresses(link))
    }
    this.#hosts.set(name, host)
    return host
  }

  /** The name of a host is found by every other: its addresses, loopback apart. */
  #addressesOf(name: string): string[] {
    const [, ...interfaces] = this.#hosts.get(name)?.interfaces ?? []
    return interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => String(address)))
  }

  /** The links of a host with the addresses it was given there; null: it was given none. */
  #places(name: string, options: SimulatedHostOptions): [SimulatedLink, InterfaceAddress[] | null][] {
    const { on = 'lan', addresses } = options
    if (typeof on === 'string') return [[this.link(on), addresses?.map(parseInterfaceAddress) ?? null]]
    const links = isList(on) ? on.map((link) => [link, [] as readonly string[]] as const) : Object.entries(on)
    if (addresses !== undefined && links.length !== 1) {
      throw new RangeError(
        `host '${name}': 'addresses' are for a host on one link (give them by link: on: { lan: [...] })`,
      )
    }
    return links.map(([link, given]) => {
      const texts = addresses ?? given
      return [this.link(link), texts.length === 0 ? null : texts.map(parseInterfaceAddress)]
    })
  }

  #names(): string {
    return [...this.#hosts.keys()].join(', ')
  }
}

const HOST_OPTION_NAMES = ['profile', 'settings', 'on', 'addresses', 'observer', 'forwarding', 'offloads']

function isList(on: NonNullable<SimulatedHostOptions['on']>): on is readonly string[] {
  return Array.isArray(on)
}

/** A network in virtual time. The options of its links are given beside the seed: `createNetwork({ seed: 7, latency: '20ms' })`. */
export function createNetwork(options: NetworkOptions = {}): Network {
  return new Network(options)
}
