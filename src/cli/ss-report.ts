import { type Host, snapshot } from '../ip/index.js'
import type { WireEnds } from '../socket/tun/index.js'
import { Connection, type Instant, Listener, tcpInfo } from '../tcp/index.js'
import type { SocketSnapshot } from '../trace/index.js'
import { parseIpAddress } from '../wire/index.js'

/** What a host tells of itself, read back. */
export interface HostReport {
  /** One line: profile and addresses. */
  readonly title: string
  readonly sockets: readonly SocketSnapshot[]
}

/** Addresses as text. */
type Written = Omit<SocketSnapshot, 'local' | 'remote'> & { readonly local: string; readonly remote: string }

/** Every socket of a host, for `estab ss`. */
export function socketsOf(host: Host, now: Instant): SocketSnapshot[] {
  const endpoints = new Map([...host.connections].map((endpoint) => [endpoint.id, endpoint]))
  return snapshot(host, now).map((one) => {
    const endpoint = endpoints.get(one.id)
    const connection = endpoint instanceof Connection ? endpoint : null
    return {
      state: one.state,
      recvQ: one.receiveQueue,
      sendQ: endpoint instanceof Listener ? endpoint.backlog : one.sendQueue,
      local: one.local,
      localPort: one.localPort,
      remote: one.remote,
      remotePort: one.remotePort,
      timers: one.timers.map(({ timer, in: remaining }) => ({ timer, remaining })),
      retransmits: one.retransmits,
      congestion: connection?.congestion.name ?? null,
      info: connection === null ? null : tcpInfo(connection, now),
    }
  })
}

/** What the control socket says: one JSON object. */
export function hostReport(host: Host, profile: string, { ours, kernels }: WireEnds, now: Instant): string {
  const wires = ours.map(({ address, prefixLength }, i) => `${address}/${prefixLength} <> ${kernels[i]!.address}`)
  const title = `${host.name}  ${wires.join('  ')}  ${profile}`
  const sockets: Written[] = socketsOf(host, now).map((one) => ({
    ...one,
    local: `${one.local}`,
    remote: `${one.remote}`,
  }))
  return `${JSON.stringify({ title, sockets })}\n`
}

/** null: the other side was cut short, or is not one of us. */
export function readHostReport(text: string): HostReport | null {
  try {
    const { title, sockets } = JSON.parse(text) as { title: string; sockets: Written[] }
    return {
      title,
      sockets: sockets.map((one) => ({ ...one, local: parseIpAddress(one.local), remote: parseIpAddress(one.remote) })),
    }
  } catch {
    return null
  }
}
