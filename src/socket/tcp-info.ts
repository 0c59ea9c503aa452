import { type Instant, type TcpInfo, tcpInfo } from '../tcp/index.js'
import type { TcpSocket } from './socket.js'

/** What getsockopt(TCP_INFO) gives: a connection's, a listener's, or that of a socket that is neither. */
export function tcpInfoOf(s: TcpSocket, now: Instant): TcpInfo {
  const c = s.connection ?? s.former
  if (c !== null) return tcpInfo(c, now)
  const { listener } = s
  const { closedState, listenState } = s.personality
  if (listener === null) return { tcpi_state: closedState }
  return { tcpi_state: listenState, tcpi_unacked: listener.acceptable, tcpi_sacked: s.backlog }
}
