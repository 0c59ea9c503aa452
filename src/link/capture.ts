import type { Link } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import type { Frame } from '../wire/index.js'
import { Middleware } from './middleware.js'

/** Takes a copy of what it wants of each frame before it returns: frames are changed and reused behind it. */
export type CaptureSink = (frame: Frame, direction: 'in' | 'out', now: Instant) => void

/** Shows every frame that passes to a sink, such as a pcapng writer. */
export class Capture extends Middleware {
  readonly #sink: CaptureSink

  constructor(inner: Link, sink: CaptureSink) {
    super(inner)
    this.#sink = sink
  }

  override get copies(): boolean {
    return this.inner.copies ?? false
  }

  protected override outgoing(frames: readonly Frame[], count: number, now: Instant): void {
    for (let i = 0; i < count; i++) this.#sink(frames[i]!, 'out', now)
    this.inner.transmit(frames, count, now)
  }

  protected override incoming(frames: readonly Frame[], count: number, now: Instant): void {
    for (let i = 0; i < count; i++) this.#sink(frames[i]!, 'in', now)
    this.receiver?.receive(frames, count, now)
  }
}
