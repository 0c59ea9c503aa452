import type { TextSource } from '../wire/index.js'

/** Text not acknowledged, and a record of each segment or super-segment. */
export declare class SendQueue implements TextSource {
  /** Sequence number after the last octet written (and FIN, once queued). */
  writeSeq: number
  /** Octets written and not acknowledged. */
  readonly length: number
  copyText(seq: number, length: number, target: Uint8Array, at: number): void
}
