import { describe, expect, test, vi } from 'vitest'
import { testHost } from '../../test/fixtures/test-host.js'
import { type Connection, Listener, openActive, Ready, receive, send } from '../tcp/index.js'
import {
  checksumAdd,
  checksumFold,
  DropReason,
  type Frame,
  IPPROTO_TCP,
  parseIpAddress,
  pseudoHeaderSum,
  read16,
  read32,
  type Segment,
  updateIPv4Checksum,
  write16,
  write32,
} from '../wire/index.js'
import type { FrameReceiver, Host, Link } from './index.js'
import { parseInterfaceAddress } from './routes.js'

/** What waits between two hosts, to be looked at, changed and passed on by the test. */
class Wire implements Link {
  readonly mtu = 1500
  readonly maxSuperSegment = 0
  readonly checksumOffload = false
  readonly releasesFrames = true
  receiver: FrameReceiver | null = null
  peer!: Wire
  waiting: Frame[] = []

  transmit(frames: readonly Frame[], count: number): void {
    this.waiting.push(...frames.slice(0, count))
  }

  /** Passes on what waits as one batch. */
  pass(change: (frames: Frame[]) => Frame[] = (frames) => frames): void {
    const frames = change(this.waiting.splice(0))
    this.peer.receiver!.receive(frames, frames.length, 1)
  }
}

const MSS = 1448

interface Stage {
  readonly server: Host
  /** The server's end. */
  readonly connection: Connection
  readonly toServer: Wire
  readonly toClient: Wire
  /** Lengths of the text of the segments that the server's connection was given, in order; -1: not part of the text. */
  readonly arrived: number[]
  write(octets: number): void
  read(): Uint8Array
}

/** A connection from a client to a server with offloads; what the client writes is in octets that tell their place. */
function stage(version: 4 | 6 = 4, offloads = true): Stage {
  const [at, to] = version === 4 ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2']
  const client = testHost()
  const server = testHost()
  client.offloads = true
  client.maxSuperSegment = 65_435
  server.offloads = offloads
  const toServer = new Wire()
  const toClient = new Wire()
  toServer.peer = toClient
  toClient.peer = toServer
  const length = version === 4 ? 24 : 64
  client.attach(toServer, { addresses: [parseInterfaceAddress(`${at}/${length}`)] })
  server.attach(toClient, { addresses: [parseInterfaceAddress(`${to}/${length}`)] })
  const nobody = { notify: () => {} }
  const local = parseIpAddress(to)
  let accepted: Connection | null = null
  const takes = {
    notify: (l: unknown, ready: number, now: number) => {
      if (ready & Ready.Acceptable) accepted = (l as Listener).accept(nobody, now)
    },
  }
  new Listener(server, { local, localPort: 80, backlog: 1, user: takes }, 0)
  const c = openActive(
    client,
    { local: parseIpAddress(at), localPort: 4000, remote: local, remotePort: 80, user: nobody },
    0,
  ) as Connection
  for (let i = 0; i < 4; i++) {
    toServer.pass()
    toClient.pass()
  }
  const s = accepted as Connection | null
  if (s === null) throw new Error('no connection')
  c.congestion.cwnd = 100
  const arrived: number[] = []
  const given = s.segmentArrives.bind(s)
  vi.spyOn(s, 'segmentArrives').mockImplementation((segment, now) => {
    arrived.push(segment.textLength)
    given(segment, now)
  })
  let written = 0
  return {
    server,
    connection: s,
    toServer,
    toClient,
    arrived,
    write(octets) {
      client.enter(1)
      send(
        c,
        Uint8Array.from({ length: octets }, (_, i) => placeOctet(written + i)),
        0,
        1,
      )
      written += octets
      client.leave(1)
    },
    read() {
      const target = new Uint8Array(200_000)
      const n = receive(s, target, 0, 1)
      return target.subarray(0, typeof n === 'number' ? n : 0)
    },
  }
}

const placeOctet = (at: number): number => (at * 31 + (at >>> 8)) & 0xff
const textOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => placeOctet(i))

/** Changes a frame and makes its checksums right again. */
function altered(frame: Frame, change: (bytes: Uint8Array, ip: number, tcp: number) => void): void {
  const { bytes, start, end } = frame
  const isIPv4 = bytes[start]! >>> 4 === 4
  const tcp = start + (isIPv4 ? 20 : 40)
  change(bytes, start, tcp)
  if (isIPv4) updateIPv4Checksum(bytes, start)
  const [from, to] = isIPv4 ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2']
  write16(bytes, tcp + 16, 0)
  const pseudo = pseudoHeaderSum(parseIpAddress(from), parseIpAddress(to), IPPROTO_TCP, end - tcp)
  write16(bytes, tcp + 16, checksumFold(checksumAdd(pseudo, bytes, tcp, end)))
}

