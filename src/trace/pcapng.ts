import type { SegmentReceived, SegmentSent, TraceEvent } from './events.js'
import { BlockWriter, type CapturedPacket, LINKTYPE_RAW, ROOM_BESIDE_OCTETS } from './pcapng-blocks.js'

export interface PcapngOptions {
  /** Capture at this host: all it sent and received. Without it: all that any host of the log sent, and what came from elsewhere. */
  readonly host?: string
  /** What time 0 of the log is, ms since 1970. */
  readonly epoch?: number
  /** Octets kept of a packet. */
  readonly snapLength?: number
}

/**
 * The segments of a log as a capture, an interface per host, with state changes, drops and calls as comments of the
 * packet that caused or followed them. The log must have been made with `packets: true`.
 * @throws Error when the log holds segments but no packets
 */
export function pcapng(events: Iterable<TraceEvent>, options: PcapngOptions = {}): Uint8Array {
  const all = [...events]
  const hosts = [...new Set(all.map((event) => event.host))].filter((name) => (options.host ?? name) === name)
  const isCaptured = captureFilter(all, options.host)
  const packets: { event: SegmentSent | SegmentReceived; comments: string[] }[] = []
  /** Comments on what comes next, by host. */
  const waiting = new Map<string, string[]>()
  for (const event of all) {
    if (options.host !== undefined && event.host !== options.host) continue
    if (event.type === 'sent' || event.type === 'received') {
      if (!isCaptured(event)) continue
      const comments = waiting.get(event.host) ?? []
      waiting.delete(event.host)
      packets.push({ event, comments })
      continue
    }
    const text = comment(event)
    if (text === null) continue
    const last = packets.at(-1)
    // what a packet caused, or what caused it and is logged when it is done, stands on that packet; else on the next one
    const isOfLast = last?.event.host === event.host && last.event.at === event.at && event.type !== 'timer-fired'
    if (isOfLast) last.comments.push(text)
    else waiting.set(event.host, [...(waiting.get(event.host) ?? []), text])
  }
  const last = packets.at(-1)
  for (const comments of waiting.values()) last?.comments.push(...comments)

  const room = packets.reduce((sum, { event }) => sum + ROOM_BESIDE_OCTETS + (event.packet?.length ?? 0), 1024)
  const blocks = new BlockWriter(room)
  blocks.sectionHeader('estab')
  for (const host of hosts) blocks.interfaceDescription(host, LINKTYPE_RAW, options.snapLength ?? 0)
  for (const { event, comments } of packets) blocks.packet(captured(event, comments, hosts, options))
  return blocks.written
}

function captured(
  event: SegmentSent | SegmentReceived,
  comments: string[],
  hosts: string[],
  options: PcapngOptions,
): CapturedPacket {
  if (event.packet === null) throw new Error('the log keeps no packets: make it with new TraceLog({ packets: true })')
  return {
    interfaceId: hosts.indexOf(event.host),
    nanoseconds: BigInt(Math.floor(options.epoch ?? 0)) * 1_000_000n + BigInt(Math.round(event.at * 1e6)),
    octets: options.snapLength ? event.packet.subarray(0, options.snapLength) : event.packet,
    originalLength: event.packet.length,
    direction: event.type === 'received' ? 'inbound' : 'outbound',
    comments: event.type === 'sent' && event.retransmission ? ['retransmission', ...comments] : comments,
  }
}

/** Every packet once: what one host of the log sent and another received is captured where it was sent. */
function captureFilter(events: readonly TraceEvent[], host: string | undefined): (event: TraceEvent) => boolean {
  if (host !== undefined) return () => true
  const ownAddresses = new Set<string>()
  for (const event of events) if (event.type === 'sent') ownAddresses.add(`${event.segment.source}`)
  return (event) => event.type === 'sent' || (event.type === 'received' && !ownAddresses.has(`${event.segment.source}`))
}

function comment(event: TraceEvent): string | null {
  const where = `${(event.at / 1000).toFixed(6)} ${event.host}`
  if (event.type === 'state') return `${where}: ${event.from} -> ${event.to} (${event.cause})`
  if (event.type === 'dropped') return `${where}: dropped: ${event.reason}`
  if (event.type === 'timer-fired') return `${where}: ${event.timer} timer`
  if (event.type === 'call') return `${where}: ${event.call} = ${event.result}`
  return null
}
