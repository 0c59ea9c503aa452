import { Batch } from './batch.js'
import type { Frame, TextElsewhere } from './frame.js'
import { ANY_IPV4, type IpAddress } from './ip-address.js'
import type { Slab } from './slab.js'

const EMPTY = new Uint8Array(0)

/** The control bits of a TCP header (RFC 9293 3.1; AE is RFC 9768's, the former NS), as they stand in its 13th and 14th octet. */
export const FIN = 0x001
export const SYN = 0x002
export const RST = 0x004
export const PSH = 0x008
export const ACK = 0x010
export const URG = 0x020
export const ECE = 0x040
export const CWR = 0x080
export const AE = 0x100

/** The ECN field of an IP header (RFC 3168 5). */
export const NOT_ECT = 0
export const ECT1 = 1
export const ECT0 = 2
export const CE = 3

/** Where the text of an outgoing segment comes from: a store that copies octets by sequence number. */
export interface TextSource {
  /** Copies `length` octets of text that begin at sequence number `seq` into `target` at `at`. */
  copyText(seq: number, length: number, target: Uint8Array, at: number): void
  /** Says where they lie instead, for as long as nothing else happens. False, or absent: they must be copied. */
  findText?(seq: number, length: number, into: TextElsewhere): boolean
}

/**
 * A segment being received or sent. One object is reused for all of them: whoever needs a value later copies it.
 *
 * Sequence numbers (`seq`, `ack`, SACK edges, timestamps) are 32-bit integers in signed form (`| 0`), which V8 keeps
 * unboxed; compare them with tcp/sequence.ts and print them `>>> 0`.
 *
 * Received: filled by `parseTcp`; text is [textStart, textStart + textLength) of `bytes`; every option kind known is
 * in its own field, and all options as they came are [optionsStart, optionsStart + optionsLength) of `bytes`.
 * Sent: the machine fills the fields, writes its options in order into `optionBytes`, and names the text by
 * `text` + `seq` + `textLength`; the IP layer makes the frame.
 */
export class Segment {
  // --- addresses: filled by the IP layer from the packet, or by the machine ---
  source: IpAddress = ANY_IPV4
  destination: IpAddress = ANY_IPV4
  sourcePort = 0
  destinationPort = 0
  /** ECN field of the IP header: NOT_ECT, ECT0, ECT1 or CE. */
  ecn = 0
  /** DSCP and ECN octet of the IP header without the ECN bits (IPv4 TOS, IPv6 traffic class). */
  dscp = 0
  /** IPv4 time to live or IPv6 hop limit. */
  ttl = 64
  /** IPv6 flow label. */
  flowLabel = 0
  /** Ports of the UDP header around it, when TCP is carried over UDP (FreeBSD); 0: it is not. */
  udpSourcePort = 0
  udpDestinationPort = 0
  /** Sent over IPv4: routers must not cut it (path MTU discovery). */
  dontFragment = true
  /** IPv4 options: to send, for `putIPv4Options`; received, the way back along a source route. null: none. */
  ipOptions: Uint8Array | null = null

  // --- header ---
  seq = 0
  ack = 0
  /** Control bits, FIN … AE. */
  flags = 0
  /** The 16-bit window field as on the wire, not scaled. */
  window = 0
  urgentPointer = 0

  // --- text (RFC 9293's word for the payload of a segment) ---
  bytes: Uint8Array = EMPTY
  textStart = 0
  textLength = 0
  /** Sent segments: where the text is taken from. */
  text: TextSource | null = null
  /** Received: who lends `bytes`; whoever keeps a view of the text holds it meanwhile. null: the text may be kept as it is. */
  slab: Slab | null = null
  /**
   * Received: frames, cut down to their text, that continue this one's (receive offload): `bytes` has the first `gsoSize`
   * octets of text, these have the others.
   */
  readonly joined = new Batch<Frame>()
  /** Octets of text per segment when this stands for several (see Frame.gsoSize); 0: one. */
  gsoSize = 0

  // --- options received (absent values as given) ---
  /** Others than timestamps may be there. */
  hasRareOptions = false
  /** Options as they came: offset in `bytes` and length, octets. */
  optionsStart = 0
  optionsLength = 0
  /** Maximum segment size, octets; -1: no such option. */
  mss = -1
  /** Window scale shift; -1: no such option. */
  windowScale = -1
  sackPermitted = false
  hasTimestamps = false
  tsVal = 0
  tsEcr = 0
  /** Number of SACK blocks; their edges are in `sack`: left of block i at 2i, right at 2i + 1. */
  sackCount = 0
  readonly sack = new Int32Array(8)
  /** User timeout option (RFC 5482): the 16-bit value with its granularity bit; -1: none. */
  userTimeout = -1
  /** Offset in `bytes` of the 16-octet MD5 digest (RFC 2385); -1: none. */
  md5Start = -1
  /** Offset in `bytes` of the TCP-AO option's key id, and length from there (RFC 5925); -1: none. */
  aoStart = -1
  aoLength = 0
  /** Fast-open cookie (RFC 7413): offset in `bytes` and length (0: a request); -1: no such option. */
  fastOpenStart = -1
  fastOpenLength = 0
  /** True when the cookie came in the experimental option (kind 254, magic F989). */
  fastOpenExperimental = false
  /** AccECN option (RFC 9768): 0 none, else its kind, 172 or 174; `accEcnCount` 24-bit counters in `accEcn`, in the order they stand. */
  accEcnKind = 0
  accEcnCount = 0
  readonly accEcn = new Int32Array(3)

  // --- options to send: written in order by the machine ---
  readonly optionBytes = new Uint8Array(40)
  /** The same as words of 32 bits, as this machine has them. */
  readonly optionWords = new Uint32Array(this.optionBytes.buffer)
  optionBytesLength = 0
  /** Offset in `optionBytes` of the MD5 digest that the IP layer must fill with `md5Key`; -1: none. */
  md5At = -1
  md5Key: Uint8Array | null = null

  /** Octets of sequence space it takes: text, plus one each for SYN and FIN (SEG.LEN). */
  get length(): number {
    return this.textLength + (this.flags & SYN ? 1 : 0) + (this.flags & FIN ? 1 : 0)
  }

  /** Forgets everything of the segment before but the addresses. */
  reset(): void {
    this.ecn = 0
    this.dscp = 0
    this.ttl = 64
    this.flowLabel = 0
    this.udpSourcePort = 0
    this.udpDestinationPort = 0
    this.dontFragment = true
    this.ipOptions = null
    this.seq = 0
    this.ack = 0
    this.flags = 0
    this.window = 0
    this.urgentPointer = 0
    this.bytes = EMPTY
    this.textStart = 0
    this.textLength = 0
    this.text = null
    this.gsoSize = 0
    this.optionBytesLength = 0
    this.md5At = -1
    this.md5Key = null
    // none were read into it, most often
    if (this.optionsLength > 0) this.forgetOptions()
  }

  /** Marks every received option as absent. */
  forgetOptions(): void {
    this.hasRareOptions = false
    this.optionsStart = 0
    this.optionsLength = 0
    this.mss = -1
    this.windowScale = -1
    this.sackPermitted = false
    this.hasTimestamps = false
    this.tsVal = 0
    this.tsEcr = 0
    this.sackCount = 0
    this.userTimeout = -1
    this.md5Start = -1
    this.aoStart = -1
    this.aoLength = 0
    this.fastOpenStart = -1
    this.fastOpenLength = 0
    this.fastOpenExperimental = false
    this.accEcnKind = 0
    this.accEcnCount = 0
  }
}
