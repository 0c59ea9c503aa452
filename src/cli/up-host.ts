import { randomBytes } from 'node:crypto'
import { Host, type Link, Random, RealTime } from '../ip/index.js'
import { Capture, FaultInjection } from '../link/index.js'
import { openTun, type TunDevice } from '../link/tun.js'
import { abort, Connection, type Instant, type Listener, profile } from '../tcp/index.js'
import { ANY_IPV4, ANY_IPV6 } from '../wire/index.js'
import { type ControlSocket, serveControl } from './ss-control.js'
import { hostReport } from './ss-report.js'
import { CaptureFile } from './up-capture.js'
import { Complaint } from './up-complaint.js'
import type { Hold } from './up-hold.js'
import { checkFree, type Ends, endsOf, type HostChoices } from './up-options.js'

/** How long Ctrl-C waits for peers to close their side, ms. */
const PATIENCE = 5000

/** A host that is up: at the end of a device, in real time, to be looked at by `estab ss`. */
export class HostUp {
  readonly host: Host
  readonly time: RealTime
  readonly device: TunDevice
  readonly ends: Ends
  readonly holds = new Set<Hold>()
  readonly listeners = new Set<Listener>()
  readonly #capture: CaptureFile | null
  #control: ControlSocket | null = null

  private constructor(host: Host, time: RealTime, device: TunDevice, ends: Ends, capture: CaptureFile | null) {
    this.host = host
    this.time = time
    this.device = device
    this.ends = ends
    this.#capture = capture
  }

  /**
   * Brings a host up.
   * @param around puts a link of its own around that of the device, between it and the faults
   * @throws Complaint
   */
  static async start(choices: HostChoices, around: (link: Link) => Link = (link) => link): Promise<HostUp> {
    const ends = endsOf(choices)
    checkFree(ends)
    const time = new RealTime()
    const device = await openDevice(choices, ends, time)
    try {
      const capture = choices.pcap === undefined ? null : new CaptureFile(choices.pcap, device.name)
      const host = new Host({
        name: device.name,
        settings: profile(choices.profile),
        random: new Random(randomBytes(6).readUIntBE(0, 6)),
        secrets: {
          isn: randomBytes(16),
          timestamps: randomBytes(16),
          synCookie: randomBytes(16),
          ports: randomBytes(16),
          fastOpen: [randomBytes(16)],
        },
      })
      let link: Link = around(device)
      // what is captured is what the wire sees: faults happen between it and us
      if (capture !== null) link = new Capture(link, (frame, direction) => capture.write(frame, direction))
      if (choices.faults !== undefined) link = new FaultInjection(link, choices.faults, new Random(Date.now()))
      const via = host.attach(link, { name: device.name, addresses: ends.ours })
      for (const any of [ANY_IPV4, ANY_IPV6]) {
        const own = ends.ours.find(({ address }) => address.isIPv4 === any.isIPv4)
        if (own !== undefined) host.routes.add({ destination: any, prefixLength: 0, via, source: own.address })
      }
      time.drive(host)
      const up = new HostUp(host, time, device, ends, capture)
      up.#control = await serveControl(device.name, () => hostReport(up.host, choices.profile, ends, up.time.now))
      return up
    } catch (error) {
      await device.close()
      throw error
    }
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

  /** Takes the device away; what is still open is forgotten without a word. */
  async stop(): Promise<void> {
    this.time.release(this.host)
    await this.#control?.close()
    await this.device.close()
    this.#capture?.close()
  }
}

async function openDevice(choices: HostChoices, { ours, kernels }: Ends, time: RealTime): Promise<TunDevice> {
  const text = ({ address, prefixLength }: Ends['ours'][number]) => `${address}/${prefixLength}`
  try {
    return await openTun({
      mode: choices.tap === true ? 'tap' : 'tun',
      offloads: choices.offloads,
      kernelAddresses: kernels.map(text),
      addresses: ours.map(text),
      now: () => time.now,
      ...(choices.name === undefined ? {} : { name: choices.name }),
      ...(choices.mtu === undefined ? {} : { mtu: choices.mtu }),
    })
  } catch (error) {
    throw new Complaint((error as Error).message, 1)
  }
}
