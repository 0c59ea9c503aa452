import { type Instant, NEVER, type Timed } from '../tcp/index.js'

/**
 * How far in the future an entry that wants nothing any more may stay, ms: disarming and arming the delayed-ACK timer
 * again then costs nothing, and a closed connection is not kept alive by a keepalive timer it once had.
 */
const LINGER = 1000

/**
 * Everything that wants to be woken at a time, by exact deadline. A 4-ary heap over flat arrays in which a deadline that
 * moves later is only noted where it is (`key` <= `deadline`) and looked at again when its turn comes: the retransmission
 * timer, which moves with every ACK, costs one comparison. Nothing is allocated but when the arrays grow.
 *
 * `Timed.wheelSlot` is the index in the heap, -1: not in it.
 */
export class Deadlines {
  /** The latest time known, ms. */
  now: Instant = -NEVER
  #keys = new Float64Array(64)
  /** Breaks ties: of equal keys the one set first comes first. */
  #orders = new Float64Array(64)
  readonly #items: (Timed | null)[] = new Array<Timed | null>(64).fill(null)
  #size = 0
  #order = 0

  /** Entries held, those that want nothing any more included. */
  get size(): number {
    return this.#size
  }

  /** `timed.deadline` changed. */
  schedule(timed: Timed): void {
    const at = timed.wheelSlot
    const deadline = timed.deadline
    if (at < 0) {
      if (deadline !== NEVER) this.#add(timed, deadline)
      return
    }
    const key = this.#keys[at]!
    if (deadline < key) this.#rise(at, timed, deadline, ++this.#order)
    else if (deadline === NEVER && key > this.now + LINGER) this.#remove(at)
  }

  /** The earliest deadline; NEVER: nobody wants anything. */
  next(): Instant {
    this.#settle()
    return this.#size === 0 ? NEVER : this.#keys[0]!
  }

  /** As `next`, without looking whether who is first still means it: never later than it. */
  get earliest(): Instant {
    return this.#size === 0 ? NEVER : this.#keys[0]!
  }

  /** Takes out whoever is due first at `now`; null: nobody. */
  take(now: Instant): Timed | null {
    this.#settle()
    if (this.#size === 0 || this.#keys[0]! > now) return null
    const timed = this.#items[0]!
    this.#remove(0)
    return timed
  }

  /** Takes out one entry, whatever its deadline. */
  remove(timed: Timed): void {
    if (timed.wheelSlot >= 0) this.#remove(timed.wheelSlot)
  }

  clear(): void {
    for (let i = 0; i < this.#size; i++) {
      this.#items[i]!.wheelSlot = -1
      this.#items[i] = null
    }
    this.#size = 0
  }

  /** Brings the first entry up to date with its deadline, until one stands that means it. */
  #settle(): void {
    while (this.#size > 0) {
      const timed = this.#items[0]!
      const deadline = timed.deadline
      if (deadline <= this.#keys[0]!) return
      if (deadline === NEVER) this.#remove(0)
      else this.#sink(0, timed, deadline, ++this.#order)
    }
  }

  #add(timed: Timed, deadline: Instant): void {
    const at = this.#size++
    if (at === this.#keys.length) this.#grow()
    this.#rise(at, timed, deadline, ++this.#order)
  }

  #remove(at: number): void {
    this.#items[at]!.wheelSlot = -1
    const last = --this.#size
    const moved = this.#items[last]!
    this.#items[last] = null
    if (at === last) return
    const key = this.#keys[last]!
    const order = this.#orders[last]!
    if (at > 0 && this.#before(key, order, (at - 1) >> 2)) this.#rise(at, moved, key, order)
    else this.#sink(at, moved, key, order)
  }

  #before(key: Instant, order: number, other: number): boolean {
    const otherKey = this.#keys[other]!
    return key < otherKey || (key === otherKey && order < this.#orders[other]!)
  }

  /** Places an entry at `from` or above it. */
  #rise(from: number, timed: Timed, key: Instant, order: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 2
      if (!this.#before(key, order, parent)) break
      this.#place(at, this.#items[parent]!, this.#keys[parent]!, this.#orders[parent]!)
      at = parent
    }
    this.#place(at, timed, key, order)
  }

  /** Places an entry at `from` or below it. */
  #sink(from: number, timed: Timed, key: Instant, order: number): void {
    let at = from
    for (;;) {
      const first = at * 4 + 1
      if (first >= this.#size) break
      let least = first
      const end = Math.min(first + 4, this.#size)
      for (let child = first + 1; child < end; child++) {
        if (this.#before(this.#keys[child]!, this.#orders[child]!, least)) least = child
      }
      if (this.#before(key, order, least)) break
      this.#place(at, this.#items[least]!, this.#keys[least]!, this.#orders[least]!)
      at = least
    }
    this.#place(at, timed, key, order)
  }

  #place(at: number, timed: Timed, key: Instant, order: number): void {
    this.#items[at] = timed
    this.#keys[at] = key
    this.#orders[at] = order
    timed.wheelSlot = at
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2)
    keys.set(this.#keys)
    this.#keys = keys
    const orders = new Float64Array(keys.length)
    orders.set(this.#orders)
    this.#orders = orders
    while (this.#items.length < keys.length) this.#items.push(null)
  }
}
