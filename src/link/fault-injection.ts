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

/** A link that loses, doubles, reorders and garbles frames, for links that are not simulated. (Simulated segments do more.) */
export class FaultInjection extends Middleware {
  /** May be changed at any time. */
  faults: Faults
  lost = 0
  duplicated = 0
  corrupted = 0
  reordered = 0
  readonly #heldOut: Held[] = []
  readonly #heldIn: Held[] = []
  readonly #random: Random

  constructor(inner: Link, faults: Faults, random: Random) {
    super(inner)
    this.faults = faults
    this.#random = random
  }

  protected override outgoing(frames: readonly Frame[], count: number, now: Instant): void {
    const spoiled = this.#spoil(frames, count, this.#heldOut)
    this.inner.transmit(spoiled, spoiled.length, now)
  }

  protected override incoming(frames: readonly Frame[], count: number, now: Instant): void {
    const spoiled = this.#spoil(frames, count, this.#heldIn)
    this.receiver?.receive(spoiled, spoiled.length, now)
  }

  #spoil(frames: readonly Frame[], count: number, held: Held[]): Frame[] {
    const { loss = 0, duplication = 0, corruption = 0, reordering = 0 } = this.faults
    const kept: Frame[] = []
    for (let i = 0; i < count; i++) {
      let frame = frames[i]!
      if (this.#random.chance(loss)) {
        this.lost++
        continue
      }
      if (this.#random.chance(duplication)) {
        this.duplicated++
        kept.push(copyFrame(frame))
      }
      if (this.#random.chance(corruption)) {
        this.corrupted++
        frame = copyFrame(frame)
        flipBit(frame, this.#random)
      }
      if (this.#random.chance(reordering)) {
        this.reordered++
        held.push({ frame, behind: 1 + this.#random.below(3) })
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
