import type { Connection } from './connection.js'
import type { Instant } from './time.js'

/** getsockopt(TCP_INFO): Linux's struct tcp_info by field name, units as Linux has them (µs, octets, segments). */
export type TcpInfo = Record<string, number>
export declare function tcpInfo(c: Connection, now: Instant): TcpInfo
