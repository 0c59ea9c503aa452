import type { Link, Random } from '../ip/index.js'
import type { Instant } from '../tcp/index.js'
import {
  Frame,
  IPPROTO_TCP,
  PacketHeader,
  parsePacket,
  parseTcp,
  Segment,
  takePacketHeader,
  updateTcpChecksum,
} from '../wire/index.js'
import { Middleware } from './middleware.js'

/** Probabilities from 0 to 1, per frame and direction. */
export interface Faults {
  readonly loss?: number
  readonly duplication?: number
  /** It is passed on behind the one to three frames that come next, however late they do. */
  readonly reordering?: number
  /** One bit is flipped. */
  readonly corruption?: number
}

/** A frame that waits for others to overtake it. */
interface Held {
  readonly frame: Frame
  /** How many are still to come before it. */
  behind: number
}

/** One direction: what becomes of its nth frame does not depend on how many have passed in the other. */
interface Way {
  readonly random: Random
  readonly held: Held[]
}

/** A link that loses, doubles, reorders and garbles frames, for links that are not simulated. (Simulated segments do more.) */
export class FaultInjection extends Middleware {
  /** May be changed at any time. */
  faults: Faults
  lost = 0
  duplicated = 0
  corrupted = 0
  reordered = 0
  readonly #out: Way
  readonly #in: Way

  constructor(inner: Link, faults: Faults, random: Random) {
    super(inner)
    this.faults = faults
    this.#out = { random: random.fork(), held: [] }
    this.#in = { random: random.fork(), held: [] }
  }

  protected override outgoing(frames: readonly Frame[], count: number, now: Instant): void {
    const spoiled = this.#spoil(frames, count, this.#out)
    this.inner.transmit(spoiled, spoiled.length, now)
  }

  protected override incoming(frames: readonly Frame[], count: number, now: Instant): void {
    const spoiled = this.#spoil(frames, count, this.#in)
    this.receiver?.receive(spoiled, spoiled.length, now)
  }

  #spoil(frames: readonly Frame[], count: number, { random, held }: Way): Frame[] {
    const { loss = 0, duplication = 0, corruption = 0, reordering = 0 } = this.faults
    const kept: Frame[] = []
    for (let i = 0; i < count; i++) {
      let frame = frames[i]!
      if (random.chance(loss)) {
        this.lost++
        continue
      }
      if (random.chance(duplication)) {
        this.duplicated++
        kept.push(copyFrame(frame))
      }
      if (random.chance(corruption)) {
        this.corrupted++
        frame = copyFrame(frame)
        flipBit(frame, random)
      }
      if (random.chance(reordering)) {
        this.reordered++
        held.push({ frame, behind: 1 + random.below(3) })
        continue
      }
      kept.push(frame)
      release(held, kept)
    }
    return kept
  }
}

/** A frame has passed: lets those go that have waited for it. */
function release(held: Held[], kept: Frame[]): void {
  for (let i = 0; i < held.length; i++) {
    const one = held[i]!
    if (--one.behind > 0) continue
    kept.push(one.frame)
    held.splice(i--, 1)
  }
}

/** A frame with octets of its own, for whoever changes them. */
export function copyFrame(frame: Frame): Frame {
  const copy = new Frame(frame.bytes.slice(frame.start, frame.end), 0, frame.length)
  copy.gsoSize = frame.gsoSize
  copy.checksumPartial = frame.checksumPartial
  return copy
}

/** Flips one bit somewhere in the frame. Its checksum is filled in before: a garbled frame is nobody's to vouch for. */
export function flipBit(frame: Frame, random: Random): void {
  if (frame.checksumPartial) finishChecksum(frame)
  const bit = random.below(frame.length * 8)
  frame.bytes[frame.start + (bit >>> 3)]! ^= 1 << (bit & 7)
}

/** Of the packet whose checksum is filled in. */
const header = new PacketHeader()
const segment = new Segment()

/** Fills in the checksum of a TCP segment that was left to the link. */
export function finishChecksum(frame: Frame): void {
  const { bytes, start, end } = frame
  frame.checksumPartial = false
  if (parsePacket(bytes, start, end, header) !== null || header.protocol !== IPPROTO_TCP) return
  takePacketHeader(segment, header)
  if (parseTcp(bytes, header.payloadStart, header.payloadEnd, segment, false) !== null) return
  updateTcpChecksum(segment, bytes, header.payloadStart, header.payloadEnd)
}
