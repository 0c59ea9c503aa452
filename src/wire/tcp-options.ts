import { read16, write16, write24, write32 } from './octets.js'
import type { Segment } from './segment.js'

/** Option kinds (IANA, TCP option kind numbers). */
export const OPT_EOL = 0
export const OPT_NOP = 1
export const OPT_MSS = 2
export const OPT_WINDOW_SCALE = 3
export const OPT_SACK_PERMITTED = 4
export const OPT_SACK = 5
export const OPT_TIMESTAMPS = 8
export const OPT_MD5 = 19
export const OPT_USER_TIMEOUT = 28
export const OPT_AO = 29
export const OPT_FAST_OPEN = 34
export const OPT_ACCECN0 = 172
export const OPT_ACCECN1 = 174
/** Shared by experiments, told apart by a magic number (RFC 6994). */
export const OPT_EXPERIMENT = 254
/** Magic number of fast open as an experiment (RFC 7413 appendix A.1). */
export const FAST_OPEN_MAGIC = 0xf989

/** What most segments carry, octets: two NOPs and timestamps, with this as its first word (RFC 7323 appendix A). */
export const TIMESTAMPS_LENGTH = 12
export const NOP_NOP_TIMESTAMPS = (OPT_NOP << 24) | (OPT_NOP << 16) | (OPT_TIMESTAMPS << 8) | 10
/** Octets that options can take in a header. */
export const MAX_OPTIONS_LENGTH = 40
/** Octets of an MD5 digest (RFC 2385 3.0). */
export const MD5_DIGEST_LENGTH = 16

/** An option as it stands in a header; NOP and EOL have no data. */
export interface Option {
  readonly kind: number
  /** What follows kind and length: a view of the header's octets. */
  readonly data: Uint8Array
}

/**
 * Every option in [start, start + length), in order, unknown kinds too. Ends at a length that cannot be, as
 * `parseTcpOptions` does; an EOL and the padding behind it are given one by one, as printers and scripts count them.
 */
export function tcpOptions(bytes: Uint8Array, start: number, length: number): Option[] {
  const options: Option[] = []
  const end = start + length
  for (let at = start; at < end; ) {
    const kind = bytes[at]!
    if (kind === OPT_EOL || kind === OPT_NOP) {
      options.push({ kind, data: bytes.subarray(at + 1, at + 1) })
      at++
      continue
    }
    if (at + 2 > end) break
    const size = bytes[at + 1]!
    if (size < 2 || at + size > end) break
    options.push({ kind, data: bytes.subarray(at + 2, at + size) })
    at += size
  }
  return options
}

/**
 * Reads the options [start, end) into the option fields of `segment`, which are absent before. An option of the wrong
 * size is as good as absent; a length that cannot be ends the walk and the segment is kept, as Linux and FreeBSD do
 * (RFC 9293 MUST-7 asks that illegal lengths be survived). Of an option that comes twice the last counts.
 */
export function parseTcpOptions(bytes: Uint8Array, start: number, end: number, segment: Segment): void {
  for (let at = start; at < end; ) {
    const kind = bytes[at]!
    if (kind === OPT_EOL) return
    if (kind === OPT_NOP) {
      at++
      continue
    }
    if (at + 2 > end) return
    const size = bytes[at + 1]!
    if (size < 2 || at + size > end) return
    takeOption(bytes, at, kind, size, segment)
    at += size
  }
}

function takeOption(bytes: Uint8Array, at: number, kind: number, size: number, segment: Segment): void {
  switch (kind) {
    case OPT_TIMESTAMPS:
      if (size === 10) takeTimestamps(bytes, at, segment)
      break
    case OPT_SACK:
      if (size >= 10 && (size & 7) === 2) takeSack(bytes, at + 2, (size - 2) >>> 3, segment)
      break
    case OPT_MSS:
      if (size === 4) segment.mss = read16(bytes, at + 2)
      break
    case OPT_WINDOW_SCALE:
      if (size === 3) segment.windowScale = bytes[at + 2]!
      break
    case OPT_SACK_PERMITTED:
      if (size === 2) segment.sackPermitted = true
      break
    case OPT_MD5:
      if (size === 2 + MD5_DIGEST_LENGTH) segment.md5Start = at + 2
      break
    case OPT_USER_TIMEOUT:
      if (size === 4) segment.userTimeout = read16(bytes, at + 2)
      break
    case OPT_AO:
      if (size >= 4) {
        segment.aoStart = at + 2
        segment.aoLength = size - 2
      }
      break
    case OPT_FAST_OPEN:
      takeFastOpen(at + 2, size - 2, false, segment)
      break
    case OPT_EXPERIMENT:
      if (size >= 4 && read16(bytes, at + 2) === FAST_OPEN_MAGIC) takeFastOpen(at + 4, size - 4, true, segment)
      break
    case OPT_ACCECN0:
    case OPT_ACCECN1:
      takeAccEcn(bytes, at, kind, size, segment)
      break
  }
}

