import { type IpAddress, siphash, write16, writeAddress } from '../../wire/index.js'
import type { Environment } from '../environment.js'
import type { Sequence } from '../sequence.js'
import type { Instant } from '../time.js'

const message = new Uint8Array(36)

/**
 * Initial sequence number (RFC 9293 3.4.1, MUST-8 and SHLD-1; RFC 6528): M + F(addresses, ports, secret), where M is a clock of
 * 4 microseconds and F is SipHash-2-4. For the same pair of sockets it only grows; for others it tells nothing.
 */
export function initialSequence(
  env: Environment,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
  now: Instant,
): Sequence {
  writeAddress(message, 0, local)
  writeAddress(message, 16, remote)
  write16(message, 32, localPort)
  write16(message, 34, remotePort)
  return (siphash(env.secrets.isn, message).lo + clock(now)) | 0
}

/** M: one step every 4 microseconds, modulo 2^32. */
function clock(now: Instant): number {
  return (Math.floor(now * 250) % 0x1_0000_0000) | 0
}

/** ISS of a connection that takes over the ports of one in TIME-WAIT: well beyond anything that one sent (RFC 9293 MAY-2). */
export function continueIsn(sndNxt: Sequence): Sequence {
  return (sndNxt + 65535 + 2) | 0
}
