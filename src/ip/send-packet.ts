import type { Instant, Observed } from '../tcp/index.js'
import { firstHop, RST, type Segment } from '../wire/index.js'
import { eachPiece, writePieces } from './cut-segment.js'
import type { Host } from './host.js'
import { writePacket } from './write-packet.js'

/** Makes the packet, or the packets, of a segment and puts them into the outbox of the interface they leave by. */
export function sendSegment(
  host: Host,
  endpoint: Observed | null,
  segment: Segment,
  retransmission: boolean,
  now: Instant,
): void {
  const { ipOptions } = segment
  const path = host.paths.to((ipOptions === null ? null : firstHop(ipOptions)) ?? segment.destination)
  path.resolve()
  const { via } = path
  if (via === null) {
    host.counters.count('IpOutNoRoutes')
    return
  }
  const { source } = segment
  if (source.w3 === 0 && source.w1 === 0 && source.w0 === 0 && path.source !== null) segment.source = path.source
  const { gsoSize, textLength } = segment
  const pieces = gsoSize > 0 && textLength > gsoSize ? Math.ceil(textLength / gsoSize) : 1
  host.counters.segmentsOut += pieces
  if (retransmission) host.counters.segmentsRetransmitted += pieces
  if (segment.flags & RST) host.counters.count('TcpOutRsts')
  const whole = pieces === 1 || (textLength <= via.link.maxSuperSegment && ipOptions === null)
  if (host.observer !== null) {
    // with offloads it is the host's own doing that there is more than one segment
    if (whole || !host.offloads) host.observer.segmentSent(endpoint, segment, retransmission, now)
    else eachPiece(segment, () => host.observer?.segmentSent(endpoint, segment, retransmission, now))
  }
  if (whole) writePacket(host, path, via, segment, pieces)
  else writePieces(host, path, via, segment)
  if (!host.entered || via.full) via.flush(now)
}
