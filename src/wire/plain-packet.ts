import { addressOf } from './address-table.js'
import { checksumAdd, checksumFold, halves } from './checksum.js'
import type { Frame } from './frame.js'
import { IPV4_HEADER_LENGTH } from './ipv4.js'
import { IPPROTO_TCP } from './packet-header.js'
import { type Segment, SYN } from './segment.js'
import { TCP_HEADER_LENGTH } from './tcp.js'
import { NOP_NOP_TIMESTAMPS, TIMESTAMPS_LENGTH } from './tcp-options.js'
import { LITTLE_ENDIAN } from './words.js'

/**
 * What nearly every packet of a connection is: IPv4 without options, not a fragment, and in it a segment with timestamps or
 * without options. It is read and written a word of this machine at a time, both headers at once, and its sums are made of
 * the same words (RFC 1071 2 B: in which order their octets stand does not matter), so that a packet costs few instructions
 * and all of them fit the cache for instructions. Everything else is for `parsePacket`, `parseTcp` and `writeTcp`, which do
 * the same for these.
 */

/** Offsets in words: the TCP header behind the IPv4 one, and its options. */
const TCP = IPV4_HEADER_LENGTH / 4
const OPTIONS = TCP + TCP_HEADER_LENGTH / 4
const HEADERS_LENGTH = IPV4_HEADER_LENGTH + TCP_HEADER_LENGTH
/** Longer text is summed as checksum.ts does, octets. */
const SHORT = 128

/** In the order of this machine: an IPv4 header of 20 octets; all but DF of the fragment field; the timestamps option. */
const VERSION_AND_LENGTH = 0x45
const FRAGMENT = swap16(0xbfff) << 16
const TIMESTAMPS = swap32(NOP_NOP_TIMESTAMPS)

function swap16(n: number): number {
  return ((n & 0xff) << 8) | ((n >>> 8) & 0xff)
}

function swap32(n: number): number {
  return (n << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24)
}

/** A sum to 16 bits, with the carries added back; 0xffff: what was summed contains a right checksum. */
function fold(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff)
  return (once >>> 16) + (once & 0xffff)
}

/**
 * Reads a frame that is such a packet, is not a SYN, and has right checksums, into `segment`, which was read by this or by
 * `parseTcp` before. False: it is something else, or is damaged; the segment is as it was.
 */
export function parsePlainPacket(frame: Frame, segment: Segment): boolean {
  const { words, start, end } = frame
  const length = end - start
  if (!LITTLE_ENDIAN || words === null || (start & 3) !== 0 || length < HEADERS_LENGTH) return false
  const at = start >>> 2
  const first = words[at]! | 0
  const ttlProtocolSum = words[at + 2]! | 0
  const fragmentField = words[at + 1]! | 0
  if (
    (first & 0xff) !== VERSION_AND_LENGTH ||
    swap16(first >>> 16) !== length ||
    (fragmentField & FRAGMENT) !== 0 ||
    ((ttlProtocolSum >>> 8) & 0xff) !== IPPROTO_TCP
  ) {
    return false
  }
  const source = words[at + 3]! | 0
  const destination = words[at + 4]! | 0
  const addresses = halves(source) + halves(destination)
  if (fold(halves(first) + halves(fragmentField) + halves(ttlProtocolSum) + addresses) !== 0xffff) return false
  const tcpLength = length - IPV4_HEADER_LENGTH
  const offsetFlagsWindow = words[at + TCP + 3]! | 0
  const headerLength = (offsetFlagsWindow & 0xf0) >>> 2
  const hasTimestamps = headerLength === TCP_HEADER_LENGTH + TIMESTAMPS_LENGTH
  if (hasTimestamps) {
    if (tcpLength < headerLength || (words[at + OPTIONS]! | 0) !== TIMESTAMPS) return false
  } else if (headerLength !== TCP_HEADER_LENGTH) return false
  if (((offsetFlagsWindow >>> 8) & SYN) !== 0) return false
  const pseudo = addresses + swap16(IPPROTO_TCP) + swap16(tcpLength)
  if (!frame.checksumPartial && sumFrom(frame.bytes, words, (at + TCP) * 4, end, pseudo) !== 0xffff) return false

  segment.source = addressOf(swap32(source), segment.source)
  segment.destination = addressOf(swap32(destination), segment.destination)
  const ports = words[at + TCP]! | 0
  segment.sourcePort = swap16(ports)
  segment.destinationPort = swap16(ports >>> 16)
  segment.ecn = (first >>> 8) & 3
  segment.dscp = (first >>> 8) & 0xfc
  segment.ttl = ttlProtocolSum & 0xff
  segment.flowLabel = 0
  segment.ipOptions = null
  segment.seq = swap32(words[at + TCP + 1]! | 0)
  segment.ack = swap32(words[at + TCP + 2]! | 0)
  segment.flags = ((offsetFlagsWindow & 1) << 8) | ((offsetFlagsWindow >>> 8) & 0xff)
  segment.window = swap16(offsetFlagsWindow >>> 16)
  segment.urgentPointer = swap16((words[at + TCP + 4]! | 0) >>> 16)
  segment.bytes = frame.bytes
  const textStart = start + IPV4_HEADER_LENGTH + headerLength
  segment.textStart = textStart
  segment.textLength = end - textStart
  segment.text = null
  if (segment.hasRareOptions) segment.forgetOptions()
  segment.optionsStart = start + HEADERS_LENGTH
  segment.optionsLength = headerLength - TCP_HEADER_LENGTH
  segment.hasTimestamps = hasTimestamps
  segment.tsVal = hasTimestamps ? swap32(words[at + OPTIONS + 1]! | 0) : 0
  segment.tsEcr = hasTimestamps ? swap32(words[at + OPTIONS + 2]! | 0) : 0
  return true
}

