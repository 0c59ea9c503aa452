import type { Host } from '../ip/index.js'
import {
  abort,
  type Connection,
  type ConnectionUser,
  close,
  type ErrorName,
  type Instant,
  Listener,
  openActive,
  type ProfileName,
  type ProgramOptions,
  Ready,
  receive,
  type Settings,
  type StateName,
  send,
  shutdownWrite,
  stateName,
} from '../tcp/index.js'
import {
  ACK,
  ANY_IPV4,
  type Frame,
  PacketHeader,
  parsePacket,
  parseTcp,
  Segment,
  takePacketHeader,
} from '../wire/index.js'
import { createNetwork, type Network, type NetworkOptions } from './network.js'

/** A segment that an end of a pair sent. Sequence numbers count from the initial ones: the SYN is 0, the first octet 1. */
export interface SentSegment {
  /** Virtual time, ms. */
  readonly at: Instant
  readonly flags: number
  readonly seq: number
  /** 0 without the ACK flag. */
  readonly ack: number
  /** As on the wire, not scaled. */
  readonly window: number
  readonly textLength: number
}

/** One end of a connection: what its program did and saw, and what it sent. */
export class End implements ConnectionUser {
  readonly host: Host
  connection!: Connection
  /** Everything sent since the pair was connected, or since `sent` was last emptied. */
  readonly sent: SentSegment[] = []
  /** Everything told since the connection was made: bits of `Ready`. */
  told = 0
  readonly #net: Network

  constructor(net: Network, host: Host) {
    this.#net = net
    this.host = host
  }

  /** Its state, that of the record it left in TIME-WAIT included; what the host knows nothing of is CLOSED. */
  get state(): StateName {
    const { id, local, localPort, remote, remotePort } = this.connection
    const known = this.host.find(local, localPort, remote, remotePort)
    return known === null || known.id !== id ? 'CLOSED' : stateName(known.state)
  }

  get error(): ErrorName | null {
    return this.connection.error
  }

  notify(_connection: Connection | Listener, ready: number): void {
    this.told |= ready
  }

  /** SEND: octets taken, or the error. */
  send(text: string | Uint8Array, flags = 0): number | ErrorName {
    const octets = typeof text === 'string' ? Uint8Array.from(text, (c) => c.charCodeAt(0)) : text
    return send(this.connection, octets, flags, this.#net.now)
  }

  /** RECEIVE: what has arrived, up to `most` octets; '' at the peer's FIN; or the error (EAGAIN: nothing yet). */
  receive(most = 65_536): Uint8Array | ErrorName {
    const target = new Uint8Array(most)
    const result = receive(this.connection, target, 0, this.#net.now)
    return typeof result === 'number' ? target.subarray(0, result) : result
  }

  /** Half-close. */
  shutdown(): void {
    shutdownWrite(this.connection, this.#net.now)
  }

  close(): void {
    close(this.connection, this.#net.now)
  }

  abort(): void {
    abort(this.connection, this.#net.now)
  }
}

export interface PairOptions {
  readonly profile?: ProfileName
  /** Of both hosts; `clientSettings` and `serverSettings` of one. */
  readonly settings?: Partial<Settings>
  readonly clientSettings?: Partial<Settings>
  readonly serverSettings?: Partial<Settings>
  /** What both programs ask of the connection. */
  readonly program?: Partial<ProgramOptions>
  /** The link between them, and the seed. */
  readonly network?: NetworkOptions
}

export interface Pair {
  readonly client: End
  readonly server: End
  readonly sim: Network
}

/** Two hosts, 'client' and 'server', and an ESTABLISHED connection between them: where most tests begin. */
export function pair(options: PairOptions = {}): Pair {
  const sim = createNetwork({ latency: 10, ...options.network })
  const { profile = 'linux', settings, program = {} } = options
  const client = new End(sim, sim.host('client', { profile, settings: { ...settings, ...options.clientSettings } }))
  const server = new End(sim, sim.host('server', { profile, settings: { ...settings, ...options.serverSettings } }))
  const address = (end: End) => end.host.interfaces[1]!.addresses[0]!.address
  const listener = new Listener(
    server.host,
    { local: ANY_IPV4, localPort: 80, backlog: 1, user: server, options: program },
    sim.now,
  )
  record(sim, [client, server])
  const local = address(client)
  const remote = address(server)
  const localPort = client.host.ports.forConnection(local, remote, 80)
  const request = { local, localPort, remote, remotePort: 80, user: client, options: program }
  client.connection = openActive(client.host, request, sim.now)
  const isOpen = () => {
    if ((server.told & Ready.Acceptable) === 0 || client.state !== 'ESTABLISHED') return false
    const accepted = listener.accept(server, sim.now)
    if (accepted !== null) server.connection = accepted
    return accepted !== null
  }
  if (!sim.clock.runUntil(isOpen, '10m')) throw new Error(`the pair did not connect: the client is in ${client.state}`)
  // what the handshake left under way: the last ACK, a window update
  sim.advance(20)
  client.sent.length = 0
  server.sent.length = 0
  client.told = 0
  server.told = 0
  return { client, server, sim }
}

/** Notes what each end puts on the link, super-segments as one, in numbers relative to the initial ones. */
function record(sim: Network, ends: readonly End[]): void {
  const header = new PacketHeader()
  const segment = new Segment()
  sim.capture(({ fate, from, frame, now }) => {
    const end = ends.find((e) => e.host === from)
    if (fate !== 'sent' || end === undefined || !read(frame, header, segment)) return
    const c = end.connection as Connection | undefined
    const { flags, window, textLength } = segment
    const seq = (segment.seq - (c?.snd.iss ?? 0)) | 0
    const ack = flags & ACK ? (segment.ack - (c?.rcv.irs ?? 0)) | 0 : 0
    end.sent.push({ at: now, flags, seq, ack, window, textLength })
  })
}

function read(frame: Frame, header: PacketHeader, segment: Segment): boolean {
  if (parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return false
  takePacketHeader(segment, header)
  return parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, segment, false) === null
}
