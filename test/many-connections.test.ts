import { expect, test } from 'vitest'
import { Host, Random } from '../src/ip/index.js'
import { memoryPipe } from '../src/link/index.js'
import {
  type Connection,
  type ConnectionUser,
  close,
  type Instant,
  Listener,
  NEVER,
  openActive,
  type ProfileName,
  profile,
  Ready,
  receive,
  type Settings,
  State,
  send,
} from '../src/tcp/index.js'
import { parseIpAddress } from '../src/wire/index.js'

const CLIENT = parseIpAddress('10.0.0.1')
const SERVER = parseIpAddress('10.0.0.2')
const FIRST_PORT = 2000

/** Two hosts over a memory pipe, and a server on port 80 that closes when its peer does. */
class Pair {
  now: Instant = 1000.25
  readonly client: Host
  readonly server: Host
  readonly accepted: Connection[] = []
  readonly #due: ((now: Instant) => void)[] = []

  constructor(name: ProfileName, changes: Partial<Settings> = {}) {
    const [a, b] = memoryPipe({ soon: (deliver) => void this.#due.push(deliver) })
    const settings = { ...profile(name), ...changes }
    this.client = new Host({ settings, random: new Random(1) })
    this.server = new Host({ settings, random: new Random(2) })
    this.client.attach(a, { addresses: [{ address: CLIENT, prefixLength: 8 }] })
    this.server.attach(b, { addresses: [{ address: SERVER, prefixLength: 8 }] })
    const answer: ConnectionUser = { notify: () => {} }
    const accept: ConnectionUser = {
      notify: (listener, ready, now) => {
        if ((ready & Ready.Acceptable) === 0 || !(listener instanceof Listener)) return
        for (let c = listener.accept(answer, now); c !== null; c = listener.accept(answer, now)) this.accepted.push(c)
      },
    }
    new Listener(this.server, { local: SERVER, localPort: 80, backlog: 4096, user: accept }, this.now)
  }

  connect(localPort: number): Connection {
    const request = { local: CLIENT, localPort, remote: SERVER, remotePort: 80, user: null }
    return openActive(this.client, request, this.now)
  }

  settle(): void {
    while (this.#due.length > 0) for (const deliver of this.#due.splice(0)) deliver(this.now)
  }

  /** Lets time pass, one deadline after the other. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds
    for (;;) {
      this.settle()
      const next = Math.min(this.client.nextDeadline(), this.server.nextDeadline())
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.client.advance(this.now)
      this.server.advance(this.now)
    }
    this.now = end
  }

  /** Opens `count` connections, says something on each, and closes them from the client. */
  run(count: number): void {
    const octet = new Uint8Array(1)
    for (let i = 0; i < count; i++) {
      const c = this.connect(FIRST_PORT + i)
      this.settle()
      send(c, octet, 0, this.now)
      this.settle()
      const peer = this.accepted.pop()!
      expect(receive(peer, octet, 0, this.now)).toBe(1)
      send(peer, octet, 0, this.now)
      this.settle()
      expect(receive(c, octet, 0, this.now)).toBe(1)
      close(c, this.now)
      this.settle()
      close(peer, this.now)
      this.settle()
      expect(peer.state).toBe(State.Closed)
    }
  }
}

const profiles = ['rfc9293', 'linux', 'freebsd'] as const

test.each(profiles)('%s: what is closed is in no table and waits for no time', (name) => {
  const net = new Pair(name)
  net.run(300)
  // the listener
  expect(net.server.connections.size).toBe(1)
  expect(net.server.connections.onPort(80)).toBe(0)
  expect(net.server.waiting).toBe(0)
  // a record of each, and nothing of what it was
  expect(net.client.connections.size).toBe(300)
  expect(net.client.waiting).toBe(300)
  expect([...net.client.connections].every((e) => e.state === State.TimeWait && !('snd' in e))).toBe(true)
  net.advance(2 * net.client.settings.msl + 1)
  expect(net.client.connections.size).toBe(0)
  expect(net.client.connections.onPort(FIRST_PORT)).toBe(0)
  expect(net.client.waiting).toBe(0)
  expect(net.client.nextDeadline()).toBe(NEVER)
})

test('TIME-WAIT records are no more than the settings allow, however many connections end', () => {
  const net = new Pair('linux', { maxTimeWait: 50 })
  net.run(300)
  expect(net.client.connections.size).toBe(50)
  expect(net.client.waiting).toBe(50)
})

test('idle connections wait for no time, none knows more of itself than another, and each still carries text', () => {
  const net = new Pair('linux')
  const clients: Connection[] = []
  for (let i = 0; i < 2000; i++) {
    clients.push(net.connect(FIRST_PORT + i))
    net.settle()
  }
  net.advance(60_000)
  expect(net.server.waiting).toBe(0)
  expect(net.client.waiting).toBe(0)
  for (const end of [clients, net.accepted]) {
    expect(end).toHaveLength(2000)
    const [first] = end
    for (const c of end) {
      expect(c.state).toBe(State.Established)
      // what only an opening, a sender or a receiver of text needs is not there, or is shared
      expect([c.opening, c.challenges, c.snd.chronograph, c.snd.timeouts, c.rcv.reassembly]).toEqual(
        Array(5).fill(null),
      )
      expect(c.timers).toBe(first!.timers)
      expect(c.options).toBe(first!.options)
      expect(c.recovery).toBe(first!.recovery)
      expect(c.snd.rate).toBe(first!.snd.rate)
      expect(c.snd.usage).toBe(first!.snd.usage)
    }
  }
  const octet = new Uint8Array([7])
  for (const c of clients) send(c, octet, 0, net.now)
  net.settle()
  for (const c of net.accepted) {
    expect(receive(c, octet, 0, net.now)).toBe(1)
    expect(octet[0]).toBe(7)
  }
})
