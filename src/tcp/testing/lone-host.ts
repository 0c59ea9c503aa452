import {
  ACK,
  ANY_IPV4,
  Batch,
  type IpAddress,
  parseIpAddress,
  Segment,
  segmentText,
  summarizeSent,
} from '../../wire/index.js'
import { Connection, type ConnectionUser } from '../connection.js'
import { Counters } from '../counters.js'
import type { Endpoint, Environment, PathMetrics, Secrets } from '../environment.js'
import { HostWide } from '../host-wide.js'
import type { Observed, Observer } from '../observer.js'
import { agreeOptions } from '../options/mss.js'
import { beginReceiving, establishReceiving, firstWindow, synReceived } from '../receive/receive-window.js'
import { beginSending, establishSending, mssChanged } from '../send/output.js'
import { type ProfileName, profile } from '../settings/profiles/index.js'
import type { Settings } from '../settings/settings.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'
import type { Timed } from '../timers.js'

/**
 * A host with one connection and nobody at the other end: tests write what arrives and read what is sent, one line per
 * segment, in virtual time. For the parts of the machine; whole hosts are in the ip room, two of them in sim.
 */
export class LoneHost implements Environment {
  readonly settings: Settings
  readonly counters = new Counters()
  observer: Observer | null = null
  readonly secrets: Secrets = {
    isn: new Uint8Array(16).fill(1),
    timestamps: new Uint8Array(16).fill(2),
    synCookie: new Uint8Array(16).fill(3),
    ports: new Uint8Array(16).fill(4),
    fastOpen: [new Uint8Array(16).fill(5)],
  }
  readonly shared = new HostWide()
  readonly out = new Segment()
  readonly maxSuperSegment = 0
  moreArriving = false
  readonly owing = new Batch<Connection>()
  readersKeep = false
  /** What was sent since it was last taken, as `wire`'s segmentText prints it, numbers counted from the initial ones. */
  sent: string[] = []
  mtu = 1500
  now: Instant = 0
  readonly endpoints = new Set<Endpoint>()
  readonly #scheduled = new Set<Timed>()
  readonly #paths = new Map<string, PathMetrics>()
  #ids = 0
  #seed = 1

  constructor(profileName: ProfileName, changes: Partial<Settings> = {}) {
    this.settings = Object.assign(profile(profileName), { timestamps: 2 }, changes)
  }

  transmit(endpoint: Observed | null, segment: Segment): void {
    const c = endpoint instanceof Connection ? endpoint : null
    const base = c === null ? {} : { seq: c.snd.iss, ack: c.rcv.irs }
    this.sent.push(segmentText(summarizeSent(segment), base))
  }

  random(): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) | 0
    return this.#seed
  }

  nextId(): number {
    return ++this.#ids
  }

  register(endpoint: Endpoint): void {
    this.endpoints.add(endpoint)
  }

  unregister(endpoint: Endpoint): void {
    this.endpoints.delete(endpoint)
  }

  replace(previous: Endpoint, next: Endpoint): void {
    this.endpoints.delete(previous)
    this.endpoints.add(next)
  }

  find(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Endpoint | null {
    for (const e of this.endpoints) {
      const here = e.localPort === localPort && e.local.equals(local)
      if (here && e.remotePort === remotePort && e.remote.equals(remote)) return e
    }
    return null
  }

  findListener(_local: IpAddress, localPort: number): Endpoint | null {
    for (const e of this.endpoints) if (e.localPort === localPort && e.state === State.Listen) return e
    return null
  }

  schedule(timed: Timed): void {
    this.#scheduled.add(timed)
  }

  unschedule(timed: Timed): void {
    this.#scheduled.delete(timed)
  }

  path(destination: IpAddress): PathMetrics {
    const name = destination.toString()
    let path = this.#paths.get(name)
    if (path === undefined) {
      path = {
        mtu: this.mtu,
        ssthresh: 0,
        smoothedRtt: 0,
        rttVariance: 0,
        fastOpenCookie: null,
        fastOpenMss: 0,
        fastOpenExperimental: false,
        fastOpenTryExperimental: 0,
        fastOpenSynLosses: 0,
        fastOpenLastSynLoss: 0,
        ecnFailed: false,
      }
      this.#paths.set(name, path)
    }
    return path
  }

  doubtPath(): void {}

  interfaceMtu(): number {
    return this.mtu
  }

  /** Lets time pass; timers that are due fire in order. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds
    for (;;) {
      let next: Timed | null = null
      for (const timed of this.#scheduled) if (next === null || timed.deadline < next.deadline) next = timed
      if (next === null || next.deadline > end) break
      this.now = Math.max(this.now, next.deadline)
      next.deadlineReached(this.now)
    }
    this.now = end
  }

  /** What was sent since the last call. */
  take(): string[] {
    const { sent } = this
    this.sent = []
    return sent
  }
}

