import { type ErrnoSystem, errnoNumbers } from './errno.js'
import { FREEBSD_NUMBERS } from './numbers-freebsd.js'
import { LINUX_NUMBERS } from './numbers-linux.js'

/**
 * How a system's calls differ where its TCP does not: the numbers of its headers, and what a call says when POSIX leaves
 * a choice. What the machine itself does differently is in tcp's settings.
 */
export interface Personality {
  /** Whose errno numbers and texts. */
  readonly system: ErrnoSystem
  /** Every name of the headers with its number: AF_, SOCK_, SO_, TCP_, IP_, MSG_, O_, POLL…, IPTOS_, E… */
  readonly numbers: Readonly<Record<string, number>>
  /** An accepted descriptor is non-blocking if the listener's is (FreeBSD). Linux: never. */
  readonly acceptInheritsNonBlocking: boolean
  /** connect on a socket that listens: Linux EISCONN, FreeBSD EOPNOTSUPP; RFC 9293 3.10.1: it stops listening and connects. */
  readonly connectWhileListening: 'EISCONN' | 'EOPNOTSUPP' | 'connect'
  /** A non-blocking connect that has succeeded since says so once, by 0 (Linux), before it says EISCONN. */
  readonly connectSaysWhenDone: boolean
  /** connect after one that failed: Linux tries again; FreeBSD says this. */
  readonly connectAfterFailure: 'ECONNREFUSED' | null
  /** connect to AF_UNSPEC dissolves the association (Linux, POSIX); null: it does; FreeBSD's TCP says EAFNOSUPPORT. */
  readonly connectUnspecified: 'EAFNOSUPPORT' | null
  /** sendto with an address on a socket that is not connected connects it (FreeBSD, T/TCP's heritage); Linux ignores the address. */
  readonly sendConnects: boolean
  /** Sending on a socket that never was connected. */
  readonly sendUnconnected: 'EPIPE' | 'ENOTCONN'
  /** A pending error is told before the EPIPE of a connection that is gone (Linux); FreeBSD keeps it for recv and SO_ERROR. */
  readonly sendTellsError: boolean
  /** Receiving after the peer's FIN says 0 even if an error came later (Linux SOCK_DONE); else the error first. */
  readonly endBeforeError: boolean
  /** Text that arrives after SHUT_RD can still be read (Linux); else it is thrown away. */
  readonly readAfterShutdown: boolean
  /** shutdown in SYN-SENT dissolves the association (Linux). */
  readonly disconnectOnShutdown: boolean
  /** close of a non-blocking descriptor does not linger (FreeBSD). */
  readonly lingerOnlyBlocking: boolean
  /** A close that lingered in vain says EAGAIN (FreeBSD). */
  readonly lingerSaysTimeout: boolean
  /** TCP-level options of a connection that is gone: FreeBSD ECONNRESET; null: they still work. */
  readonly goneOptions: 'ECONNRESET' | null
  /** tcpi_state by `State`: CLOSED, LISTEN, SYN-SENT … as RFC 9293 orders them. */
  readonly stateNumbers: readonly number[]
  /** What poll says of a TCP socket: Linux's tcp_poll or BSD's sopoll. */
  readonly poll: 'linux' | 'bsd'
  /** Smallest SO_SNDBUF and SO_RCVBUF as they take effect, octets. */
  readonly minSendBuffer: number
  readonly minReceiveBuffer: number
  /** SO_SNDBUF and SO_RCVBUF of 0 or above the cap: ENOBUFS (FreeBSD) instead of the nearest that goes. */
  readonly strictBuffers: boolean
  /** TCP_MD5SIG takes an on/off and keys come from the security association database (FreeBSD setkey); else it brings the key. */
  readonly md5FromDatabase: boolean
  /** A RST for a bound socket that does nothing carries what its program asked for: TTL, DSCP, MD5 (FreeBSD). */
  readonly resetFromBound: boolean
  /** TCP_FASTOPEN on a socket that connects turns fast open on for it (FreeBSD); Linux knows it for listeners only. */
  readonly fastOpenForConnect: boolean
}

/** The differentiated services code points as octets of the TOS field, and IPTOS_DSCP_…'s other names (RFC 2474, 2597, 3246). */
function codePoints(): Record<string, number> {
  const points: Record<string, number> = { IPTOS_DSCP_EF: 0xb8, IPTOS_DSCP_VA: 0xb0 }
  for (let c = 0; c < 8; c++) {
    points[`IPTOS_DSCP_CS${c}`] = c << 5
    points[`IPTOS_CLASS_CS${c}`] = c << 5
  }
  for (let c = 1; c <= 4; c++) {
    for (let drop = 1; drop <= 3; drop++) points[`IPTOS_DSCP_AF${c}${drop}`] = (c << 5) | (drop << 3)
  }
  return points
}

export const LINUX: Personality = {
  system: 'linux',
  numbers: { ...errnoNumbers('linux'), ...codePoints(), ...LINUX_NUMBERS },
  acceptInheritsNonBlocking: false,
  connectWhileListening: 'EISCONN',
  connectSaysWhenDone: true,
  connectAfterFailure: null,
  connectUnspecified: null,
  sendConnects: false,
  sendUnconnected: 'EPIPE',
  sendTellsError: true,
  endBeforeError: true,
  readAfterShutdown: true,
  disconnectOnShutdown: true,
  lingerOnlyBlocking: false,
  lingerSaysTimeout: false,
  goneOptions: null,
  stateNumbers: [7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6],
  poll: 'linux',
  minSendBuffer: 4608,
  minReceiveBuffer: 2304,
  strictBuffers: false,
  md5FromDatabase: false,
  resetFromBound: false,
  fastOpenForConnect: false,
}

export const FREEBSD: Personality = {
  system: 'freebsd',
  numbers: { ...errnoNumbers('freebsd'), ...codePoints(), ...FREEBSD_NUMBERS },
  acceptInheritsNonBlocking: true,
  connectWhileListening: 'EOPNOTSUPP',
  connectSaysWhenDone: false,
  connectAfterFailure: 'ECONNREFUSED',
  connectUnspecified: 'EAFNOSUPPORT',
  sendConnects: true,
  sendUnconnected: 'ENOTCONN',
  sendTellsError: false,
  endBeforeError: false,
  readAfterShutdown: false,
  disconnectOnShutdown: false,
  lingerOnlyBlocking: true,
  lingerSaysTimeout: true,
  goneOptions: 'ECONNRESET',
  stateNumbers: [0, 1, 2, 3, 4, 6, 9, 5, 7, 8, 10],
  poll: 'bsd',
  minSendBuffer: 1,
  minReceiveBuffer: 1,
  strictBuffers: true,
  md5FromDatabase: true,
  resetFromBound: true,
  fastOpenForConnect: true,
}

/** Linux's numbers, and POSIX and RFC 9293 to the letter where they speak. */
export const POSIX: Personality = {
  ...LINUX,
  connectWhileListening: 'connect',
  sendUnconnected: 'ENOTCONN',
  readAfterShutdown: false,
}

/** The personality that goes with a profile of the machine. */
export function personality(profile: 'linux' | 'freebsd' | 'rfc9293'): Personality {
  return { linux: LINUX, freebsd: FREEBSD, rfc9293: POSIX }[profile]
}
