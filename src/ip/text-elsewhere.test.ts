import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testHost } from '../../test/fixtures/test-host.js'
import { type Connection, Listener, openActive, receive, send } from '../tcp/index.js'
import { Frame, parseIpAddress } from '../wire/index.js'
import { type FrameReceiver, type Link, parseInterfaceAddress } from './index.js'

/** A device that takes super-segments and is done with them when `transmit` returns. */
class Device implements Link {
  readonly mtu = 1500
  readonly maxSuperSegment = 65_435
  readonly checksumOffload = true
  readonly copies = true
  receiver: FrameReceiver | null = null
  peer!: Device
  /** Octets of all packets taken, and how many had their text elsewhere. */
  readonly taken: Uint8Array[] = []
  apart = 0
  readonly gathers: boolean
  #coming: Frame[] = []

  constructor(gathers: boolean) {
    this.gathers = gathers
  }

  transmit(frames: readonly Frame[], count: number): void {
    for (let i = 0; i < count; i++) this.#take(frames[i]!)
  }

  #take(frame: Frame): void {
    const { elsewhere } = frame
    const pieces = [frame.view()]
    for (let i = 0; i < (elsewhere?.count ?? 0); i++) {
      const start = elsewhere!.starts[i]!
      pieces.push(elsewhere!.bytes[i]!.subarray(start, start + elsewhere!.lengths[i]!))
    }
    if (elsewhere !== null) this.apart++
    const octets = Uint8Array.from(Buffer.concat(pieces))
    this.taken.push(octets)
    const copy = new Frame(octets, 0, octets.length)
    copy.gsoSize = frame.gsoSize
    copy.checksumPartial = frame.checksumPartial
    this.peer.#coming.push(copy)
  }

  deliver(now: number): boolean {
    const frames = this.#coming
    this.#coming = []
    this.receiver!.receive(frames, frames.length, now)
    return frames.length > 0
  }
}

const octetAt = (place: number): number => (place * 31 + (place >> 8)) & 0xff

/** A client writes so many octets at a time to a server, which reads all of it; what it read, and the client's packets. */
function transfer(gathers: boolean, writes: readonly number[]): { text: number[]; device: Device } {
  const [a, b] = [new Device(gathers), new Device(gathers)]
  a.peer = b
  b.peer = a
  const [client, server] = [testHost(), testHost()]
  client.attach(a, { addresses: [parseInterfaceAddress('10.0.0.1/24')] })
  server.attach(b, { addresses: [parseInterfaceAddress('10.0.0.2/24')] })
  const user = { notify: () => {} }
  const [local, remote] = [parseIpAddress('10.0.0.1'), parseIpAddress('10.0.0.2')]
  const listener = new Listener(server, { local: remote, localPort: 80, backlog: 1, user }, 0)
  const c = openActive(client, { local, localPort: 40_000, remote, remotePort: 80, user }, 0)
  const text: number[] = []
  const target = new Uint8Array(100_000)
  let accepted: Connection | null = null
  let place = 0
  let now = 1
  const read = (): void => {
    while (a.deliver(now) || b.deliver(now)) now += 1
    accepted ??= listener.accept(user, now)
    if (accepted === null) return
    for (
      let n = receive(accepted, target, 0, now);
      typeof n === 'number' && n > 0;
      n = receive(accepted, target, 0, now)
    )
      text.push(...target.subarray(0, n))
  }
  read()
  for (const octets of writes) {
    const chunk = Uint8Array.from({ length: octets }, (_, i) => octetAt(place + i))
    for (let sent = 0; sent < octets; read()) {
      const n = send(c, chunk.subarray(sent), 0, now)
      if (typeof n === 'number') sent += n
    }
    place += octets
  }
  read()
  return { text, device: a }
}

test('a link that gathers gets the same packets, the text of super-segments where it lies', () => {
  let apart = 0
  const size = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1000, max: 70_000 }))
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 12 }), (writes) => {
      const copied = transfer(false, writes)
      const gathered = transfer(true, writes)
      expect(copied.device.apart).toBe(0)
      apart += gathered.device.apart
      expect(Buffer.compare(Buffer.concat(gathered.device.taken), Buffer.concat(copied.device.taken))).toBe(0)
      expect(gathered.text.findIndex((octet, i) => octet !== octetAt(i))).toBe(-1)
      expect(gathered.text.length).toBe(writes.reduce((sum, octets) => sum + octets, 0))
    }),
    { numRuns: 30 },
  )
  expect(apart).toBeGreaterThan(30)
}, 60_000)