describe.each([4, 6] as const)('IPv%d: segments that arrive together', (version) => {
  const tail = version === 4 ? MSS : MSS - 20

  test('and continue each other are given to the machine as one', () => {
    const { write, read, toServer, arrived } = stage(version)
    write(10 * tail + 100)
    expect(toServer.waiting).toHaveLength(11)
    toServer.pass()
    expect(arrived).toEqual([10 * tail + 100])
    expect(read()).toEqual(textOf(10 * tail + 100))
  })

  test('are given one by one without offloads', () => {
    const { write, read, toServer, arrived } = stage(version, false)
    write(10 * tail)
    toServer.pass()
    expect(arrived).toEqual(new Array(10).fill(tail))
    expect(read()).toEqual(textOf(10 * tail))
  })

  const differences: [string, (bytes: Uint8Array, ip: number, tcp: number) => void][] = [
    ['another acknowledgment', (b, _ip, tcp) => write32(b, tcp + 8, (read32(b, tcp + 8) - 1) | 0)],
    ['another window', (b, _ip, tcp) => write16(b, tcp + 14, read16(b, tcp + 14) - 1)],
    ['another timestamp', (b, _ip, tcp) => write32(b, tcp + 24, read32(b, tcp + 24) + 1)],
    ['a mark of congestion', (b, ip) => write16(b, ip, read16(b, ip) | (version === 4 ? 0x03 : 0x30))],
    ['another time to live', (b, ip) => write16(b, ip + (version === 4 ? 8 : 6), version === 4 ? 0x3f06 : 0x063f)],
    ['CWR', (b, _ip, tcp) => write16(b, tcp + 12, read16(b, tcp + 12) | 0x80)],
    ['URG', (b, _ip, tcp) => write16(b, tcp + 12, read16(b, tcp + 12) | 0x20)],
  ]

  test.each(differences)('%s parts those before from those behind', (_name, change) => {
    const { write, read, toServer, arrived } = stage(version)
    write(9 * tail)
    altered(toServer.waiting[4]!, change)
    toServer.pass()
    // an old acknowledgment may be a reason to drop it
    expect(arrived.slice(0, 2)).toEqual([4 * tail, tail])
    expect(read().length).toBeGreaterThanOrEqual(4 * tail)
  })

  test('PSH ends what is joined', () => {
    const { write, read, toServer, arrived } = stage(version)
    write(9 * tail)
    altered(toServer.waiting[4]!, (b, _ip, tcp) => write16(b, tcp + 12, read16(b, tcp + 12) | 8))
    toServer.pass()
    expect(arrived).toEqual([5 * tail, 4 * tail])
    expect(read()).toEqual(textOf(9 * tail))
  })

  test('one that is garbled is dropped alone, and those behind it wait for it', () => {
    for (const at of [-1, -700, 5, version === 4 ? 13 : 9, (version === 4 ? 20 : 40) + 9]) {
      const { write, read, toServer, arrived, server } = stage(version)
      write(9 * tail)
      const garbled = toServer.waiting[4]!
      garbled.bytes[at < 0 ? garbled.end + at : garbled.start + at]! ^= 0x10
      toServer.pass()
      expect(arrived, `octet ${at}`).toEqual([4 * tail, tail, tail, tail, tail])
      expect(read()).toEqual(textOf(4 * tail))
      const { drops } = server.counters
      expect((drops[DropReason.BadTcpChecksum] ?? 0) + (drops[DropReason.BadIpChecksum] ?? 0)).toBe(1)
    }
  })

  test('that are lost, overtaken or doubled are given as they came', () => {
    const { write, read, toServer, arrived } = stage(version)
    write(6 * tail)
    toServer.pass(([a, b, c, d, e, f]) => [a!, c!, b!, d!, e!, f!])
    expect(arrived).toEqual([tail, tail, tail, 3 * tail])
    expect(read()).toEqual(textOf(6 * tail))
  })

  test('go no further than the window', () => {
    const { write, toServer, arrived, connection } = stage(version)
    write(8 * tail)
    connection.rcv.wnd = 5 * tail + 10
    toServer.pass()
    expect(arrived).toEqual([5 * tail, tail, tail, tail])
  })

  test('make no segment larger than 64 KB', () => {
    const { write, read, toServer, arrived } = stage(version)
    for (let i = 0; i < 3; i++) {
      write(70 * tail)
      toServer.pass()
      read()
    }
    expect(Math.max(...arrived)).toBeLessThanOrEqual(65_535)
    expect(Math.max(...arrived)).toBeGreaterThan(20 * tail)
  })
})

test('one ACK answers all that arrived together', () => {
  const { write, toServer, toClient, server } = stage()
  const before = server.counters.segmentsIn
  write(20 * MSS)
  toServer.pass()
  expect(toClient.waiting).toHaveLength(1)
  expect(server.counters.segmentsIn - before).toBe(20)
})

test('an observer sees every segment as it was on the link, though the machine is given them as one', () => {
  const { write, read, toServer, server, arrived } = stage()
  const seen: number[] = []
  const segmentReceived = vi.fn((_endpoint: unknown, segment: Segment) => void seen.push(segment.textLength))
  server.observer = new Proxy({} as NonNullable<Host['observer']>, {
    get: (_, name) => (name === 'segmentReceived' ? segmentReceived : () => {}),
  })
  write(9 * MSS)
  toServer.pass()
  expect(segmentReceived).toHaveBeenCalledTimes(9)
  expect(seen).toEqual(new Array(9).fill(MSS))
  expect(arrived).toHaveLength(1)
  expect(read()).toEqual(textOf(9 * MSS))
})
