import {
  CWR,
  checksumAdd,
  checksumFold,
  FIN,
  type Frame,
  IPPROTO_TCP,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  PSH,
  pseudoHeaderSum,
  read16,
  type Segment,
  type TextSource,
  tcpHeaderLength,
  write16,
  write32,
} from '../wire/index.js'
import type { Host } from './host.js'
import type { NetworkInterface } from './network-interface.js'
import type { Path } from './path-table.js'
import { queueFrame, writePacket } from './write-packet.js'

/** Calls `then` for each piece of a super-segment, which `segment` is meanwhile. */
export function eachPiece(segment: Segment, then: () => void): void {
  const { seq, textLength, textStart, flags, gsoSize } = segment
  segment.gsoSize = 0
  for (let offset = 0; offset < textLength; offset += gsoSize) {
    const length = Math.min(gsoSize, textLength - offset)
    segment.seq = (seq + offset) | 0
    segment.textStart = textStart + offset
    segment.textLength = length
    segment.flags = pieceFlags(flags, offset > 0, offset + length < textLength)
    then()
  }
  segment.seq = seq
  segment.textLength = textLength
  segment.textStart = textStart
  segment.flags = flags
  segment.gsoSize = gsoSize
}

/** PSH and FIN stand in the last piece only, CWR in the first only (as Linux's tcp_gso_segment; RFC 3168 6.1.2). */
function pieceFlags(flags: number, begun: boolean, more: boolean): number {
  return flags & ~(more ? PSH | FIN : 0) & ~(begun ? CWR : 0)
}

/**
 * A super-segment for a link that takes single segments: each piece has the header of the whole with its own sequence
 * number.
 */
export function writePieces(host: Host, path: Path, via: NetworkInterface, segment: Segment): void {
  const { text, md5At, udpSourcePort, ipOptions, gsoSize } = segment
  const ipLength = segment.destination.isIPv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
  const fits = ipLength + tcpHeaderLength(segment) + gsoSize <= path.mtu
  if (text !== null && fits && md5At < 0 && udpSourcePort === 0 && ipOptions === null) {
    writeAlike(host, path, via, segment, text, ipLength)
  } else eachPiece(segment, () => writePacket(host, path, via, segment, 1))
}

// --- the same, once for each octet of text and little more ---

/** Offsets in the headers. */
const IPV4_TOTAL_LENGTH = 2
const IPV4_IDENTIFICATION = 4
const IPV4_CHECKSUM = 10
const IPV6_PAYLOAD_LENGTH = 4
const TCP_SEQ = 4
const TCP_FLAGS = 12
const TCP_CHECKSUM = 16

/** The first piece is written as any packet; its headers are the pattern of the others, which differ in few places. */
function writeAlike(
  host: Host,
  path: Path,
  via: NetworkInterface,
  segment: Segment,
  text: TextSource,
  ipLength: number,
): void {
  const { seq, textLength, flags, gsoSize } = segment
  segment.gsoSize = 0
  segment.textLength = gsoSize
  segment.flags = pieceFlags(flags, false, true)
  const first = writePacket(host, path, via, segment, 1)
  segment.flags = flags
  segment.textLength = textLength
  segment.gsoSize = gsoSize

  const { bytes: pattern, start: patternAt } = first
  const headers = first.length - gsoSize
  const isIPv4 = ipLength === IPV4_HEADER_LENGTH
  const withChecksum = !first.checksumPartial
  const offsetBits = read16(pattern, patternAt + ipLength + TCP_FLAGS) & ~0x1ff
  // sums of what is the same in all of them
  const ipSum = isIPv4 ? sumWithout(pattern, patternAt, ipLength, IPV4_DIFFERS) : 0
  const pseudo = pseudoHeaderSum(segment.source, segment.destination, IPPROTO_TCP, 0)
  const tcpSum = pseudo + sumWithout(pattern, patternAt + ipLength, headers - ipLength, TCP_DIFFERS)
  for (let offset = gsoSize; offset < textLength; offset += gsoSize) {
    const length = Math.min(gsoSize, textLength - offset)
    const frame = allocateLike(via, first, headers + length)
    const { bytes, start } = frame
    const tcp = start + ipLength
    const textAt = start + headers
    copyHeaders(first, frame, headers)
    text.copyText((seq + offset) | 0, length, bytes, textAt)
    const tcpLength = headers - ipLength + length
    if (isIPv4) {
      const identification = path.nextIdentification & 0xffff
      path.nextIdentification = (identification + 1) | 0
      write16(bytes, start + IPV4_TOTAL_LENGTH, headers + length)
      write16(bytes, start + IPV4_IDENTIFICATION, identification)
      write16(bytes, start + IPV4_CHECKSUM, checksumFold(ipSum + headers + length + identification))
    } else write16(bytes, start + IPV6_PAYLOAD_LENGTH, tcpLength)
    const pieceSeq = (seq + offset) | 0
    const flagsWord = offsetBits | pieceFlags(flags, true, offset + length < textLength)
    write32(bytes, tcp + TCP_SEQ, pieceSeq)
    write16(bytes, tcp + TCP_FLAGS, flagsWord)
    if (withChecksum) {
      const sum = tcpSum + tcpLength + (pieceSeq >>> 16) + (pieceSeq & 0xffff) + flagsWord
      write16(bytes, tcp + TCP_CHECKSUM, checksumFold(checksumAdd(sum, bytes, textAt, textAt + length)))
    } else write16(bytes, tcp + TCP_CHECKSUM, ~checksumFold(pseudo + tcpLength))
    queueFrame(via, frame)
  }
}

/** Headers are whole words, and the frames of an allocator begin at one. */
function copyHeaders(from: Frame, to: Frame, length: number): void {
  const source = from.words!
  const target = to.words!
  const a = from.start >>> 2
  const b = to.start >>> 2
  for (let i = 0; i < length >>> 2; i++) target[b + i] = source[a + i]!
}

/** Words of the headers that are not the same in all pieces, by their offsets. */
const IPV4_DIFFERS = [IPV4_TOTAL_LENGTH, IPV4_IDENTIFICATION, IPV4_CHECKSUM]
const TCP_DIFFERS = [TCP_SEQ, TCP_SEQ + 2, TCP_FLAGS, TCP_CHECKSUM]

function sumWithout(bytes: Uint8Array, at: number, length: number, left: readonly number[]): number {
  let sum = checksumAdd(0, bytes, at, at + length)
  // the complement of a word takes it out of a sum of ones' complements
  for (const offset of left) sum += ~read16(bytes, at + offset) & 0xffff
  return sum
}

function allocateLike(via: NetworkInterface, first: Frame, length: number): Frame {
  const frame = first.slab === null ? via.frames.allocate(length) : via.frames.lend(length)
  frame.checksumPartial = first.checksumPartial
  return frame
}
