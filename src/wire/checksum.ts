import type { IpAddress } from './ip-address.js'
import { SCRATCH, type VectorMemory, vectorMemory } from './vector-memory.js'
import { LITTLE_ENDIAN, wordsIn } from './words.js'

/**
 * The Internet checksum (RFC 1071). Sums are kept unfolded in doubles, which hold 2^53: words of 32 bits are added as
 * they lie in memory, and only the folded result is turned into network order (RFC 1071 2 B: the sum does not depend on
 * byte order but for one swap at the end).
 *
 * A partial sum is a number in network order that `checksumAdd` continues and `checksumFold` ends. Every part but the
 * last must have an even number of octets.
 */

/** Below this, a loop over octets is faster than finding the words of the buffer. Unit: octets. */
const SHORT = 48

/** From here on, copying to the vectors' memory and a sum there are faster. Unit: octets. */
const LONG = 400

/** Looked for when first needed; null: there are none. */
let vectors: VectorMemory | null | undefined

/** Words added before the sum is folded: 2^20 words of 32 bits stay below 2^52. */
const WORDS_PER_FOLD = 1 << 20

/** Any sum to 16 bits, with the carries added back. */
function fold(sum: number): number {
  let s = sum
  while (s >= 0x100000000) s = (s % 0x100000000) + Math.floor(s / 0x100000000)
  let n = (s >>> 16) + (s & 0xffff)
  n = (n >>> 16) + (n & 0xffff)
  return (n >>> 16) + (n & 0xffff)
}

function sumWords(words: Uint32Array, from: number, to: number): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = from
  for (const last = to - 7; i < last; i += 8) {
    a += words[i]! + words[i + 4]!
    b += words[i + 1]! + words[i + 5]!
    c += words[i + 2]! + words[i + 6]!
    d += words[i + 3]! + words[i + 7]!
  }
  for (; i < to; i++) a += words[i]!
  return a + b + (c + d)
}

/** Adds the octets [start, end) of `bytes` to a partial sum. */
export function checksumAdd(partial: number, bytes: Uint8Array, start: number, end: number): number {
  let sum = partial
  let i = start
  if (end - start < SHORT) {
    for (const last = end - 1; i < last; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
    return i < end ? sum + (bytes[i]! << 8) : sum
  }
  if (vectors !== null) {
    if (vectors === undefined) vectors = vectorMemory()
    else if (bytes === vectors.bytes) return sumInPlace(vectors, partial, start, end)
    if (vectors !== null && end - start >= LONG) return copyAndSum(vectors, partial, bytes, start, end)
  }
  // octets before the first word and after the last go to the lane of their address in a 16-bit word
  const base = bytes.byteOffset
  const swapped = ((base + start) & 1) === 1
  let even = 0
  let odd = 0
  for (; ((base + i) & 3) !== 0; i++) {
    if ((base + i) & 1) odd += bytes[i]!
    else even += bytes[i]!
  }
  const words = wordsIn(bytes.buffer)
  let from = (base + i) >>> 2
  const to = (base + end) >>> 2
  let lanes = 0
  for (; to - from > WORDS_PER_FOLD; from += WORDS_PER_FOLD) {
    lanes = fold(lanes + sumWords(words, from, from + WORDS_PER_FOLD))
  }
  lanes += sumWords(words, from, to)
  for (i = to * 4 - base; i < end; i++) {
    if ((base + i) & 1) odd += bytes[i]!
    else even += bytes[i]!
  }
  const folded = fold(lanes + (LITTLE_ENDIAN ? even + odd * 256 : even * 256 + odd))
  // an even address is the first octet of its pair in the message too, unless the message starts at an odd one
  return sum + (swapped === LITTLE_ENDIAN ? folded : swap(folded))
}

function sumInPlace({ sum }: VectorMemory, partial: number, start: number, end: number): number {
  if (end - start <= SCRATCH) return partial + sum(start, end - start)
  let total = partial
  for (let from = start; from < end; from += SCRATCH) total += sum(from, Math.min(end - from, SCRATCH))
  return total
}

function copyAndSum(
  { bytes: memory, sum }: VectorMemory,
  partial: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let total = partial
  for (let from = start; from < end; from += SCRATCH) {
    const to = Math.min(end, from + SCRATCH)
    memory.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), 0)
    total += sum(0, to - from)
  }
  return total
}

const swap = (word: number): number => ((word & 0xff) << 8) | (word >>> 8)

/** The checksum field for a partial sum: its complement, 16 bits. 0 for octets that contain a right checksum. */
export function checksumFold(partial: number): number {
  return ~fold(partial) & 0xffff
}

/** Checksum of one range of octets. */
export function checksum(bytes: Uint8Array, start: number, end: number): number {
  return checksumFold(checksumAdd(0, bytes, start, end))
}

/** Both halves of a word, for a sum of words of 16 bits. */
export function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff)
}

/**
 * Partial sum of the pseudo-header (RFC 9293 3.1 for IPv4, RFC 8200 8.1 for IPv6).
 * @param length octets of the transport header and its text
 */
export function pseudoHeaderSum(source: IpAddress, destination: IpAddress, protocol: number, length: number): number {
  const sum = halves(source.w3) + halves(destination.w3) + protocol + halves(length)
  if (destination.isIPv4) return sum
  return (
    sum +
    halves(source.w0) +
    halves(source.w1) +
    halves(source.w2) +
    halves(destination.w0) +
    halves(destination.w1) +
    halves(destination.w2)
  )
}
