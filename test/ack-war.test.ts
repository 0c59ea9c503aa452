import { expect, test } from 'vitest'
import { type Pair, pair } from '../src/sim/index.js'
import { PROFILE_NAMES } from '../src/tcp/index.js'
import { ACK, Frame, Segment, tcpHeaderLength, writeIPv4Header, writeTcp } from '../src/wire/index.js'

/** Text that an end takes for its peer's, who knows nothing of it: from now on they disagree on sequence numbers. */
function forgeText({ sim, ...ends }: Pair, to: 'client' | 'server'): void {
  const { connection: c, host } = ends[to]
  const segment = new Segment()
  segment.source = c.remote
  segment.destination = c.local
  segment.sourcePort = c.remotePort
  segment.destinationPort = c.localPort
  segment.flags = ACK
  segment.seq = c.rcv.nxt
  segment.ack = c.snd.una
  segment.window = 1000
  segment.bytes = new Uint8Array(100)
  segment.textLength = 100
  const length = tcpHeaderLength(segment) + segment.textLength
  const frame = new Frame(new Uint8Array(20 + length), 0, 20 + length)
  writeTcp(segment, frame.bytes, 20, true)
  writeIPv4Header(frame.bytes, 0, length, 6, segment.source, segment.destination, 64, 0, 1, 0)
  host.receiveFrame(host.interfaces[1]!, frame, sim.now)
}

test.each(PROFILE_NAMES)(
  '%s: two ends that a forger desynchronized do not fill the path with ACKs [RFC 5961 5, 7]',
  (profile) => {
    // without timestamps: those of a forger are not taken
    const p = pair({ profile, network: { latency: 1 }, settings: { timestamps: 0 } })
    forgeText(p, 'client')
    forgeText(p, 'server')
    p.sim.advance('1m')
    const segments = p.client.sent.length + p.server.sent.length
    expect(segments).toBeGreaterThan(1)
    // the path carries 30,000 from end to end and back
    expect(segments).toBeLessThan(700)
  },
)
