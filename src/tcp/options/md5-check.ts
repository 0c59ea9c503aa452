import { DropReason, type Segment, TCP_HEADER_LENGTH, tcpMd5Matches } from '../../wire/index.js'

/**
 * Whether a received segment is signed as agreed with its sender (RFC 2385 2.0): null: it is; else why it is dropped,
 * in silence. `key` null: none agreed.
 */
export function md5Mismatch(seg: Segment, key: Uint8Array | null): DropReason | null {
  if (key === null) return seg.md5Start < 0 ? null : DropReason.Md5Unexpected
  if (seg.md5Start < 0) return DropReason.Md5Missing
  const start = seg.optionsStart - TCP_HEADER_LENGTH
  return tcpMd5Matches(seg, start, seg.textStart + seg.textLength, key) ? null : DropReason.Md5Wrong
}
