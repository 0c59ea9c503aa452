import { Deliveries, type FrameReceiver, type Link, platformTime } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import { Batch, type Frame } from '../wire/index.js'

export interface MemoryPipeOptions {
  /** Octets of IP packet; 1500 when not given. */
  readonly mtu?: number
  /** Frames may be super-segments of up to 64 KB. */
  readonly superSegments?: boolean
  /** Checksums are neither filled in nor verified: memory does not garble. */
  readonly checksumOffload?: boolean
  /** Calls `deliver` with the time, behind what runs now: `RealTime.soon`, when not given; `clock.soon` of virtual time. */
  readonly soon?: (deliver: (now: Instant) => void) => void
}

/** Largest text of a super-segment, octets: with headers it stays below the 65 535 of an IP packet. */
export const MAX_SUPER_SEGMENT = 65_535 - 40 - 60

/** One end of a memory pipe. */
class MemoryPipeEnd implements Link {
  readonly mtu: number
  readonly maxSuperSegment: number
  readonly checksumOffload: boolean
  receiver: FrameReceiver | null = null
  peer: MemoryPipeEnd | null = null
  readonly #soon: NonNullable<MemoryPipeOptions['soon']>
  readonly #deliver = (now: Instant) => this.#arrive(now)
  /** On the way to this end. */
  #coming = new Batch<Frame>()
  #arriving = new Batch<Frame>()

  constructor(options: MemoryPipeOptions, soon: NonNullable<MemoryPipeOptions['soon']>) {
    this.mtu = options.mtu ?? 1500
    this.maxSuperSegment = options.superSegments ? MAX_SUPER_SEGMENT : 0
    this.checksumOffload = options.checksumOffload ?? false
    this.#soon = soon
  }

  get releasesFrames(): boolean {
    return this.peer!.receiver?.releasesFrames === true
  }

  transmit(frames: readonly Frame[], count: number): void {
    const coming = this.peer!.#coming
    for (let i = 0; i < count; i++) coming.push(frames[i]!)
    if (coming.count === count) this.#soon(this.peer!.#deliver)
  }

  #arrive(now: Instant): void {
    const frames = this.#coming
    this.#coming = this.#arriving
    this.#arriving = frames
    this.receiver?.receive(frames.items as readonly Frame[], frames.count, now)
    frames.clear()
  }
}

/** Two ends; what is transmitted at one arrives at the other, not copied, as soon as what runs now is through. */
export function memoryPipe(options: MemoryPipeOptions = {}): [Link, Link] {
  const soon = options.soon ?? realSoon()
  const a = new MemoryPipeEnd(options, soon)
  const b = new MemoryPipeEnd(options, soon)
  a.peer = b
  b.peer = a
  return [a, b]
}

let deliveries: Deliveries | null = null

function realSoon(): NonNullable<MemoryPipeOptions['soon']> {
  deliveries ??= new Deliveries(platformTime())
  const shared = deliveries
  return (deliver) => shared.soon(deliver)
}
