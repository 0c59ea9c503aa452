import type { Instant } from '../tcp/index.js'
import type { Errno } from './errno.js'
import { ANYTHING, OpenFile, Poll, type Watcher } from './open-file.js'

/** struct epoll_event. */
export interface EpollEvent {
  /** EPOLL bits. */
  readonly events: number
  /** The union epoll_data, as a number: what the program put there. */
  readonly data: number
}

const Edge = { Exclusive: 0x10000000, WakeUp: 0x20000000, OneShot: 0x40000000, EdgeTriggered: 0x80000000 } as const
const PRIVATE_BITS = Edge.Exclusive | Edge.WakeUp | Edge.OneShot | Edge.EdgeTriggered
const ALWAYS = Poll.Error | Poll.HangUp

/** One descriptor an epoll instance watches. */
class Interest implements Watcher {
  readonly epoll: Epoll
  readonly fd: number
  readonly file: OpenFile
  events: number
  data: number
  /** In the ready list. */
  ready = false

  constructor(epoll: Epoll, fd: number, file: OpenFile, event: EpollEvent) {
    this.epoll = epoll
    this.fd = fd
    this.file = file
    this.events = event.events | ALWAYS
    this.data = event.data
  }

  /** Linux ep_poll_callback: an interest that is disabled by EPOLLONESHOT or not in these events stays where it is. */
  woken(_file: OpenFile, events: number, now: Instant): void {
    if ((this.events & ~PRIVATE_BITS) === 0) return
    if (events !== ANYTHING && (events & this.events) === 0) return
    this.epoll.becameReady(this, now)
  }

  look(now: Instant): number {
    return this.file.poll(now) & this.events
  }
}

/** An epoll instance: level and edge triggered as on Linux. */
export class Epoll extends OpenFile {
  readonly kind = 'epoll'
  readonly #interests = new Map<number, Interest>()
  #ready: Interest[] = []

  poll(now: Instant): number {
    return this.#ready.some((interest) => interest.look(now) !== 0) ? Poll.In | Poll.ReadNormal : 0
  }

  add(fd: number, file: OpenFile, event: EpollEvent, now: Instant): Errno | null {
    const old = this.#interests.get(fd)
    if (old !== undefined && old.file === file) return 'EEXIST'
    if (old !== undefined) this.#drop(old)
    if (file === this) return 'EINVAL'
    if (file.kind === 'file') return 'EPERM'
    const interest = new Interest(this, fd, file, event)
    this.#interests.set(fd, interest)
    file.watch(interest)
    if (interest.look(now) !== 0) this.becameReady(interest, now)
    return null
  }

  modify(fd: number, file: OpenFile, event: EpollEvent, now: Instant): Errno | null {
    const interest = this.#interests.get(fd)
    if (interest === undefined || interest.file !== file) return 'ENOENT'
    if ((interest.events & Edge.Exclusive) !== 0 || (event.events & Edge.Exclusive) !== 0) return 'EINVAL'
    interest.events = event.events | ALWAYS
    interest.data = event.data
    if (interest.look(now) !== 0) this.becameReady(interest, now)
    return null
  }

  remove(fd: number, file: OpenFile): Errno | null {
    const interest = this.#interests.get(fd)
    if (interest === undefined || interest.file !== file) return 'ENOENT'
    this.#drop(interest)
    return null
  }

  /** The file behind a descriptor is closed: it is watched no longer. */
  forget(file: OpenFile): void {
    for (const interest of this.#interests.values()) if (interest.file === file) this.#drop(interest)
  }

  becameReady(interest: Interest, now: Instant): void {
    if (!interest.ready) {
      interest.ready = true
      this.#ready.push(interest)
    }
    this.wake(Poll.In | Poll.ReadNormal, now)
  }

  /** One try at epoll_wait: at most `most` events (Linux ep_send_events). */
  collect(most: number, now: Instant): EpollEvent[] {
    const events: EpollEvent[] = []
    const looked = this.#ready
    this.#ready = []
    const again: Interest[] = []
    let i = 0
    for (; i < looked.length && events.length < most; i++) {
      const interest = looked[i]!
      if (!interest.ready) continue
      interest.ready = false
      const seen = interest.look(now)
      if (seen === 0) continue
      events.push({ events: seen, data: interest.data })
      if ((interest.events & Edge.OneShot) !== 0) interest.events &= PRIVATE_BITS
      else if ((interest.events & Edge.EdgeTriggered) === 0) again.push(interest)
    }
    // what was not looked at comes first next time, what is level triggered stays
    this.#ready.unshift(...looked.slice(i))
    for (const interest of again) {
      if (interest.ready) continue
      interest.ready = true
      this.#ready.push(interest)
    }
    return events
  }

  clear(): void {
    for (const interest of this.#interests.values()) this.#drop(interest)
  }

  #drop(interest: Interest): void {
    this.#interests.delete(interest.fd)
    interest.file.unwatch(interest)
    interest.ready = false
    this.#ready = this.#ready.filter((other) => other !== interest)
  }
}
