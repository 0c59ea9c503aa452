import type { Segment } from '../wire/index.js'
import type { Connection } from './connection.js'
import type { Instant } from './time.js'

/**
 * Fifth check: the ACK field (RFC 9293 3.10.7.4), in any state with something sent, SYN-SENT included. Window update,
 * what is acknowledged leaves the queue, RTT, loss recovery, congestion window. False: the segment is dropped.
 */
export declare function ackArrives(c: Connection, seg: Segment, now: Instant): boolean