export interface Opened {
  /** Octets of SO_RCVBUF; none: the setting. */
  buffer?: number
  /** What the peer's SYN offered. */
  mss?: number
  windowScale?: number
  sack?: boolean
  timestamps?: boolean
  user?: ConnectionUser
  remote?: string
}

const ISS = 1000
const IRS = 5000
/** The peer's timestamp in its SYN. */
export const PEER_TIMESTAMP = 100

/** A connection in ESTABLISHED as after a passive open, without the exchange; the window of the peer is 65535. */
export function establishedConnection(host: LoneHost, opened: Opened = {}): Connection {
  const remote = parseIpAddress(opened.remote ?? '192.0.2.1')
  const c = new Connection(host, remote)
  c.local = remote.isIPv4 ? parseIpAddress('192.168.0.1') : ANY_IPV4
  c.localPort = 8080
  c.remotePort = 40000
  c.user = opened.user ?? { notify() {} }
  const syn = new Segment()
  syn.mss = opened.mss ?? 1460
  syn.windowScale = opened.windowScale ?? -1
  syn.sackPermitted = opened.sack ?? false
  syn.hasTimestamps = opened.timestamps ?? false
  syn.tsVal = PEER_TIMESTAMP
  const scaling = syn.windowScale >= 0
  const { settings } = host
  const advertised = 1460
  const buffer = opened.buffer ?? settings.receiveBuffer[1]
  const mss = advertised - (syn.hasTimestamps ? 12 : 0)
  const fixed = opened.buffer !== undefined
  beginReceiving(c, firstWindow(settings, buffer, fixed, 0, mss, scaling), buffer, fixed, advertised)
  // as if the SYN had been sent and acknowledged: the send queue begins behind it
  beginSending(c, ISS + 1, host.now)
  c.snd.iss = ISS
  synReceived(c, IRS)
  agreeOptions(c, syn, { windowScaling: true, sack: true, timestamps: settings.timestamps > 0 }, host.now)
  c.snd.wnd = 65535
  c.snd.maxWnd = 65535
  mssChanged(c, host.now)
  c.state = State.Established
  c.established = true
  establishReceiving(c, host.now)
  establishSending(c, host.now)
  host.take()
  return c
}

export interface Arrival {
  seq?: number
  ack?: number
  flags?: number
  length?: number
  window?: number
  gsoSize?: number
  ecn?: number
  tsVal?: number
  tsEcr?: number
  urgentPointer?: number
  /** SACK blocks, edges counted as `ack` is. */
  sack?: readonly (readonly [left: number, right: number])[]
}

/** A segment arrives at a connection; sequence numbers count from the initial ones, text is the octets of the stream. */
export function arrives(host: LoneHost, c: Connection, arrival: Arrival): void {
  const seg = new Segment()
  const length = arrival.length ?? 0
  const seq = arrival.seq ?? 1
  seg.source = c.remote
  seg.destination = c.local
  seg.sourcePort = c.remotePort
  seg.destinationPort = c.localPort
  seg.seq = (c.rcv.irs + seq) | 0
  seg.ack = (c.snd.iss + (arrival.ack ?? 1)) | 0
  seg.flags = arrival.flags ?? ACK
  seg.window = arrival.window ?? 65535
  seg.bytes = Uint8Array.from({ length }, (_, i) => (seq + i) & 255)
  seg.textLength = length
  seg.gsoSize = arrival.gsoSize ?? 0
  seg.ecn = arrival.ecn ?? 0
  seg.urgentPointer = arrival.urgentPointer ?? 0
  for (const [left, right] of arrival.sack ?? []) {
    seg.sack[2 * seg.sackCount] = (c.snd.iss + left) | 0
    seg.sack[2 * seg.sackCount + 1] = (c.snd.iss + right) | 0
    seg.sackCount++
  }
  if (c.snd.tsOk) {
    seg.hasTimestamps = true
    seg.tsVal = arrival.tsVal ?? PEER_TIMESTAMP
    seg.tsEcr = arrival.tsEcr ?? 0
    seg.optionsLength = 12
  }
  c.segmentArrives(seg, host.now)
}
