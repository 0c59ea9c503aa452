import { type Instant, NEVER, type Timed } from '../tcp/index.js'
import {
  CE,
  type Frame,
  type FrameAllocator,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  NOT_ECT,
  type PacketHeader,
  writeIPv4Header,
  writeIPv6Header,
} from '../wire/index.js'

/** How long fragments wait for the rest, ms (Linux `ipfrag_time` 30 s; RFC 8200 4.5 says 60 s for IPv6). */
const TIMEOUT_IPV4 = 30_000
const TIMEOUT_IPV6 = 60_000

/** Octets of fragments a host holds in all (Linux `ipfrag_high_thresh`); the oldest packet goes first. */
const MOST_OCTETS = 4 * 1024 * 1024

/** Largest packet there is, octets. */
const LARGEST_PACKET = 65_535

/** What one fragment costs beside its octets: tiny fragments are not free. */
const PART_OVERHEAD = 256

interface Part {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

/** A packet of which some fragments are here. */
interface Incomplete {
  readonly version: 4 | 6
  readonly source: PacketHeader['source']
  readonly destination: PacketHeader['destination']
  readonly expires: Instant
  /** In order, none overlaps another. */
  parts: Part[]
  /** Octets of payload in all; -1: the last fragment is not here. */
  length: number
  octets: number
  protocol: number
  ttl: number
  dscp: number
  ecn: number
  congested: boolean
  /** Length of the first fragment's packet up to its end, kept to be quoted; null: it is not here. */
  first: Uint8Array | null
}

/** Fragments until their packets are whole (RFC 791 3.2, RFC 8200 4.5). Bounded; fragments that overlap spoil their packet (RFC 5722). */
export class Reassembly implements Timed {
  deadline: Instant = NEVER
  wheelSlot = -1
  readonly #schedule: (timed: Timed) => void
  readonly #timedOut: (firstFragment: Uint8Array, now: Instant) => void
  readonly #packets = new Map<string, Incomplete>()
  #octets = 0

  /** @param timedOut called with the first fragment of a packet that did not become whole, if that was here */
  constructor(schedule: (timed: Timed) => void, timedOut: (firstFragment: Uint8Array, now: Instant) => void) {
    this.#schedule = schedule
    this.#timedOut = timedOut
  }

  /** Octets held, an allowance per fragment included. */
  get octets(): number {
    return this.#octets
  }

  /** Takes a fragment. The whole packet when this was the last missing one, 'waiting', or 'dropped' when it cannot be. */
  add(bytes: Uint8Array, header: PacketHeader, frames: FrameAllocator, now: Instant): Frame | 'waiting' | 'dropped' {
    const start = header.fragmentOffset
    const end = start + header.payloadEnd - header.payloadStart
    const headerLength = header.version === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
    if (end + headerLength > LARGEST_PACKET || end === start) return 'dropped'
    // RFC 8200 4.5: all but the last are multiples of 8 octets
    if (header.moreFragments && (end & 7) !== 0) return 'dropped'
    const key = `${header.source} ${header.destination} ${header.identification} ${header.version === 4 ? header.protocol : 6}`
    const packet = this.#packets.get(key) ?? this.#begin(key, header, now)
    const at = placeOf(packet.parts, start, end)
    if (at === 'duplicate') return 'waiting'
    const knownEnd = header.moreFragments ? packet.length : end
    const beyond = packet.parts.length > 0 ? packet.parts[packet.parts.length - 1]!.end : 0
    const lengthsDisagree =
      (!header.moreFragments && packet.length >= 0 && packet.length !== end) ||
      (knownEnd >= 0 && (end > knownEnd || beyond > knownEnd))
    if (at === 'overlap' || lengthsDisagree) {
      this.#forget(key, packet)
      return 'dropped'
    }
    packet.parts.splice(at, 0, { start, end, bytes: bytes.slice(header.payloadStart, header.payloadEnd) })
    packet.length = knownEnd
    packet.octets += end - start + PART_OVERHEAD
    this.#octets += end - start + PART_OVERHEAD
    if (header.ecn === CE) packet.congested = true
    if (start === 0) {
      packet.protocol = header.protocol
      packet.ttl = header.ttl
      packet.dscp = header.dscp
      packet.ecn = header.ecn
      packet.first = bytes.slice(header.start, header.end)
    }
    if (!isWhole(packet)) {
      this.#makeRoom()
      return 'waiting'
    }
    this.#forget(key, packet)
    return assemble(packet, frames)
  }

