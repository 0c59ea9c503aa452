import { State, type StateName, stateName } from '../tcp/index.js'
import type { SocketAddress } from './address.js'
import type { Descriptors } from './descriptors.js'
import { TcpSocket } from './socket.js'
import { unacknowledged } from './socket-memory.js'

/** A socket that a program holds, as sockstat lists it, CLOSED ones included. */
export interface HeldSocket {
  readonly fd: number
  readonly state: StateName
  readonly local: SocketAddress
  /** null: it has no peer. */
  readonly remote: SocketAddress | null
  /** Octets to be read, and not acknowledged; of a listener, connections to be accepted, and how many may be. */
  readonly receiveQueue: number
  readonly sendQueue: number
  /** Id of the listener or connection in its host (Observed.id); 0: neither. */
  readonly id: number
}

export function heldSockets(descriptors: Descriptors): HeldSocket[] {
  const held: HeldSocket[] = []
  for (const [fd, file] of descriptors) if (file instanceof TcpSocket) held.push(heldSocket(fd, file))
  return held
}

function heldSocket(fd: number, s: TcpSocket): HeldSocket {
  const c = s.connection
  const { listener } = s
  return {
    fd,
    state: stateName(c?.state ?? listener?.state ?? State.Closed),
    local: s.localAddress(),
    remote: c === null ? null : s.addressOf(c.remote, c.remotePort),
    receiveQueue: listener === null ? s.readable : listener.acceptable,
    sendQueue: listener === null ? unacknowledged(s) : s.backlog,
    id: s.observed?.id ?? 0,
  }
}
