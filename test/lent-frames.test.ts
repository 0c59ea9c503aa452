import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FrameReceiver, type Host, type Link, parseInterfaceAddress } from '../src/ip/index.js'
import { copyFrame, memoryPipe } from '../src/link/index.js'
import { type Connection, close, Listener, openActive, Ready, receive, receiveChunk, send } from '../src/tcp/index.js'
import { type Frame, parseIpAddress } from '../src/wire/index.js'
import { octetAt } from './fixtures/program.js'
import { testHost } from './fixtures/test-host.js'

/** What befalls a frame. */
type Fate = 'pass' | 'lose' | 'garble' | 'double' | 'delay'

/** One end of a link whose frames are lent, and meet their fates in order. */
class FatefulEnd implements Link {
  readonly mtu = 1500
  readonly maxSuperSegment: number
  readonly checksumOffload = false
  readonly releasesFrames = true
  receiver: FrameReceiver | null = null
  peer!: FatefulEnd
  readonly #fates: readonly Fate[]
  #met = 0
  #waiting: Frame[] = []

  constructor(superSegments: boolean, fates: readonly Fate[]) {
    this.maxSuperSegment = superSegments ? 65_435 : 0
    this.#fates = fates
  }

  transmit(frames: readonly Frame[], count: number): void {
    this.#waiting.push(...frames.slice(0, count))
  }

  /** Delivers what was sent until now; false: nothing was. */
  deliver(now: number): boolean {
    const sent = this.#waiting
    if (sent.length === 0) return false
    this.#waiting = []
    const arriving: Frame[] = []
    for (const frame of sent) {
      switch (this.#fates[this.#met++] ?? 'pass') {
        case 'lose':
          frame.release()
          break
        case 'garble':
          frame.bytes[frame.end - 1]! ^= 1
          arriving.push(frame)
          break
        case 'double':
          arriving.push(frame, copyFrame(frame))
          break
        case 'delay':
          this.#waiting.push(frame)
          break
        default:
          arriving.push(frame)
      }
    }
    this.peer.receiver!.receive(arriving, arriving.length, now)
    return true
  }
}

/** How a program reads: into its own memory, chunks that it keeps, seldom, or not at all before it closes. */
type Reading = 'copies' | 'keeps' | 'seldom' | 'never'

const OCTETS = 300_000

interface Flow {
  readonly salt: number
  readonly reading: Reading
  readonly kept: Uint8Array[]
  sent: number
  received: number
  wrong: number
  turns: number
}

/** Runs flows from one host to another until all of their text has been read; false: it was not within a minute. */
function run(flows: Flow[], fates: readonly Fate[], back: readonly Fate[], superSegments: boolean): boolean {
  let now = 0
  const wires = [new FatefulEnd(superSegments, fates), new FatefulEnd(superSegments, back)] as const
  wires[0].peer = wires[1]
  wires[1].peer = wires[0]
  const hosts = wires.map((wire, i) => {
    const host = testHost()
    host.offloads = true
    host.maxSuperSegment = 65_435
    host.attach(wire, { addresses: [parseInterfaceAddress(`10.0.0.${i + 1}/24`)] })
    return host
  }) as [Host, Host]
  const local = parseIpAddress('10.0.0.2')
  const later: ((at: number) => void)[] = []
  for (const flow of flows) {
    const source = {
      notify: (c: unknown, ready: number) => {
        if (ready & (Ready.Writable | Ready.Established)) later.push((at) => write(flow, c as Connection, at))
      },
    }
    const sink = {
      notify: (c: unknown, ready: number) => {
        if (ready & Ready.Readable) later.push((at) => read(flow, c as Connection, at))
      },
    }
    const takes = {
      notify: (l: unknown, ready: number, at: number) => {
        if (ready & Ready.Acceptable) (l as Listener).accept(sink, at)
      },
    }
    new Listener(hosts[1], { local, localPort: 80 + flow.salt, backlog: 1, user: takes }, now)
    const remotePort = 80 + flow.salt
    const c = openActive(
      hosts[0],
      { local: parseIpAddress('10.0.0.1'), localPort: 4000 + flow.salt, remote: local, remotePort, user: source },
      now,
    )
    if (typeof c === 'string') throw new Error(c)
  }
  for (;;) {
    for (const act of later.splice(0)) act(now)
    if (flows.every((flow) => flow.reading === 'never' || flow.received === OCTETS)) return true
    const delivered = [wires[0].deliver(now), wires[1].deliver(now)].includes(true)
    const next = Math.min(hosts[0].nextDeadline(), hosts[1].nextDeadline())
    if (delivered || later.length > 0) now += 0.01
    else now = Math.max(now, next)
    if (now > 60_000) return false
    for (const host of hosts) if (host.nextDeadline() <= now) host.advance(now)
  }
}

