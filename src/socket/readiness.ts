import { type Instant, State, writable } from '../tcp/index.js'
import { Poll } from './open-file.js'
import type { TcpSocket } from './socket.js'

/** What Linux's tcp_poll says of a socket. */
export function linuxPoll(s: TcpSocket, _now: Instant): number {
  if (s.listener !== null) return s.listener.acceptable > 0 ? Poll.In | Poll.ReadNormal : 0
  const c = s.connection
  const noMoreIn = s.readShutdown || s.ended
  const noMoreOut = s.writeShutdown || s.gone
  const closed = c === null || s.gone
  let mask = 0
  if ((noMoreIn && noMoreOut) || closed) mask |= Poll.HangUp
  if (noMoreIn) mask |= Poll.In | Poll.ReadNormal | Poll.PeerHangUp

  if (c === null) mask |= Poll.Out | Poll.WriteNormal
  else if (!s.opening || (c.state === State.SynReceived && !c.active)) {
    if (s.readable >= s.own.receiveLowat) mask |= Poll.In | Poll.ReadNormal
    if (noMoreOut || writable(c)) mask |= Poll.Out | Poll.WriteNormal
    if (s.urgentPending) mask |= Poll.Priority
  } else if (s.connectDeferred) mask |= Poll.Out | Poll.WriteNormal

  if (s.pendingError !== null || (s.errors !== null && !s.errors.empty)) mask |= Poll.Error
  return mask
}

/** What BSD's sopoll says: an error makes a socket readable and writable, and one that never connected is neither. */
export function bsdPoll(s: TcpSocket, _now: Instant): number {
  if (s.listener !== null) return s.listener.acceptable > 0 ? Poll.In | Poll.ReadNormal : 0
  const c = s.connection
  const noMoreIn = s.readShutdown || s.ended
  const noMoreOut = s.writeShutdown || s.gone
  const error = s.pendingError !== null
  let mask = 0
  if (noMoreIn || error || s.readable >= s.own.receiveLowat) mask |= Poll.In | Poll.ReadNormal
  if (noMoreOut || error || (c !== null && !s.opening && writable(c))) mask |= Poll.Out | Poll.WriteNormal
  if (noMoreIn && noMoreOut) mask |= Poll.HangUp
  if (noMoreIn) mask |= Poll.PeerHangUp
  if (s.urgentPending) mask |= Poll.Priority
  return mask
}