/** Timestamps whose kind is at `at`. */
export function takeTimestamps(bytes: Uint8Array, at: number, segment: Segment): void {
  segment.hasTimestamps = true
  segment.tsVal = (bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!
  segment.tsEcr = (bytes[at + 6]! << 24) | (bytes[at + 7]! << 16) | (bytes[at + 8]! << 8) | bytes[at + 9]!
}

function takeSack(bytes: Uint8Array, at: number, count: number, segment: Segment): void {
  const edges = segment.sack
  segment.sackCount = count
  for (let i = 0, p = at; i < count * 2; i++, p += 4) {
    edges[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!
  }
}

/** RFC 7413 4.1.1: a cookie has 4 to 16 octets and an even length, or none when it is asked for. */
function takeFastOpen(at: number, length: number, experimental: boolean, segment: Segment): void {
  if (length !== 0 && (length < 4 || length > 16 || length % 2 !== 0)) return
  segment.fastOpenStart = at
  segment.fastOpenLength = length
  segment.fastOpenExperimental = experimental
}

/** RFC 9768 3.2.3: up to three 24-bit counters; a last one cut short is not one. */
function takeAccEcn(bytes: Uint8Array, at: number, kind: number, size: number, segment: Segment): void {
  const count = Math.min(3, Math.floor((size - 2) / 3))
  segment.accEcnKind = kind
  segment.accEcnCount = count
  for (let i = 0, p = at + 2; i < count; i++, p += 3) {
    segment.accEcn[i] = (bytes[p]! << 16) | (bytes[p + 1]! << 8) | bytes[p + 2]!
  }
}

// Writers: each puts an option at `at` and returns where the next one goes.

export function putEol(bytes: Uint8Array, at: number): number {
  bytes[at] = OPT_EOL
  return at + 1
}

export function putNop(bytes: Uint8Array, at: number): number {
  bytes[at] = OPT_NOP
  return at + 1
}

/** @param mss octets */
export function putMss(bytes: Uint8Array, at: number, mss: number): number {
  bytes[at] = OPT_MSS
  bytes[at + 1] = 4
  write16(bytes, at + 2, mss)
  return at + 4
}

export function putWindowScale(bytes: Uint8Array, at: number, shift: number): number {
  bytes[at] = OPT_WINDOW_SCALE
  bytes[at + 1] = 3
  bytes[at + 2] = shift
  return at + 3
}

export function putSackPermitted(bytes: Uint8Array, at: number): number {
  bytes[at] = OPT_SACK_PERMITTED
  bytes[at + 1] = 2
  return at + 2
}

/** @param edges left of block i at 2i, right at 2i + 1 */
export function putSack(bytes: Uint8Array, at: number, edges: ArrayLike<number>, count: number): number {
  bytes[at] = OPT_SACK
  bytes[at + 1] = 2 + count * 8
  for (let i = 0; i < count * 2; i++) write32(bytes, at + 2 + i * 4, edges[i]!)
  return at + 2 + count * 8
}

export function putTimestamps(bytes: Uint8Array, at: number, tsVal: number, tsEcr: number): number {
  bytes[at] = OPT_TIMESTAMPS
  bytes[at + 1] = 10
  write32(bytes, at + 2, tsVal)
  write32(bytes, at + 6, tsEcr)
  return at + 10
}

/** Room for a digest, zero until the segment is whole (see `signTcpMd5`); the digest is at the returned offset - 16. */
export function putMd5(bytes: Uint8Array, at: number): number {
  bytes[at] = OPT_MD5
  bytes[at + 1] = 2 + MD5_DIGEST_LENGTH
  bytes.fill(0, at + 2, at + 2 + MD5_DIGEST_LENGTH)
  return at + 2 + MD5_DIGEST_LENGTH
}

/** @param value granularity bit (minutes if set) and 15 bits of time (RFC 5482 3) */
export function putUserTimeout(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = OPT_USER_TIMEOUT
  bytes[at + 1] = 4
  write16(bytes, at + 2, value)
  return at + 4
}

/** TCP-AO (RFC 5925 2.2) with its MAC. */
export function putAo(bytes: Uint8Array, at: number, keyId: number, nextKeyId: number, mac: Uint8Array): number {
  bytes[at] = OPT_AO
  bytes[at + 1] = 4 + mac.length
  bytes[at + 2] = keyId
  bytes[at + 3] = nextKeyId
  bytes.set(mac, at + 4)
  return at + 4 + mac.length
}

/** @param cookie no octets: a request for one */
export function putFastOpen(bytes: Uint8Array, at: number, cookie: Uint8Array, experimental: boolean): number {
  let p = at
  bytes[p++] = experimental ? OPT_EXPERIMENT : OPT_FAST_OPEN
  bytes[p++] = (experimental ? 4 : 2) + cookie.length
  if (experimental) {
    write16(bytes, p, FAST_OPEN_MAGIC)
    p += 2
  }
  bytes.set(cookie, p)
  return p + cookie.length
}

/** @param kind 172 for the order E0B, CEB, E1B; 174 for E1B, CEB, E0B. `counters` are in the order they are to stand. */
export function putAccEcn(
  bytes: Uint8Array,
  at: number,
  kind: number,
  counters: ArrayLike<number>,
  count: number,
): number {
  bytes[at] = kind
  bytes[at + 1] = 2 + count * 3
  for (let i = 0; i < count; i++) write24(bytes, at + 2 + i * 3, counters[i]!)
  return at + 2 + count * 3
}

/** Any option at all, of a kind that needs a length. */
export function putOption(bytes: Uint8Array, at: number, kind: number, data: Uint8Array): number {
  bytes[at] = kind
  bytes[at + 1] = 2 + data.length
  bytes.set(data, at + 2)
  return at + 2 + data.length
}
