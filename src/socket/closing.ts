import { close, type Instant, State, shutdownRead, shutdownWrite } from '../tcp/index.js'
import type { Errno } from './errno.js'
import { ANYTHING } from './open-file.js'
import { disconnect, releasePort } from './opening.js'
import type { TcpSocket } from './socket.js'

/** shutdown(2): `how` 0 no more reading, 1 no more writing, 2 neither. Linux inet_shutdown, FreeBSD soshutdown. */
export function shutdownSocket(s: TcpSocket, how: number, now: Instant): Errno | null {
  if (how !== 0 && how !== 1 && how !== 2) return 'EINVAL'
  const reading = how !== 1
  const writing = how !== 0
  if (s.listener !== null) {
    if (reading) disconnect(s, now)
    return null
  }
  const c = s.connection
  if (c === null || s.gone) {
    s.readShutdown ||= reading
    s.writeShutdown ||= writing
    s.wake(ANYTHING, now)
    return 'ENOTCONN'
  }
  if (c.state === State.SynSent && s.personality.disconnectOnShutdown) {
    disconnect(s, now)
    return null
  }
  if (s.phase === 'connecting' && !s.opening) s.phase = 'connected'
  if (reading) {
    s.readShutdown = true
    if (!s.personality.readAfterShutdown) shutdownRead(c, now)
  }
  if (writing && !s.writeShutdown) {
    s.writeShutdown = true
    shutdownWrite(c, now)
  }
  s.wake(ANYTHING, now)
  return null
}

/** Our FIN is on its way (Linux sk_stream_closing). */
function closing(s: TcpSocket): boolean {
  const state = s.connection?.state
  return state === State.FinWait1 || state === State.Closing || state === State.LastAck
}

/**
 * One try at close(2). null: it lingers until the peer has acknowledged everything (SO_LINGER). At the end nobody holds
 * the connection any more.
 */
export function closeStep(s: TcpSocket, now: Instant, last: boolean): 0 | 'EAGAIN' | null {
  const c = s.connection
  let inVain = false
  if (c !== null && s.asked.linger > 0 && s.readable === 0 && !s.gone) {
    if (!s.writeShutdown) {
      s.writeShutdown = true
      shutdownWrite(c, now)
    }
    if (closing(s)) {
      if (!last) return null
      inVain = true
    }
  }
  s.closed = true
  if (s.listener !== null) s.listener.close(now)
  else if (c !== null) {
    c.user = null
    if (!s.gone) close(c, now)
  }
  releasePort(s)
  s.wake(ANYTHING, now)
  return inVain && s.personality.lingerSaysTimeout ? 'EAGAIN' : 0
}
