// Two hosts over a memory pipe in real time, driven by a loop of our own: what is measured is the machine, not the event loop.
import { Host, Random } from '../dist/ip/index.js'
import { memoryPipe } from '../dist/link/index.js'
import { Listener, openActive, profile, Ready } from '../dist/tcp/index.js'
import { parseIpAddress } from '../dist/wire/index.js'

export const SERVER = parseIpAddress('10.0.0.2')
const CLIENT = parseIpAddress('10.0.0.1')

/** A user of connections from one function per kind of news. */
export function user(handlers) {
  return {
    notify(c, ready, now) {
      for (const name in handlers) if (ready & Ready[name]) handlers[name](c, now)
    },
  }
}

/** CPU time of this process, s: what others do on the machine does not count, garbage collection in other threads does. */
export function cpuSeconds() {
  const { user: own, system } = process.cpuUsage()
  return (own + system) / 1e6
}

/**
 * A user that acts as a process does that is woken: `act(c, ready, now)` runs once what arrived together has been processed,
 * since whoever holds a connection must not call back into the machine from inside.
 */
export function program(host, act) {
  let woken = []
  let running = []
  const one = {
    run(now) {
      const due = woken
      woken = running
      running = due
      for (let i = 0; i < due.length; i += 2) act(due[i], due[i + 1], now)
      due.length = 0
    },
  }
  return {
    notify(c, ready, now) {
      if (!host.entered) return act(c, ready, now)
      // most often the one that was told last
      const last = woken.length - 2
      if (last >= 0 && woken[last] === c) woken[last + 1] |= ready
      else {
        if (last < 0) host.wake(one)
        woken.push(c, ready)
      }
    },
  }
}

export class TwoHosts {
  #due = []
  #delivering = []

  /** @param {{ mtu?: number, superSegments?: boolean, checksumOffload?: boolean, offloads?: boolean, settings?: object }} options */
  constructor({ settings = {}, offloads = false, ...pipe } = {}) {
    const [a, b] = memoryPipe({ ...pipe, soon: (deliver) => void this.#due.push(deliver) })
    const all = { ...profile('linux'), ...settings }
    this.client = new Host({ name: 'client', settings: all, offloads, random: new Random(1) })
    this.server = new Host({ name: 'server', settings: all, offloads, random: new Random(2) })
    this.client.attach(a, { addresses: [{ address: CLIENT, prefixLength: 8 }] })
    this.server.attach(b, { addresses: [{ address: SERVER, prefixLength: 8 }] })
    this.now = performance.now()
  }

  /** Delivers what is on the way and fires what is due, once. */
  turn() {
    this.now = performance.now()
    this.#deliver()
    if (this.client.nextDeadline() <= this.now) this.client.advance(this.now)
    if (this.server.nextDeadline() <= this.now) this.server.advance(this.now)
  }

  #deliver() {
    const due = this.#due
    this.#due = this.#delivering
    this.#delivering = due
    for (let i = 0; i < due.length; i++) due[i](this.now)
    due.length = 0
  }

  /** Turns until `done()`, which is asked after every `often` turns. @throws Error after 60 s without it. */
  until(done, what, often = 1) {
    const limit = performance.now() + 60_000
    while (!done()) {
      for (let i = 0; i < often; i++) this.turn()
      if (this.now > limit) throw new Error(`bench: ${what} did not happen within 60 s`)
    }
  }

  /** Delivers everything on the way without letting time pass: for building up many connections. */
  settle() {
    while (this.#due.length > 0) this.#deliver()
  }

  /** A listener whose connections are held by `held`; what came before they were accepted is told then. */
  listen(localPort, held, backlog = 4096) {
    const acceptAll = (listener, now) => {
      for (let c = listener.accept(held, now); c !== null; c = listener.accept(held, now))
        held.notify(c, Ready.Readable, now)
    }
    const open = { local: SERVER, localPort, backlog, user: user({ Acceptable: acceptAll }) }
    return new Listener(this.server, open, this.now)
  }

  connect(localPort, remotePort, held, local = CLIENT) {
    return openActive(this.client, { local, localPort, remote: SERVER, remotePort, user: held }, this.now)
  }
}
