import type { Instant } from '../tcp/index.js'
import type { Frame, IpAddress, MacAddress } from '../wire/index.js'

/** How long a neighbour that was heard of counts as being there, ms (RFC 4861 10: REACHABLE_TIME). */
const REACHABLE_TIME = 30_000

/** Time between two questions for the same neighbour, ms (RFC 4861 10: RETRANS_TIMER; RFC 1122 2.3.2.1). */
const RETRANS_TIMER = 1_000

/** Questions to the address a neighbour had, before all are asked again (RFC 4861 10: MAX_UNICAST_SOLICIT). */
const MAX_UNICAST_SOLICIT = 3

/** Neighbours remembered; beyond that, the one known for the longest time is forgotten. */
const MOST_NEIGHBOURS = 1024

/** Frames kept for one neighbour until it has answered, the latest ones; 64 is enough for a window's first flight. */
const MOST_WAITING = 64

/** What may be done with a frame for a neighbour. */
export type Disposition = 'send' | 'send and ask' | 'wait' | 'wait and ask'

/** A host on the same Ethernet. */
export class Neighbour {
  readonly address: IpAddress
  /** Null until it has answered. */
  mac: MacAddress | null = null
  /** Frames for it, to be sent when it has. */
  waiting: Frame[] = []
  #heardAt: Instant = Number.NEGATIVE_INFINITY
  #askedAt: Instant = Number.NEGATIVE_INFINITY
  #unanswered = 0

  constructor(address: IpAddress) {
    this.address = address
  }

  /**
   * What to do with a frame for it now. Questions are asked when there is something to send, never by a timer: whoever
   * wants an answer sends again (TCP after a second).
   */
  disposition(now: Instant): Disposition {
    if (this.mac !== null && now - this.#heardAt < REACHABLE_TIME) return 'send'
    const ask = now - this.#askedAt >= RETRANS_TIMER
    if (ask) {
      this.#askedAt = now
      // asked where it was, and it is not there any more: forgotten, and everybody is asked
      if (this.mac !== null && ++this.#unanswered > MAX_UNICAST_SOLICIT) this.mac = null
    }
    if (this.mac === null) return ask ? 'wait and ask' : 'wait'
    return ask ? 'send and ask' : 'send'
  }

  /** It was heard of at this hardware address. */
  heard(mac: MacAddress, now: Instant): void {
    this.mac = mac
    this.#heardAt = now
    this.#unanswered = 0
  }

  /** Keeps a frame until there is an answer; false: an older one is lost for it. */
  keep(frame: Frame): boolean {
    this.waiting.push(frame)
    if (this.waiting.length <= MOST_WAITING) return true
    this.waiting.shift()
    return false
  }
}

/** The neighbours of a link by their IP addresses, as many as fit. */
export class NeighbourTable {
  readonly #byHash = new Map<number, Neighbour[]>()
  #count = 0

  find(address: IpAddress): Neighbour | null {
    const chain = this.#byHash.get(hash(address))
    if (chain === undefined) return null
    for (let i = 0; i < chain.length; i++) if (chain[i]!.address.equals(address)) return chain[i]!
    return null
  }

  /** The neighbour at an address, made when it was not known. */
  at(address: IpAddress): Neighbour {
    const known = this.find(address)
    if (known !== null) return known
    if (this.#count >= MOST_NEIGHBOURS) this.#forgetOldest()
    const neighbour = new Neighbour(address)
    const chain = this.#byHash.get(hash(address))
    if (chain === undefined) this.#byHash.set(hash(address), [neighbour])
    else chain.push(neighbour)
    this.#count++
    return neighbour
  }

  all(): Neighbour[] {
    return [...this.#byHash.values()].flat()
  }

  #forgetOldest(): void {
    for (const [key, chain] of this.#byHash) {
      this.#byHash.delete(key)
      this.#count -= chain.length
      return
    }
  }
}

function hash(address: IpAddress): number {
  return address.w3 ^ Math.imul(address.w2, 31) ^ Math.imul(address.w1, 961) ^ Math.imul(address.w0, 29_791)
}