/** Folded sum of what lies from a word on to `end`, and of `before`, in the order of this machine. */
function sumFrom(bytes: Uint8Array, words: Uint32Array, from: number, end: number, before: number): number {
  if (end - from > SHORT) return fold(before + swap16(~checksumFold(checksumAdd(0, bytes, from, end))))
  let sum = before
  let i = from >>> 2
  for (const last = end >>> 2; i < last; i++) {
    const word = words[i]! | 0
    sum += halves(word)
  }
  return fold(sum + sumOfRest(bytes, i * 4, end))
}

/** The last one to three octets, which do not fill a word. */
function sumOfRest(bytes: Uint8Array, from: number, end: number): number {
  let sum = 0
  for (let i = from; i < end; i++) sum += (i & 1) === 0 ? bytes[i]! : bytes[i]! << 8
  return sum
}

/** Whether `writePlainPacket` can write a segment that is to be sent. */
export const isPlainToWrite = (segment: Segment): boolean =>
  LITTLE_ENDIAN &&
  segment.destination.isIPv4 &&
  segment.ipOptions === null &&
  segment.udpSourcePort === 0 &&
  segment.md5At < 0 &&
  (segment.text !== null || segment.textLength === 0) &&
  (segment.optionBytesLength & 3) === 0

/**
 * Writes such a segment and the IPv4 header before it into a frame of just that length, cut by a FrameAllocator; or, when
 * the frame has its text elsewhere, the headers into a frame of their length, and no checksum.
 * @param fragment the fragment field: 0x4000 don't fragment
 * @param withChecksum as of `writeTcp`
 */
export function writePlainPacket(
  segment: Segment,
  frame: Frame,
  identification: number,
  fragment: number,
  withChecksum: boolean,
): void {
  const { bytes, start, end } = frame
  const words = frame.words!
  const at = start >>> 2
  const length = end - start + (frame.elsewhere === null ? 0 : segment.textLength)
  const first = VERSION_AND_LENGTH | ((segment.dscp | segment.ecn) << 8) | (swap16(length) << 16)
  const fragmentField = swap16(identification) | (swap16(fragment) << 16)
  const ttlProtocol = segment.ttl | (IPPROTO_TCP << 8)
  const source = swap32(segment.source.w3)
  const destination = swap32(segment.destination.w3)
  const addresses = halves(source) + halves(destination)
  const headerSum = fold(halves(first) + halves(fragmentField) + ttlProtocol + addresses)
  words[at] = first
  words[at + 1] = fragmentField
  words[at + 2] = ttlProtocol | (~headerSum << 16)
  words[at + 3] = source
  words[at + 4] = destination

  const { flags, optionBytesLength, textLength } = segment
  const ports = swap16(segment.sourcePort) | (swap16(segment.destinationPort) << 16)
  const seq = swap32(segment.seq)
  const ack = swap32(segment.ack)
  const offset = ((TCP_HEADER_LENGTH + optionBytesLength) << 2) | ((flags >>> 8) & 1)
  const offsetFlagsWindow = offset | ((flags & 0xff) << 8) | (swap16(segment.window) << 16)
  const urgent = swap16(segment.urgentPointer)
  const pseudo = addresses + swap16(IPPROTO_TCP) + swap16(length - IPV4_HEADER_LENGTH)
  let sum = pseudo + halves(ports) + halves(seq) + halves(ack) + halves(offsetFlagsWindow) + urgent
  words[at + TCP] = ports
  words[at + TCP + 1] = seq
  words[at + TCP + 2] = ack
  words[at + TCP + 3] = offsetFlagsWindow
  const { optionWords } = segment
  for (let i = 0; i < optionBytesLength >>> 2; i++) {
    const word = optionWords[i]! | 0
    sum += halves(word)
    words[at + OPTIONS + i] = word
  }
  const textAt = end - textLength
  if (frame.elsewhere === null && textLength > 0) segment.text!.copyText(segment.seq, textLength, bytes, textAt)
  const checksum = withChecksum ? ~sumFrom(bytes, words, textAt, end, sum) : fold(pseudo)
  words[at + TCP + 4] = (checksum & 0xffff) | (urgent << 16)
}
