import { type Clock, type Link, Random } from '../ip/index.js'
import { Capture, FaultInjection } from '../link/index.js'
import type { TunDevice } from '../link/tun.js'
import { type TunHost, tunHost, type WireEnds } from '../socket/tun/index.js'
import { abort, Connection, type Instant, type Listener } from '../tcp/index.js'
import { type ControlSocket, serveControl } from './ss-control.js'
import { hostReport } from './ss-report.js'
import { CaptureFile } from './up-capture.js'
import { Complaint } from './up-complaint.js'
import type { Hold } from './up-hold.js'
import { endsOf, type HostChoices } from './up-options.js'

/** How long Ctrl-C waits for peers to close their side, ms. */
const PATIENCE = 5000

/** A host that is up: at the end of a device, in real time, to be looked at by `estab ss`. */
export class HostUp {
  readonly host: TunHost
  readonly ends: WireEnds
  readonly holds = new Set<Hold>()
  readonly listeners = new Set<Listener>()
  readonly #capture: CaptureFile | null
  #control: ControlSocket | null = null

  private constructor(host: TunHost, ends: WireEnds, capture: CaptureFile | null) {
    this.host = host
    this.ends = ends
    this.#capture = capture
    // by signals alone a process does not stay
    host.alive?.add()
  }

  /**
   * Brings a host up.
   * @param around puts a link of its own around that of the device, between it and the faults
   * @throws Complaint
   */
  static async start(choices: HostChoices, around: (link: Link) => Link = (link) => link): Promise<HostUp> {
    const ends = endsOf(choices)
    const { pcap, faults } = choices
    let capture: CaptureFile | null = null
    const host = await tunHostOf(choices, ends, (device) => {
      let link = around(device)
      // what is captured is what the wire sees: faults happen between it and us
      const file = pcap === undefined ? null : new CaptureFile(pcap, device.name)
      if (file !== null) link = new Capture(link, (frame, direction) => file.write(frame, direction))
      capture = file
      return faults === undefined ? link : new FaultInjection(link, faults, new Random(faults.seed ?? Date.now()))
    })
    const up = new HostUp(host, ends, capture)
    try {
      const { name } = host.device
      up.#control = await serveControl(name, () => hostReport(host, choices.profile, ends, up.time.now))
      return up
    } catch (error) {
      await up.stop()
      throw error
    }
  }

  get time(): Clock {
    return this.host.clock
  }

  get device(): TunDevice {
    return this.host.device
  }

  /** User calls on the host are made inside `act`: what they send leaves as one batch. */
  enter(act: (now: Instant) => void): void {
    const now = this.time.now
    this.host.enter(now)
    act(now)
    this.host.leave(now)
  }

  /** FIN on every connection, and what is read is thrown away. Fulfilled with true when all have ended, or false after 5 s. */
  async closeConnections(): Promise<boolean> {
    this.enter((now) => {
      for (const listener of this.listeners) listener.close(now)
      for (const hold of this.holds) hold.finish(now)
    })
    return this.untilQuiet(PATIENCE)
  }

  /** RST on every connection. */
  abortConnections(): void {
    this.enter((now) => {
      for (const listener of this.listeners) listener.abort(now)
      for (const hold of this.holds) hold.abort(now)
      for (const endpoint of [...this.host.connections]) if (endpoint instanceof Connection) abort(endpoint, now)
    })
  }

  /** Waits until every connection has ended or is in TIME-WAIT; false: not within `patience` ms. */
  async untilQuiet(patience: number): Promise<boolean> {
    const deadline = this.time.now + patience
    while ([...this.host.connections].some((endpoint) => endpoint instanceof Connection)) {
      if (this.time.now > deadline) return false
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return true
  }

  /** Takes the device away; what is still open is reset. */
  async stop(): Promise<void> {
    await this.#control?.close()
    await this.host.close(0)
    this.host.alive?.remove()
    this.#capture?.close()
  }
}

async function tunHostOf(
  choices: HostChoices,
  { ours, kernels }: WireEnds,
  around: (device: TunDevice) => Link,
): Promise<TunHost> {
  const { tap, name, mtu, offloads, profile } = choices
  try {
    return await tunHost({
      address: ours.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
      peer: kernels.map(({ address }) => `${address}`),
      mode: tap === true ? 'tap' : 'tun',
      offloads,
      profile,
      around,
      ...(name === undefined ? {} : { device: name }),
      ...(mtu === undefined ? {} : { mtu }),
    })
  } catch (error) {
    throw new Complaint((error as Error).message, 1)
  }
}
