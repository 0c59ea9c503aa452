import { type Instant, NEVER } from '../time.js'

/** What a connection that sends a SYN, or a SYN-ACK of its own, remembers until its handshake is complete. */
export class Opening {
  /** When the first SYN or SYN-ACK left; NEVER: none has. */
  begunAt: Instant = NEVER
  /** When the last SYN or SYN-ACK left. */
  synSentAt: Instant = NEVER
  /** Options our last SYN had, as bits (handshake.ts). */
  synOffered = 0
  /** TCP_FASTOPEN_CONNECT: in SYN-SENT, but the SYN waits for the first SEND. */
  synDeferred = false
  /** Text that came with a SYN before the handshake was complete (RFC 9293 3.10.7.3); null: none. */
  synText: Uint8Array | null = null
  /** Such text was thrown away: the peer is to learn soon that it must send it again. */
  synTextRefused = false
  /** A FIN came with that SYN. */
  synFin = false
}
