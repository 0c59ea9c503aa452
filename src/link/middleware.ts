import type { FrameReceiver, Link } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import type { Frame } from '../wire/index.js'

/**
 * A link around a link, to look at frames or to spoil them. As it stands it passes everything on; what extends it
 * overrides `outgoing` or `incoming`. Attach a host to the outermost.
 */
export class Middleware implements Link, FrameReceiver {
  receiver: FrameReceiver | null = null
  protected readonly inner: Link

  constructor(inner: Link) {
    this.inner = inner
    inner.receiver = this
  }

  get mtu(): number {
    return this.inner.mtu
  }

  get maxSuperSegment(): number {
    return this.inner.maxSuperSegment
  }

  get checksumOffload(): boolean {
    return this.inner.checksumOffload
  }

  /** Not known of what extends this: it may keep frames. */
  get copies(): boolean {
    return false
  }

  transmit(frames: readonly Frame[], count: number, now: Instant): void {
    this.outgoing(frames, count, now)
  }

  receive(frames: readonly Frame[], count: number, now: Instant): void {
    this.incoming(frames, count, now)
  }

  protected outgoing(frames: readonly Frame[], count: number, now: Instant): void {
    this.inner.transmit(frames, count, now)
  }

  protected incoming(frames: readonly Frame[], count: number, now: Instant): void {
    this.receiver?.receive(frames, count, now)
  }
}
