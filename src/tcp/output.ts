import type { Connection } from './connection.js'
import type { Instant } from './time.js'

/** Flags of `appendText`: SendFlag of calls.ts, and: keep the caller's chunk instead of copying it. */
export const KEEP_CHUNK = 0x100

/** Makes the send half: ISS, queue, RTT estimator, recovery, congestion control. Before SYN or SYN-ACK. */
export declare function beginSending(c: Connection, iss: number, now: Instant): void
/** The handshake is complete: initial window, send buffer, keepalive. After ackArrives of the ACK that completed it. */
export declare function establishSending(c: Connection, now: Instant): void
/** An RTT seen outside the send queue: of the SYN-ACK that a SYN-queue entry sent, ms. */
export declare function seedRtt(c: Connection, rtt: number, now: Instant): void
/** Puts the SYN (with `textLength` octets of queued text behind it, fast open) into the record of what was sent; arms the timer. */
export declare function recordSyn(c: Connection, textLength: number, now: Instant): void
/** SEND: octets taken; 0: the buffer is full (Ready.Writable will follow). Sends what may be sent. */
export declare function appendText(c: Connection, chunk: Uint8Array, flags: number, now: Instant): number
/** There is room to send (POLLOUT): enough free buffer and unsent text below TCP_NOTSENT_LOWAT. */
export declare function writable(c: Connection): boolean
/** FIN behind the last octet; sent when its turn comes. */
export declare function queueFin(c: Connection, now: Instant): void
/** Sends what windows, Nagle and cork allow. True: something was sent. */
export declare function sendPending(c: Connection, now: Instant): boolean
/** NODELAY was set or cork taken off: what was held back goes. */
export declare function releaseHeld(c: Connection, now: Instant): void
/** The oldest record again; false: nothing to send again or it could not be. */
export declare function retransmitOldest(c: Connection, now: Instant): boolean
/** Path MTU, peer's MSS, options or TCP_MAXSEG changed: computes SND.MSS anew and cuts what is queued to it. */
export declare function mssChanged(c: Connection, now: Instant): void
/** SO_SNDBUF, octets as it takes effect; the buffer no longer grows by itself. */
export declare function setSendBuffer(c: Connection, octets: number): void
