// Short exchanges through the core API over a memory pipe: round trips of one octet, connections opened and closed, a million
// connections held. Rates are per second of CPU time, so that they are those of a machine that does nothing else.
import { Host, Random } from '../dist/ip/index.js'
import { memoryPipe } from '../dist/link/index.js'
import { close, Listener, openActive, profile, Ready, receive, send } from '../dist/tcp/index.js'
import { parseIpAddress } from '../dist/wire/index.js'
import { kernelConnections, kernelRoundTrips } from './kernel.mjs'
import { cpuSeconds } from './two-hosts.mjs'

const SERVER = parseIpAddress('10.0.0.2')
const CLIENT = parseIpAddress('10.0.0.1')
/** The clock is read once in so many turns: it costs 85 ns, and a host reads it once for all that came in. */
const TURNS_PER_CLOCK = 4

/**
 * A program that holds connections: `act(c, ready, now)` runs once what arrived together has been processed, as a process
 * does that an interrupt wakes. Its list of those that woke it keeps its room.
 */
class Program {
  #held = []
  #ready = []
  #count = 0

  constructor(host, act) {
    this.host = host
    this.act = act
  }

  notify(c, ready, now) {
    if (!this.host.entered) return this.act(c, ready, now)
    const last = this.#count - 1
    if (last >= 0 && this.#held[last] === c) {
      this.#ready[last] |= ready
      return
    }
    if (last < 0) this.host.wake(this)
    this.#held[this.#count] = c
    this.#ready[this.#count++] = ready
  }

  run(now) {
    // what these do may wake others, who come behind them
    for (let i = 0; i < this.#count; i++) {
      this.act(this.#held[i], this.#ready[i], now)
      this.#held[i] = null
    }
    this.#count = 0
  }
}

/** Two hosts and a loop that does nothing but deliver and look at deadlines. */
class Pair {
  #toServer = null
  #toClient = null
  #turns = 0
  now = performance.now()

  constructor(settings = {}) {
    const [a, b] = memoryPipe({
      soon: (deliver) => {
        if (this.#toServer === null) this.#toServer = deliver
        else this.#toClient = deliver
      },
    })
    const all = { ...profile('linux'), ...settings }
    this.client = new Host({ name: 'client', settings: all, random: new Random(1) })
    this.server = new Host({ name: 'server', settings: all, random: new Random(2) })
    this.client.attach(a, { addresses: [{ address: CLIENT, prefixLength: 8 }] })
    this.server.attach(b, { addresses: [{ address: SERVER, prefixLength: 8 }] })
  }

  turn() {
    if (this.#turns++ % TURNS_PER_CLOCK === 0) this.now = performance.now()
    const { now } = this
    const one = this.#toServer
    const other = this.#toClient
    this.#toServer = this.#toClient = null
    if (one !== null) one(now)
    if (other !== null) other(now)
    if (this.client.earliestDeadline() <= now) this.client.advance(now)
    if (this.server.earliestDeadline() <= now) this.server.advance(now)
  }

  /** A listener whose connections `program` holds; what came before they were accepted is told then. */
  listen(program) {
    const user = {
      notify(listener, _ready, now) {
        for (let c = listener.accept(program, now); c !== null; c = listener.accept(program, now))
          program.notify(c, Ready.Readable, now)
      },
    }
    return new Listener(this.server, { local: SERVER, localPort: 80, backlog: 4096, user }, this.now)
  }

  connect(localPort, program) {
    const request = { local: CLIENT, localPort, remote: SERVER, remotePort: 80, user: program }
    return openActive(this.client, request, this.now)
  }

  /** How fast `count()` grows, a second of CPU time, once the engine has compiled. */
  perSecond(milliseconds, count) {
    this.#turnFor(Math.max(1.5, milliseconds / 500))
    const from = count()
    const began = cpuSeconds()
    this.#turnFor(milliseconds / 1000)
    return (count() - from) / (cpuSeconds() - began)
  }

  #turnFor(seconds) {
    const end = cpuSeconds() + seconds
    while (cpuSeconds() < end) for (let i = 0; i < 4000; i++) this.turn()
  }
}

/** One octet there and back on each of `connections` connections, a second in all. */
export function roundTrips(milliseconds, connections = 1) {
  const net = new Pair()
  const octet = new Uint8Array(1)
  const target = new Uint8Array(64)
  let trips = 0
  const answer = (c, _ready, now) => {
    if (receive(c, target, 0, now) > 0) send(c, octet, 0, now)
  }
  const ask = (c, ready, now) => {
    if (ready & Ready.Established) return void send(c, octet, 0, now)
    if (!(receive(c, target, 0, now) > 0)) return
    trips++
    send(c, octet, 0, now)
  }
  net.listen(new Program(net.server, answer))
  const client = new Program(net.client, ask)
  for (let i = 0; i < connections; i++) net.connect(40000 + i, client)
  return net.perSecond(milliseconds, () => trips)
}

/** Connections opened, a request and an answer of one octet, and closed from the client, 16 at a time, a second. */
export function connections(milliseconds) {
  const net = new Pair({ msl: 1 })
  const octet = new Uint8Array(1)
  const target = new Uint8Array(64)
  let port = 1024
  let done = 0
  const answer = (c, _ready, now) => {
    const taken = receive(c, target, 0, now)
    if (taken > 0) send(c, octet, 0, now)
    else if (taken === 0) close(c, now)
  }
  net.listen(new Program(net.server, answer))
  const ask = (c, ready, now) => {
    if (ready & Ready.Established) return void send(c, octet, 0, now)
    if (!(receive(c, target, 0, now) > 0)) return
    close(c, now)
    done++
    open()
  }
  const client = new Program(net.client, ask)
  const open = () => {
    port = port === 65535 ? 1024 : port + 1
    net.connect(port, client)
  }
  for (let i = 0; i < 16; i++) open()
  return net.perSecond(milliseconds, () => done)
}

/** What `npm run bench` measures here: see run.mjs for the shape of a row. */
export const rows = [
  {
    name: 'round-trips',
    title: 'one-octet round trips, memory pipe, core API',
    zh: '单字节往返，内存管道，核心 API',
    unit: '/s',
    atLeast: 500_000,
    ours: (size) => roundTrips(1000 * size),
    peers: { loopback: (size) => kernelRoundTrips(1000 * size) },
  },
  {
    name: 'connections',
    title: 'connections opened and closed, memory pipe, core API',
    zh: '打开并关闭连接，内存管道，核心 API',
    unit: '/s',
    atLeast: 100_000,
    ours: (size) => connections(1000 * size),
    peers: { loopback: (size) => kernelConnections(1000 * size) },
  },
]
