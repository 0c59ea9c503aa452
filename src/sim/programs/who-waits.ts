import { type EndpointSnapshot, snapshot } from '../../ip/index.js'
import type { Network } from '../network.js'

/** Most connections that are named one by one. */
const MOST = 20

/** Every server and connection there is, a line each: `server  LISTEN  :::80`. */
export function whoWaits(network: Network): string {
  const lines = network.hosts().flatMap((host) => snapshot(host, network.now).map((e) => [host.name, ...words(e)]))
  if (lines.length === 0) return '  no server listens and there is no connection: it waits for something else'
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]!.length)))
  const shown = lines
    .slice(0, MOST)
    .map(([host, state, rest]) => `  ${host!.padEnd(widths[0]!)}  ${state!.padEnd(widths[1]!)}  ${rest}`)
  if (lines.length > MOST) shown.push(`  and ${lines.length - MOST} more`)
  return shown.join('\n')
}

function words({ kind, state, local, localPort, remote, remotePort, ...queues }: EndpointSnapshot): [string, string] {
  const here = `${local}:${localPort}`
  if (kind === 'listener') return [state, `${here}${waiting(queues.receiveQueue, 'not accepted')}`]
  const { receiveQueue, sendQueue, retransmits } = queues
  const more = [
    waiting(receiveQueue, 'octets not read'),
    waiting(sendQueue, 'octets not acknowledged'),
    waiting(retransmits, 'retransmissions'),
  ]
  return [state, `${here} -> ${remote}:${remotePort}${more.join('')}`]
}

const waiting = (count: number, what: string): string => (count > 0 ? `, ${count} ${what}` : '')
