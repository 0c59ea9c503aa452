import { type Instant, State, type TcpInfo, tcpInfo } from '../tcp/index.js'
import type { TcpSocket } from './socket.js'

/** What getsockopt(TCP_INFO) gives: a connection's, a listener's, or that of a socket that is neither. */
export function tcpInfoOf(s: TcpSocket, now: Instant): TcpInfo {
  const c = s.connection ?? s.former
  const { stateNumbers } = s.personality
  if (c !== null) return { ...tcpInfo(c, now), tcpi_state: stateNumbers[c.state]! }
  const { listener } = s
  if (listener === null) return { tcpi_state: stateNumbers[State.Closed]! }
  return { tcpi_state: stateNumbers[State.Listen]!, tcpi_unacked: listener.acceptable, tcpi_sacked: s.backlog }
}
