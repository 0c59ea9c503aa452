import { type Connection, type Instant, Listener, receiveChunk, send } from '../tcp/index.js'
import { ANY_IPV4, ANY_IPV6 } from '../wire/index.js'
import { type Conversation, Hold, readAll } from './up-hold.js'
import type { HostUp } from './up-host.js'
import { HttpConversation } from './up-http.js'

/** The small servers, by name, and the ports that they are known by. */
export const SERVICES = { echo: 7, discard: 9, chargen: 19, http: 80 } as const

export type ServiceName = keyof typeof SERVICES

/** Listens on the port of a service. @param root directory that http serves; null: a fixed page */
export function serve(up: HostUp, service: ServiceName, root: string | null): void {
  listen(up, SERVICES[service], (again) => {
    switch (service) {
      case 'echo':
        return new Echo()
      case 'discard':
        return DISCARD
      case 'chargen':
        return new Chargen()
      case 'http':
        return new HttpConversation(root, again)
    }
  })
}

/** Accepts every connection on a port. */
export function listen(up: HostUp, port: number, talk: (again: () => void) => Conversation): Listener {
  const accept = {
    run(now: Instant): void {
      while (listener.acceptable > 0) {
        const hold: Hold = new Hold(
          up,
          () => connection!,
          talk(() => hold.again()),
        )
        const connection: Connection | null = listener.accept(hold, now)
        hold.notify()
      }
    },
  }
  const user = { notify: () => up.host.wake(accept) }
  // connections over IPv4 arrive at an IPv6 listener too
  const local = up.ends.ours.some(({ address }) => !address.isIPv4) ? ANY_IPV6 : ANY_IPV4
  const listener = new Listener(up.host, { local, localPort: port, backlog: 4096, user }, up.time.now)
  up.listeners.add(listener)
  return listener
}

/** Octets taken at one go. */
const LONGEST_READ = 256 * 1024

/** RFC 862. What the peer does not take back is not read: it stops, by its own window, what it sends. */
class Echo implements Conversation {
  #pending: Uint8Array | null = null

  turn(c: Connection, now: Instant): 'waits' | 'through' {
    for (;;) {
      if (this.#pending !== null) {
        const taken = send(c, this.#pending, 0, now)
        if (taken === 'EAGAIN') return 'waits'
        if (typeof taken === 'string') return 'through'
        this.#pending = taken === this.#pending.length ? null : this.#pending.subarray(taken)
        if (this.#pending !== null) return 'waits'
      }
      const text = receiveChunk(c, LONGEST_READ, now)
      if (text instanceof Uint8Array) this.#pending = text
      else return text === 'EAGAIN' ? 'waits' : 'through'
    }
  }
}

/** RFC 863. */
const DISCARD: Conversation = {
  turn: (c, now) => (readAll(c, now, () => {}) === 'EAGAIN' ? 'waits' : 'through'),
}

/** RFC 864: lines of 72 of the 95 printing characters, each line beginning with the next one. */
class Chargen implements Conversation {
  #sent = 0

  turn(c: Connection, now: Instant): 'waits' | 'through' {
    if (readAll(c, now, () => {}) !== 'EAGAIN') return 'through'
    for (;;) {
      const offered = LINES.subarray(this.#sent % ROUND)
      const taken = send(c, offered, 0, now)
      if (taken === 'EAGAIN') return 'waits'
      if (typeof taken === 'string') return 'through'
      this.#sent += taken
      if (taken < offered.length) return 'waits'
    }
  }
}

const FIRST_PRINTING = 0x20
const PRINTING = 95
const LINE = 74
/** Octets after which the lines begin anew. */
const ROUND = PRINTING * LINE
/** Several rounds, so that one write offers much. */
const LINES = Uint8Array.from({ length: 16 * ROUND }, (_, i) => {
  const column = i % LINE
  if (column >= 72) return column === 72 ? 0x0d : 0x0a
  return FIRST_PRINTING + ((Math.floor(i / LINE) + column) % PRINTING)
})
