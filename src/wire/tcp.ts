import { checksumAdd, checksumFold, pseudoHeaderSum } from './checksum.js'
import { DropReason } from './drop-reason.js'
import { read16, read32, write16, write32 } from './octets.js'
import { IPPROTO_TCP } from './packet-header.js'
import type { Segment } from './segment.js'
import { tcpMd5Digest } from './tcp-md5.js'
import {
  MD5_DIGEST_LENGTH,
  NOP_NOP_TIMESTAMPS,
  parseTcpOptions,
  TIMESTAMPS_LENGTH,
  takeTimestamps,
} from './tcp-options.js'
import { copyOctets } from './vector-memory.js'

/** Octets of a TCP header without options. */
export const TCP_HEADER_LENGTH = 20

const CHECKSUM_AT = 16

/**
 * Reads the TCP segment at [start, end) into `segment`, whose addresses (for the pseudo-header) and IP fields are
 * filled already; see `takePacketHeader`. Whatever the octets are, nothing is thrown.
 * @param verifyChecksum false when the link vouches for it (Frame.checksumPartial)
 */
export function parseTcp(
  bytes: Uint8Array,
  start: number,
  end: number,
  segment: Segment,
  verifyChecksum: boolean,
): DropReason | null {
  const length = end - start
  if (length < TCP_HEADER_LENGTH) return DropReason.TcpTooShort
  const headerLength = (bytes[start + 12]! >>> 4) * 4
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) return DropReason.BadDataOffset
  if (verifyChecksum && !tcpChecksumIsRight(bytes, start, end, segment)) return DropReason.BadTcpChecksum
  segment.sourcePort = read16(bytes, start)
  segment.destinationPort = read16(bytes, start + 2)
  segment.seq = read32(bytes, start + 4)
  segment.ack = read32(bytes, start + 8)
  segment.flags = read16(bytes, start + 12) & 0x1ff
  segment.window = read16(bytes, start + 14)
  segment.urgentPointer = read16(bytes, start + 18)
  segment.bytes = bytes
  segment.textStart = start + headerLength
  segment.textLength = length - headerLength
  segment.text = null
  segment.forgetOptions()
  const optionsStart = start + TCP_HEADER_LENGTH
  segment.optionsStart = optionsStart
  segment.optionsLength = headerLength - TCP_HEADER_LENGTH
  if (headerLength === TCP_HEADER_LENGTH) return null
  if (headerLength === TCP_HEADER_LENGTH + TIMESTAMPS_LENGTH && read32(bytes, optionsStart) === NOP_NOP_TIMESTAMPS) {
    takeTimestamps(bytes, optionsStart + 2, segment)
  } else {
    segment.hasRareOptions = true
    parseTcpOptions(bytes, optionsStart, start + headerLength, segment)
  }
  return null
}

/** Whether the checksum of the TCP segment at [start, end) is right, between the addresses that `segment` has. */
export function tcpChecksumIsRight(bytes: Uint8Array, start: number, end: number, segment: Segment): boolean {
  const pseudo = pseudoHeaderSum(segment.source, segment.destination, IPPROTO_TCP, end - start)
  return checksumFold(checksumAdd(pseudo, bytes, start, end)) === 0
}

/** Octets of the header a segment to send will have: its options rounded up to words. */
export function tcpHeaderLength(segment: Segment): number {
  return TCP_HEADER_LENGTH + ((segment.optionBytesLength + 3) & ~3)
}

/**
 * Writes the header and options of a segment to send at `at`, its checksum zero, and returns the header's length.
 * Options that do not fill their last word are padded with EOL (RFC 9293 3.1).
 */
export function writeTcpHeader(segment: Segment, bytes: Uint8Array, at: number): number {
  const optionsLength = segment.optionBytesLength
  const headerLength = TCP_HEADER_LENGTH + ((optionsLength + 3) & ~3)
  write16(bytes, at, segment.sourcePort)
  write16(bytes, at + 2, segment.destinationPort)
  write32(bytes, at + 4, segment.seq)
  write32(bytes, at + 8, segment.ack)
  write16(bytes, at + 12, (headerLength << 10) | (segment.flags & 0x1ff))
  write16(bytes, at + 14, segment.window)
  write16(bytes, at + 16, 0)
  write16(bytes, at + 18, segment.urgentPointer)
  const options = segment.optionBytes
  const optionsAt = at + TCP_HEADER_LENGTH
  let i = 0
  for (; i < optionsLength; i++) bytes[optionsAt + i] = options[i]!
  for (const end = headerLength - TCP_HEADER_LENGTH; i < end; i++) bytes[optionsAt + i] = 0
  return headerLength
}

/**
 * Writes a whole segment at `at`: header, options, text, MD5 digest, checksum. Returns its length in octets. The text
 * comes from `segment.text`, or, when there is no such source (a segment passed on), from `segment.bytes`.
 * @param withChecksum false leaves the field for the link (Frame.checksumPartial): it then holds the folded sum of the
 *   pseudo-header, not complemented, as devices with checksum offload expect
 */
export function writeTcp(segment: Segment, bytes: Uint8Array, at: number, withChecksum: boolean): number {
  const headerLength = writeTcpHeader(segment, bytes, at)
  const textAt = at + headerLength
  const textLength = segment.textLength
  if (textLength > 0) {
    if (segment.text !== null) segment.text.copyText(segment.seq, textLength, bytes, textAt)
    else copyOctets(segment.bytes, segment.textStart, textLength, bytes, textAt)
  }
  const length = headerLength + textLength
  if (segment.md5At >= 0 && segment.md5Key !== null) signTcpMd5(segment, bytes, at, length, segment.md5Key)
  const pseudo = pseudoHeaderSum(segment.source, segment.destination, IPPROTO_TCP, length)
  if (withChecksum) write16(bytes, at + CHECKSUM_AT, checksumFold(checksumAdd(pseudo, bytes, at, at + length)))
  else write16(bytes, at + CHECKSUM_AT, ~checksumFold(pseudo))
  return length
}

/** Puts the digest of RFC 2385 into the segment written at `at`, where `segment.md5At` says. */
function signTcpMd5(segment: Segment, bytes: Uint8Array, at: number, length: number, key: Uint8Array): void {
  const digest = tcpMd5Digest(segment.source, segment.destination, bytes, at, at + length, key)
  bytes.set(digest, at + TCP_HEADER_LENGTH + segment.md5At)
}

/** True when the digest at `segment.md5Start` of the segment received at [start, end) was made with `key`. */
export function tcpMd5Matches(segment: Segment, start: number, end: number, key: Uint8Array): boolean {
  if (segment.md5Start < 0) return false
  const digest = tcpMd5Digest(segment.source, segment.destination, segment.bytes, start, end, key)
  let difference = 0
  for (let i = 0; i < MD5_DIGEST_LENGTH; i++) difference |= digest[i]! ^ segment.bytes[segment.md5Start + i]!
  return difference === 0
}

/** Recomputes the checksum of the TCP segment at [start, end), after something in it was changed. */
export function updateTcpChecksum(segment: Segment, bytes: Uint8Array, start: number, end: number): void {
  write16(bytes, start + CHECKSUM_AT, 0)
  const pseudo = pseudoHeaderSum(segment.source, segment.destination, IPPROTO_TCP, end - start)
  write16(bytes, start + CHECKSUM_AT, checksumFold(checksumAdd(pseudo, bytes, start, end)))
}
