import type { QueuedError } from './error-queue.js'
import { Message } from './message-flags.js'
import type { TcpSocket } from './socket.js'

/** A control message as recvmsg gives it: level and type by the system's numbers. */
export interface ControlMessage {
  readonly level: number
  readonly type: number
  /** An int (TCP_CM_INQ), or the fields of a struct: ee_… of RECVERR, scm_sec and scm_nsec of SCM_TIMESTAMPING. */
  readonly data: number | Readonly<Record<string, number>>
}

/** TCP_CM_INQ: how much is left to read; the peer's FIN counts as one octet (Linux tcp_inq_hint). */
export function inQueueMessage(s: TcpSocket): ControlMessage {
  const { SOL_TCP, TCP_CM_INQ } = s.personality.numbers
  const fin = s.connection?.rcv.finReceived === true
  return { level: SOL_TCP!, type: TCP_CM_INQ!, data: s.readable + Number(fin) }
}

/** What recvmsg(MSG_ERRQUEUE) gives for an entry of the queue. */
export function errorMessages(s: TcpSocket, entry: QueuedError): { control: ControlMessage[]; flags: number } {
  const { SOL_SOCKET, SCM_TIMESTAMPING, SOL_IP, IP_RECVERR, SOL_IPV6, IPV6_RECVERR } = s.personality.numbers
  const control: ControlMessage[] = []
  if (entry.timestamp !== null) {
    const nanoseconds = Math.round(entry.timestamp * 1e6)
    const data = { scm_sec: Math.floor(nanoseconds / 1e9), scm_nsec: nanoseconds % 1e9 }
    control.push({ level: SOL_SOCKET!, type: SCM_TIMESTAMPING!, data })
  }
  control.push(
    s.ipv6
      ? { level: SOL_IPV6!, type: IPV6_RECVERR!, data: entry.error }
      : { level: SOL_IP!, type: IP_RECVERR!, data: entry.error },
  )
  return { control, flags: Message.ErrorQueue | (entry.truncated ? Message.Truncate : 0) }
}
