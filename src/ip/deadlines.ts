import { type Instant, NEVER, type Timed } from '../tcp/index.js'

/**
 * How far in the future an entry that wants nothing for now may stay, ms: disarming and arming the delayed-ACK timer
 * again then costs nothing. What is over is taken out with `remove`.
 */
const LINGER = 1000
/** Entries there is room for at first. */
const FIRST_ROOM = 64

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
  #keys = new Float64Array(FIRST_ROOM)
  /** Breaks ties: of equal keys the one set first comes first. Modulo 2^32. */
  #orders = new Int32Array(FIRST_ROOM)
  #items: (Timed | null)[] = new Array<Timed | null>(FIRST_ROOM).fill(null)
  #size = 0
  #order = 0

  /** Entries held, those that want nothing any more included. */
  get size(): number {
    return this.#size
  }

  /** `timed.deadline` changed to `at`, or something it waits for besides was set to that time. */
  schedule(timed: Timed, at: Instant = timed.deadline): void {
    const slot = timed.wheelSlot
    if (slot < 0) {
      if (at !== NEVER) this.#add(timed, at)
      return
    }
    const key = this.#keys[slot]!
    if (at < key) this.#rise(slot, timed, at, this.#nextOrder())
    else if (at === NEVER && key > this.now + LINGER) this.#remove(slot)
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
    for (let i = 0; i < this.#size; i++) this.#items[i]!.wheelSlot = -1
    this.#keys = new Float64Array(FIRST_ROOM)
    this.#orders = new Int32Array(FIRST_ROOM)
    this.#items = new Array<Timed | null>(FIRST_ROOM).fill(null)
    this.#size = 0
  }

  /** Brings the first entry up to date with its deadline, until one stands that means it. */
  #settle(): void {
    while (this.#size > 0) {
      const timed = this.#items[0]!
      const deadline = timed.deadline
      if (deadline <= this.#keys[0]!) return
      if (deadline === NEVER) this.#remove(0)
      else this.#sink(0, timed, deadline, this.#nextOrder())
    }
  }

  #add(timed: Timed, deadline: Instant): void {
    const at = this.#size++
    if (at === this.#keys.length) this.#grow()
    this.#rise(at, timed, deadline, this.#nextOrder())
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
    return key < otherKey || (key === otherKey && ((order - this.#orders[other]!) | 0) < 0)
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

  #nextOrder(): number {
    this.#order = (this.#order + 1) | 0
    return this.#order
  }

  /** By half: with a million connections what is not used of twice as much would be felt. */
  #grow(): void {
    const room = this.#keys.length + (this.#keys.length >> 1)
    const keys = new Float64Array(room)
    keys.set(this.#keys)
    this.#keys = keys
    const orders = new Int32Array(room)
    orders.set(this.#orders)
    this.#orders = orders
    const items = new Array<Timed | null>(room).fill(null)
    for (let i = 0; i < this.#size - 1; i++) items[i] = this.#items[i]!
    this.#items = items
  }
}