function write(flow: Flow, c: Connection, now: number): void {
  for (;;) {
    const length = Math.min(7000 + flow.salt * 1111, OCTETS - flow.sent)
    const chunk = Uint8Array.from({ length }, (_, i) => octetAt(flow.sent + i, flow.salt))
    const taken = send(c, chunk, 0, now)
    if (!((taken as number) > 0)) return
    flow.sent += taken as number
  }
}

function read(flow: Flow, c: Connection, now: number): void {
  if (flow.reading === 'never') {
    if (++flow.turns === 3) close(c, now)
    return
  }
  // as much as the window lets come is waiting by then
  if (flow.reading === 'seldom' && c.rcv.wnd - ((c.rcv.nxt - c.rcv.wup) | 0) > 3000 && flow.received < OCTETS - 200_000)
    return
  for (;;) {
    const target = new Uint8Array(5000)
    const text = flow.reading === 'keeps' ? receiveChunk(c, 1 << 20, now) : receive(c, target, 0, now)
    if (text instanceof Uint8Array) {
      flow.kept.push(text)
      flow.received += text.length
    } else if (typeof text === 'number' && text > 0) {
      for (let i = 0; i < text; i++) if (target[i] !== octetAt(flow.received + i, flow.salt)) flow.wrong++
      flow.received += text
    } else return
  }
}

const fates = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: fc.constant<Fate>('pass') },
    { weight: 4, arbitrary: fc.constantFrom<Fate>('lose', 'garble', 'double', 'delay') },
  ),
  { maxLength: 600 },
)

test('memory that is used again never shows a reader what is not its own, whatever befalls the frames', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<Reading>('copies', 'keeps', 'seldom', 'never'), { minLength: 1, maxLength: 5 }),
      fates,
      fates,
      fc.boolean(),
      (readings, there, back, superSegments) => {
        const flows = readings.map<Flow>((reading, salt) => {
          return { salt, reading, kept: [], sent: 0, received: 0, wrong: 0, turns: 0 }
        })
        expect(run(flows, there, back, superSegments)).toBe(true)
        for (const { salt, kept, wrong, reading } of flows) {
          expect(wrong, reading).toBe(0)
          let place = 0
          for (const chunk of kept) {
            const expected = Uint8Array.from(chunk, (_, i) => octetAt(place + i, salt))
            expect(Buffer.compare(chunk, expected), `${reading} at ${place}`).toBe(0)
            place += chunk.length
          }
        }
      },
    ),
    { numRuns: 30 },
  )
}, 120_000)

test('a program that keeps what it reads is sent frames that are its own, from then on', () => {
  const due: ((at: number) => void)[] = []
  const ends = memoryPipe({ soon: (deliver) => due.push(deliver) })
  const [client, server] = ends.map((link, i) => {
    const host = testHost()
    host.attach(link, { addresses: [parseInterfaceAddress(`10.0.0.${i + 1}/24`)] })
    return host
  }) as [Host, Host]
  const settle = () => {
    while (due.length > 0) for (const deliver of due.splice(0)) deliver(1)
  }
  const local = parseIpAddress('10.0.0.2')
  const nobody = { notify: () => {} }
  const listener = new Listener(server, { local, localPort: 80, backlog: 1, user: nobody }, 0)
  const open = { local: parseIpAddress('10.0.0.1'), localPort: 4000, remote: local, remotePort: 80, user: nobody }
  const c = openActive(client, open, 0)
  if (typeof c === 'string') throw new Error(c)
  settle()
  const s = listener.accept(nobody, 1)!
  const reads = [1, 2, 3].map((octet) => {
    send(c, new Uint8Array(1000).fill(octet), 0, 1)
    settle()
    return receiveChunk(s, 5000, 1) as Uint8Array
  })
  // a copy of its own, then views of what the link brought
  expect(reads.map((text) => text.buffer.byteLength > 1000)).toEqual([false, true, true])
  expect(reads.map((text) => [...new Set(text)])).toEqual([[1], [2], [3]])
})
