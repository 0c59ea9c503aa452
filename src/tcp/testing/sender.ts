import type { Connection } from '../connection.js'
import { appendText } from '../send/append-text.js'
import { queueFin } from '../send/output.js'
import type { ProfileName } from '../settings/profiles/index.js'
import type { Settings } from '../settings/settings.js'
import { type Arrival, arrives, establishedConnection, LoneHost, type Opened } from './lone-host.js'

/** A connection that sends, and what the test says in the peer's name; octets and sequence numbers count from 1. */
export class Sender {
  readonly host: LoneHost
  readonly c: Connection

  constructor(profile: ProfileName, changes: Partial<Settings> = {}, opened: Opened = {}) {
    this.host = new LoneHost(profile, changes)
    this.c = establishedConnection(this.host, { mss: 1000, sack: true, ...opened })
    // the handshake's last segment was the last window update
    this.c.snd.wl1 = this.c.rcv.nxt
    this.c.snd.wl2 = this.c.snd.una
  }

  /** The program writes; octets taken. */
  write(octets: number, flags = 0): number {
    const chunk = Uint8Array.from({ length: octets }, (_, i) => i & 255)
    return appendText(this.c, chunk, flags, this.host.now)
  }

  close(): void {
    queueFin(this.c, this.host.now)
  }

  /** An ACK arrives. */
  ack(ack: number, more: Omit<Arrival, 'ack'> = {}): void {
    arrives(this.host, this.c, { ack, ...more })
  }

  /** Time passes, ms. */
  wait(milliseconds: number): void {
    this.host.advance(milliseconds)
  }

  /** What was sent since the last call: flags, sequence numbers and length. */
  sent(): string[] {
    return this.host.take().map((text) => text.replace(/ (ack|win) .*/, ''))
  }

  /** A round trip of `milliseconds` with one octet, so that there is an RTT; nothing is in flight afterwards. */
  measure(milliseconds: number, window = 65535): void {
    const { snd } = this.c
    const next = ((snd.nxt - snd.iss) | 0) + 1
    this.write(1)
    this.wait(milliseconds)
    this.ack(next, { window })
    this.host.take()
  }
}
