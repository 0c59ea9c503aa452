import type { Connection, ErrorName } from './connection.js'
import type { IcmpError } from './environment.js'
import { report } from './error-report.js'
import { emitSynAgain } from './open/handshake.js'
import { fail } from './reset.js'
import { mssChanged } from './send/output.js'
import { armRetransmit, untilRto } from './send/transmit-timers.js'
import { before } from './sequence.js'
import type { Settings } from './settings/settings.js'
import { State } from './states/state-name.js'
import type { Instant } from './time.js'

/** RFC 1191 7.1: what routers without RFC 1191 have behind them, octets. */
const PLATEAUS = [65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68] as const
/** RFC 8200 5: no IPv6 link has less, octets. */
const MIN_IPV6_MTU = 1280

/**
 * An ICMP error quotes a segment of the connection (RFC 9293 3.9.2.2, RFC 5461). It is believed only when the quoted
 * sequence number is in flight (RFC 5927 4.1).
 */
export function errorArrives(c: Connection, error: IcmpError, now: Instant): void {
  const { env, snd } = c
  if (c.state === State.Closed || c.state === State.TimeWait) return
  if (before(error.quotedSeq, snd.una) || !before(error.quotedSeq, snd.nxt)) {
    env.counters.count('TcpExtOutOfWindowIcmps')
    return
  }
  switch (error.kind) {
    case 'source-quench': // MUST-55: discarded in silence
    case 'redirect': // the host's business
      return
    case 'fragmentation-needed':
    case 'packet-too-big':
      return packetTooBig(c, error, now)
    default:
      return unreachable(c, error, now)
  }
}

/** RFC 1191 4, RFC 8201 4: the path takes less than we thought; what was lost goes again in smaller pieces. */
function packetTooBig(c: Connection, error: IcmpError, now: Instant): void {
  if (!c.options.pathMtuDiscovery) return
  const { path } = c
  const known = path.mtu
  const lowest = error.version === 4 ? c.env.settings.minPathMtu : MIN_IPV6_MTU
  const said = error.mtu > 0 || !c.env.settings.mtuPlateaus ? error.mtu : plateauBelow(known)
  const mtu = Math.max(lowest, said)
  if (mtu >= known) return
  path.mtu = mtu
  mssChanged(c, now)
  // it was the text that was too much: the SYN goes again without
  if (c.state === State.SynSent && (c.fastOpen?.synText ?? 0) > 0) emitSynAgain(c, now)
}

const plateauBelow = (mtu: number): number => PLATEAUS.find((plateau) => plateau < mtu) ?? 68

/** MUST-56: soft errors never end a connection; hard ones only while its handshake is under way (RFC 5461 4.1, RFC 5927 5.2). */
function unreachable(c: Connection, error: IcmpError, now: Instant): void {
  const { settings } = c.env
  const name = errorName(error, settings)
  if (settings.revertBackoffOnUnreachable && isUnreachable(error) && error.quotedSeq === c.snd.una) {
    revertBackoff(c, now)
  }
  // a server's side of fast open that a program holds already is as good as connected
  const opening = !c.established && !(c.fastOpen?.passive === true && c.listener === null)
  if (opening && settings.icmpAbortsHandshake.includes(error.kind)) return fail(c, name, 'icmp: hard error', now)
  c.softError = name
  report(c, now)
}

/** RFC 6069: the router that has no way now is the cause of the loss, not congestion. */
function revertBackoff(c: Connection, now: Instant): void {
  const { snd, rtt } = c
  if (!c.established || snd.retransmits === 0 || snd.backoff === 0) return
  snd.backoff--
  rtt.rto = Math.min(rtt.withoutBackoff() * 2 ** snd.backoff, c.env.settings.rtoMax)
  armRetransmit(c, now + Math.max(0, untilRto(c, now)), now)
}

const isUnreachable = (error: IcmpError): boolean =>
  error.kind === 'network-unreachable' || (error.kind === 'host-unreachable' && error.version === 4)

/** The POSIX name an ICMP error is reported by. */
export function errorName(error: IcmpError, settings: Settings): ErrorName {
  switch (error.kind) {
    case 'network-unreachable':
      return settings.prohibitedIsRefused ? 'EHOSTUNREACH' : 'ENETUNREACH'
    case 'protocol-unreachable':
      return settings.prohibitedIsRefused ? 'ECONNREFUSED' : 'ENOPROTOOPT'
    case 'port-unreachable':
      return 'ECONNREFUSED'
    case 'prohibited':
      if (settings.prohibitedIsRefused) return 'ECONNREFUSED'
      if (error.version === 6) return 'EACCES'
      return error.code === 9 ? 'ENETUNREACH' : 'EHOSTUNREACH'
    case 'parameter-problem':
      return settings.prohibitedIsRefused ? 'ECONNREFUSED' : 'EPROTO'
    case 'other-unreachable':
      return otherUnreachable(error)
    default:
      return 'EHOSTUNREACH'
  }
}

/** Codes of ICMPv4 "destination unreachable" without a kind of their own, as Linux reports them. */
function otherUnreachable(error: IcmpError): ErrorName {
  if (error.version === 6) return error.code === 5 || error.code === 6 ? 'EACCES' : 'EHOSTUNREACH'
  switch (error.code) {
    case 5:
      return 'EOPNOTSUPP'
    case 6:
    case 11:
      return 'ENETUNREACH'
    case 7:
      return 'EHOSTDOWN'
    case 8:
      return 'ENONET'
    default:
      return 'EHOSTUNREACH'
  }
}
