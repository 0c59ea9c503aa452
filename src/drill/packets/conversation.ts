import type { IpAddress } from '../../wire/index.js'

/** How far the connection of a script has come, as far as the runner needs it to tell numbers of the two sides apart. */
export type Stage =
  | 'new'
  | 'listening'
  | 'packet-received'
  | 'syn-ack-sent'
  | 'syn-ack-acknowledged'
  | 'connecting'
  | 'syn-sent'
  | 'syn-acknowledged'

/**
 * One connection of a script and what its numbers mean. A script counts sequence numbers from the SYN of each side and
 * does not know ports and timestamps; the live ones are learnt from the packets.
 */
export class Conversation {
  /** Of the script; -1: not accepted yet. */
  scriptFd: number
  liveFd: number
  stage: Stage = 'new'
  protocol: 'tcp' | 'udp' | 'icmp'
  closed = false
  /** connect to AF_UNSPEC: the RST of that is still to come. */
  takenApart = false

  localAddress: IpAddress | null = null
  localPort = 0
  remoteAddress: IpAddress | null = null
  remotePort = 0

  /** Initial sequence number of the host in the script and on the wire. */
  scriptLocalIsn = 0
  liveLocalIsn = 0
  /** Of the script's side; the script chooses it, so that both are the same. */
  remoteIsn = 0

  /** Timestamps sent: by the value in the script, the value on the wire. */
  readonly timestamps = new Map<number, number>()
  /** The first one: what the two clocks differ by. */
  firstTimestamp: { readonly script: number; readonly live: number } | null = null

  /** Flow labels likewise. */
  flowLabel: { script: number; live: number } | null = null

  /** Octets of the stream given to write calls and taken by read calls: where in the stream the next ones are. */
  written = 0
  read = 0
  /** Urgent data or a file's octets passed: what stands where in the stream is not known any more. */
  patternBroken = false

  constructor(scriptFd: number, liveFd: number, protocol: 'tcp' | 'udp' | 'icmp') {
    this.scriptFd = scriptFd
    this.liveFd = liveFd
    this.protocol = protocol
  }

  /** Added to a sequence number of the host in the script; numbers of segments with SYN are those of the script itself. */
  localOffset(syn: boolean): number {
    return syn ? (this.liveLocalIsn - this.scriptLocalIsn) | 0 : this.liveLocalIsn
  }

  /** Likewise for the script's own side. */
  remoteOffset(syn: boolean): number {
    return syn ? 0 : this.remoteIsn
  }

  /** A program that took the connection apart connects anew: what was learnt of the one before is void. */
  startAnew(): void {
    this.takenApart = false
    this.stage = 'new'
    this.localPort = 0
    this.written = 0
    this.read = 0
    this.patternBroken = false
  }
}

/**
 * The octet at a place of a stream: what is sent has a pattern, so that text delivered at the wrong place shows. The
 * period is prime to every likely segment size.
 */
export const patternAt = (position: number): number => (position % 251) + 1

/** `length` octets of the pattern from a place of the stream on. */
export function pattern(position: number, length: number): Uint8Array {
  const octets = new Uint8Array(length)
  for (let i = 0; i < length; i++) octets[i] = ((position + i) % 251) + 1
  return octets
}
