import {
  ACK,
  CWR,
  ECE,
  FIN,
  PSH,
  parseIpAddress,
  RST,
  Segment,
  SYN,
  segmentText,
  summarizeSent,
} from '../../wire/index.js'
import { type ActiveOpen, openActive } from '../calls.js'
import { type Connection, type ConnectionUser, Ready } from '../connection.js'
import type { Endpoint, IcmpError } from '../environment.js'
import type { Observed, Observer } from '../observer.js'
import { Listener } from '../open/listener.js'
import { segmentForNobody } from '../reset.js'
import type { ProfileName } from '../settings/profiles/index.js'
import type { ProgramOptions } from '../settings/program-options.js'
import type { Settings } from '../settings/settings.js'
import { type StateName, stateName } from '../states/state-name.js'
import { LoneHost } from './lone-host.js'

export const HERE = parseIpAddress('192.168.0.1')
export const PEER = parseIpAddress('192.0.2.1')
const PEER_PORT = 40000
const HERE_PORT = 8080
/** The peer's initial sequence number. */
export const IRS = 5000

const FLAGS: Record<string, number> = { S: SYN, F: FIN, R: RST, P: PSH, E: ECE, W: CWR, '.': ACK }

/** What arrives. Sequence numbers count from the initial ones. */
export interface Arriving {
  seq?: number
  ack?: number
  length?: number
  window?: number
  mss?: number
  windowScale?: number
  sack?: boolean
  tsVal?: number
  tsEcr?: number
  /** Fast-open cookie; empty: a request. */
  cookie?: Uint8Array
  port?: number
}

/** A program that only listens to what it is told. */
export class Told implements ConnectionUser {
  bits = 0
  notify(_about: Connection | Listener, ready: number): void {
    this.bits |= ready
  }
  has(name: keyof typeof Ready): boolean {
    return (this.bits & Ready[name]) !== 0
  }
}

/** A host whose peer is the test: it says what arrives, segment by segment, and reads what is sent. */
export class Exchange extends LoneHost {
  /** Every state any connection came to, in order, with the cause. */
  readonly history: string[] = []
  readonly told = new Told()
  /** Our initial sequence numbers by the peer's port. */
  readonly #iss = new Map<number, number>()

  constructor(profileName: ProfileName = 'rfc9293', changes: Partial<Settings> = {}) {
    super(profileName, { timestamps: 0, windowScaling: false, sack: false, ecn: 0, ...changes })
    this.observer = this.#watcher()
  }

  override transmit(_endpoint: Observed | null, segment: Segment): void {
    const port = segment.destinationPort
    if (segment.flags & SYN) this.#iss.set(port, segment.seq)
    this.sent.push(segmentText(summarizeSent(segment), { seq: this.#iss.get(port) ?? 0, ack: IRS }))
  }

  /** An active OPEN to the peer. */
  open(options: Partial<ProgramOptions> = {}, more: Partial<ActiveOpen> = {}): Connection {
    const request = { local: HERE, localPort: HERE_PORT, remote: PEER, remotePort: PEER_PORT, user: this.told, options }
    return openActive(this, { ...request, ...more }, this.now)
  }

  listen(options: Partial<ProgramOptions> = {}, backlog = 5): Listener {
    return new Listener(this, { local: HERE, localPort: HERE_PORT, backlog, user: this.told, options }, this.now)
  }

  /** Active OPEN up to ESTABLISHED. */
  connected(options: Partial<ProgramOptions> = {}): Connection {
    const c = this.open(options)
    this.advance(10)
    this.arrives('S.', { ack: 1, mss: 1460 })
    this.take()
    return c
  }

  /** Passive OPEN up to ESTABLISHED, accepted. */
  accepted(options: Partial<ProgramOptions> = {}): Connection {
    const listener = this.listen(options)
    this.arrives('S', { mss: 1460 })
    this.advance(10)
    this.arrives('.', { seq: 1, ack: 1 })
    this.take()
    const c = listener.accept(this.told, this.now)!
    return c
  }

  /** A segment from the peer: flags as packetdrill writes them. It goes where the host's table says. */
  arrives(flags: string, what: Arriving = {}): void {
    const seg = new Segment()
    const port = what.port ?? PEER_PORT
    seg.source = PEER
    seg.destination = HERE
    seg.sourcePort = port
    seg.destinationPort = HERE_PORT
    for (const letter of flags) seg.flags |= FLAGS[letter]!
    const seq = what.seq ?? 0
    seg.seq = (IRS + seq) | 0
    if (seg.flags & ACK) seg.ack = ((this.#iss.get(port) ?? 0) + (what.ack ?? 0)) | 0
    seg.window = what.window ?? 65535
    seg.textLength = what.length ?? 0
    seg.bytes = Uint8Array.from({ length: seg.textLength }, (_, i) => (seq + i) & 255)
    seg.mss = what.mss ?? -1
    seg.windowScale = what.windowScale ?? -1
    seg.sackPermitted = what.sack ?? false
    seg.hasTimestamps = what.tsVal !== undefined
    seg.tsVal = what.tsVal ?? 0
    seg.tsEcr = what.tsEcr ?? 0
    if (what.cookie !== undefined) {
      seg.fastOpenStart = seg.textLength
      seg.fastOpenLength = what.cookie.length
      seg.bytes = Uint8Array.from([...seg.bytes, ...what.cookie])
    }
    const to = this.find(HERE, HERE_PORT, PEER, port) ?? this.findListener(HERE, HERE_PORT)
    if (to === null) segmentForNobody(this, seg, this.now)
    else to.segmentArrives(seg, this.now)
  }

  /** An ICMP error that quotes a segment of ours with this sequence number. */
  icmp(kind: IcmpError['kind'], quoted: number, mtu = 0): void {
    const quotedSeq = ((this.#iss.get(PEER_PORT) ?? 0) + quoted) | 0
    const error: IcmpError = { kind, version: 4, type: 3, code: 0, mtu, quotedSeq, from: PEER }
    this.endpoint()?.errorArrives(error, this.now)
  }

  /** What the host has for the peer's addresses and ports. */
  endpoint(port = PEER_PORT): Endpoint | null {
    return this.find(HERE, HERE_PORT, PEER, port)
  }

  /** State of that; CLOSED: nothing is there. */
  state(port = PEER_PORT): StateName {
    const there = this.endpoint(port)
    return there === null ? 'CLOSED' : stateName(there.state)
  }

  #watcher(): Observer {
    const nothing = (): void => {}
    return {
      segmentSent: nothing,
      segmentReceived: nothing,
      dropped: nothing,
      stateChanged: (_c, _from, to, cause) => this.history.push(`${stateName(to)} (${cause})`),
      timerArmed: nothing,
      timerFired: nothing,
      called: nothing,
      settled: nothing,
    }
  }
}

/** `length` octets. */
export const octets = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 255)
