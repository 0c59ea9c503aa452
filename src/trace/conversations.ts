import type { IpAddress, SegmentSummary } from '../wire/index.js'
import type { Subject, TraceEvent } from './events.js'

/** One end of a conversation: an address and a port. */
export interface Endpoint {
  readonly address: IpAddress
  readonly port: number
}

/** The two ends that exchanged segments; `a` sent the first one. Successive connections of the same ports are one conversation. */
export interface Conversation {
  readonly a: Endpoint
  readonly b: Endpoint
}

export function endpointText({ address, port }: Endpoint): string {
  return address.isIPv4 ? `${address}:${port}` : `[${address}]:${port}`
}

export function sameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && one.address.equals(other.address)
}

export const sourceOf = (segment: SegmentSummary): Endpoint => ({ address: segment.source, port: segment.sourcePort })

export const destinationOf = (segment: SegmentSummary): Endpoint => ({
  address: segment.destination,
  port: segment.destinationPort,
})

export const localOf = (subject: Subject): Endpoint => ({ address: subject.local, port: subject.localPort })

export const remoteOf = (subject: Subject): Endpoint => ({ address: subject.remote, port: subject.remotePort })

/** The conversations in a log, in the order of their first segments. */
export function conversations(events: Iterable<TraceEvent>): Conversation[] {
  const found = new Map<string, Conversation>()
  for (const event of events) {
    if (event.type !== 'sent' && event.type !== 'received') continue
    const a = sourceOf(event.segment)
    const b = destinationOf(event.segment)
    const key = [endpointText(a), endpointText(b)].sort().join(' ')
    if (!found.has(key)) found.set(key, { a, b })
  }
  return [...found.values()]
}
