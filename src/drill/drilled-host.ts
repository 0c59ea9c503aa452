import type { FrameReceiver, NetworkInterface } from '../ip/index.js'
import { Host, type Link, Random } from '../ip/index.js'
import type { Observer, Settings } from '../tcp/index.js'
import { Frame, type IpAddress, parseIpAddress } from '../wire/index.js'
import type { SentPacket } from './target.js'

export interface DrilledHostOptions {
  readonly settings: Settings
  readonly observer: Observer
  readonly local: string
  readonly remote: string
  readonly prefixLength: number
  /** Octets of IP packet. */
  readonly mtu: number
  /** Of everything random in the host: the same seed gives the same run. */
  readonly seed: number
}

/** Times less than this apart are the same: sums of doubles are not exact. Unit: ms. */
const SAME = 1e-6

/** The tun device of a script: what the host sends is caught, what the script sends is delivered. */
class ScriptLink implements Link {
  readonly maxSuperSegment = 0
  readonly checksumOffload = false
  readonly mtu: number
  receiver: FrameReceiver | null = null
  readonly #caught: (packet: Uint8Array, now: number) => void

  constructor(mtu: number, caught: (packet: Uint8Array, now: number) => void) {
    this.mtu = mtu
    this.#caught = caught
  }

  transmit(frames: readonly Frame[], count: number, now: number): void {
    for (let i = 0; i < count; i++) this.#caught(frames[i]!.view().slice(), now)
  }
}

/**
 * The host a script drills: one interface, whose other end is the script, and a clock that jumps. Where something of the
 * script and a timer of the host are due at the same moment, the script comes first: a real host's timers are late by
 * their granularity.
 */
export class DrilledHost {
  readonly host: Host
  readonly device: NetworkInterface
  readonly local: IpAddress
  readonly remote: IpAddress
  /** What the host sent and nobody took yet, in order. */
  readonly sent: SentPacket[] = []
  readonly #link: ScriptLink
  #now = 0

  constructor(options: DrilledHostOptions) {
    this.local = parseIpAddress(options.local)
    this.remote = parseIpAddress(options.remote)
    this.host = new Host({
      name: 'host',
      settings: options.settings,
      random: new Random(options.seed),
      observer: options.observer,
    })
    this.#link = new ScriptLink(options.mtu, (packet, at) => this.sent.push({ packet, at, unfinished: false }))
    this.device = this.host.attach(this.#link, {
      name: 'tun0',
      addresses: [{ address: this.local, prefixLength: options.prefixLength }],
      mtu: options.mtu,
    })
    this.host.routes.add({ destination: this.remote, prefixLength: 0, via: this.device, source: this.local })
    this.host.now = this.#now
  }

  /** Virtual time, ms. */
  get now(): number {
    return this.#now
  }

  /** Lets the host's timers run up to a time, those that are due just then not included. */
  runTo(time: number): void {
    while (this.stepBefore(time)) {
      // one deadline after the other
    }
    if (time > this.#now) this.#now = time
  }

  /** Lets the host do what is due next, if it is before `limit`. False: it is not, and time did not move. */
  stepBefore(limit: number): boolean {
    const next = this.host.nextDeadline()
    if (next >= limit - SAME) return false
    this.#now = Math.max(this.#now, next)
    this.host.advance(this.#now)
    return true
  }

  /** Lets the host do what is due just now: calls that were woken. False: nothing is. */
  dueNow(): boolean {
    if (this.host.nextDeadline() > this.#now + SAME) return false
    this.host.advance(this.#now)
    return true
  }

  /** A packet of the script arrives; `gsoSize` > 0: it stands for several segments with that much text each. Octets. */
  deliver(packet: Uint8Array, gsoSize = 0): void {
    const frame = new Frame(packet, 0, packet.length)
    frame.gsoSize = gsoSize
    this.#link.receiver?.receive([frame], 1, this.#now)
  }
}