  /** Packets that waited too long. */
  deadlineReached(now: Instant): void {
    for (const [key, packet] of this.#packets) {
      if (packet.expires > now) continue
      this.#forget(key, packet)
      if (packet.first !== null) this.#timedOut(packet.first, now)
    }
    let earliest = NEVER
    for (const packet of this.#packets.values()) if (packet.expires < earliest) earliest = packet.expires
    this.#wakeAt(earliest)
  }

  clear(): void {
    this.#packets.clear()
    this.#octets = 0
    this.deadline = NEVER
  }

  #begin(key: string, header: PacketHeader, now: Instant): Incomplete {
    const packet: Incomplete = {
      version: header.version,
      source: header.source,
      destination: header.destination,
      expires: now + (header.version === 4 ? TIMEOUT_IPV4 : TIMEOUT_IPV6),
      parts: [],
      length: -1,
      octets: 0,
      protocol: 0,
      ttl: 0,
      dscp: 0,
      ecn: NOT_ECT,
      congested: false,
      first: null,
    }
    this.#packets.set(key, packet)
    if (packet.expires < this.deadline) this.#wakeAt(packet.expires)
    return packet
  }

  #forget(key: string, packet: Incomplete): void {
    this.#packets.delete(key)
    this.#octets -= packet.octets
    if (this.#packets.size === 0) this.#wakeAt(NEVER)
  }

  #makeRoom(): void {
    while (this.#octets > MOST_OCTETS) {
      const [key, oldest] = this.#packets.entries().next().value!
      this.#forget(key, oldest)
    }
  }

  #wakeAt(deadline: Instant): void {
    if (deadline === this.deadline) return
    this.deadline = deadline
    this.#schedule(this)
  }
}

/** Where a part belongs among the others. */
function placeOf(parts: readonly Part[], start: number, end: number): number | 'duplicate' | 'overlap' {
  let at = parts.length
  while (at > 0 && parts[at - 1]!.start >= start) at--
  const next = parts[at]
  if (next !== undefined && next.start === start && next.end === end) return 'duplicate'
  if (next !== undefined && next.start < end) return 'overlap'
  return at > 0 && parts[at - 1]!.end > start ? 'overlap' : at
}

function isWhole(packet: Incomplete): boolean {
  if (packet.length < 0) return false
  let end = 0
  for (const part of packet.parts) {
    if (part.start !== end) return false
    end = part.end
  }
  return end === packet.length
}

/** The packet as if it had never been cut, with a plain header. */
function assemble(packet: Incomplete, frames: FrameAllocator): Frame {
  const headerLength = packet.version === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
  const frame: Frame = frames.allocate(headerLength + packet.length)
  // RFC 3168 5.3: one congested fragment makes the packet congested
  const ecn = packet.congested && packet.ecn !== NOT_ECT ? CE : packet.ecn
  const { source, destination, protocol, ttl } = packet
  const tos = packet.dscp | ecn
  if (packet.version === 4) {
    writeIPv4Header(frame.bytes, frame.start, packet.length, protocol, source, destination, ttl, tos, 0, 0)
  } else {
    writeIPv6Header(frame.bytes, frame.start, packet.length, protocol, source, destination, ttl, tos, 0)
  }
  for (const part of packet.parts) frame.bytes.set(part.bytes, frame.start + headerLength + part.start)
  return frame
}
