import type { Connection } from '../connection.js'
import type { Instant, Millis } from '../time.js'

/** What keeps the sender from sending faster, in rising precedence (tcpi_busy_time, _rwnd_limited, _sndbuf_limited). */
export const Limit = { None: 0, Busy: 1, ReceiveWindow: 2, SendBuffer: 3 } as const
export type Limit = (typeof Limit)[keyof typeof Limit]

/** For how long a connection was limited by what, ms. Made with the first text sent. */
export class Chronograph {
  running: Limit = Limit.None
  since: Instant = 0.5
  busy: Millis = 0.5
  receiveWindow: Millis = 0.5
  sendBuffer: Millis = 0.5

  constructor() {
    this.busy = this.receiveWindow = this.sendBuffer = 0
  }

  set(limit: Limit, now: Instant): void {
    const passed = now - this.since
    if (this.running === Limit.Busy) this.busy += passed
    else if (this.running === Limit.ReceiveWindow) this.receiveWindow += passed
    else if (this.running === Limit.SendBuffer) this.sendBuffer += passed
    this.running = limit
    this.since = now
  }
}

/** `limit` holds from now on, unless a stronger one does. */
export function limitBegins(c: Connection, limit: Limit, now: Instant): void {
  c.snd.chronograph ??= new Chronograph()
  const { chronograph } = c.snd
  if (limit > chronograph.running) chronograph.set(limit, now)
}

export function limitEnds(c: Connection, limit: Limit, now: Instant): void {
  const { chronograph, queue } = c.snd
  if (chronograph === null) return
  if (queue.empty) {
    if (chronograph.running !== Limit.None) chronograph.set(Limit.None, now)
  } else if (limit === chronograph.running && limit !== Limit.Busy) {
    chronograph.set(Limit.Busy, now)
  }
}
