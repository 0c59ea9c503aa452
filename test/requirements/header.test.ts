import { describe, expect, test } from 'vitest'
import { drop, type PacketOnTheWay, pair, replace } from '../../src/sim/index.js'
import { listening, now, streamSocket, twoPrograms } from '../../src/socket/two-programs.test-fixture.js'
import { PROFILE_NAMES, status } from '../../src/tcp/index.js'
import { arrives, establishedConnection, LoneHost } from '../../src/tcp/testing/lone-host.js'
import { type Frame, PacketHeader, parsePacket, parseTcp, Segment, SYN } from '../../src/wire/index.js'

/** Every segment that either end sends from the SYN on, its checksum looked at. */
function wholeConnection(
  profile: (typeof PROFILE_NAMES)[number],
  seen: (segment: Segment, whole: boolean) => void,
): void {
  const header = new PacketHeader()
  const segment = new Segment()
  const { client, server, sim } = pair({ profile })
  sim.capture(({ fate, frame }) => {
    if (fate !== 'sent' || parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return
    segment.source = header.source
    segment.destination = header.destination
    const problem = parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, segment, true)
    seen(segment, problem === null && !frame.checksumPartial)
  })
  client.send(new Uint8Array(5001))
  sim.advance(100)
  server.send('answer')
  server.receive()
  sim.advance(100)
  client.receive()
  client.shutdown()
  sim.advance(100)
  server.send('unread')
  sim.advance(100)
  server.abort()
  sim.advance(100)
}

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-2] every segment sent has a checksum, and it is right', () => {
    let count = 0
    wholeConnection(profile, (_segment, whole) => {
      expect(whole).toBe(true)
      count++
    })
    expect(count).toBeGreaterThan(8)
  })

  test('[MUST-3] a segment whose checksum is wrong is dropped, wherever a bit of it was changed', () => {
    const { client, server, sim } = pair({ profile })
    // in the sequence number, the data offset, the window, the checksum, the last octet of text
    for (const place of [24, 33, 35, 37, -1]) {
      const before = server.host.counters.get('TcpInCsumErrors')
      const rule = sim.rule(replace({ from: 'client', text: true, times: 1 }, (packet) => [bitFlipped(packet, place)]))
      client.send('right')
      sim.advance(30)
      expect(rule.applied).toBe(1)
      expect(server.host.counters.get('TcpInCsumErrors')).toBe(before + 1)
      expect(server.receive()).toBe('EAGAIN')
      // it is sent again
      sim.advance('10s')
      expect(Buffer.from(server.receive() as Uint8Array).toString()).toBe('right')
    }
  })

  test('[MUST-1] a window is an unsigned number: one over 32767 is filled', () => {
    const { client, sim } = pair({
      profile,
      settings: {
        windowScaling: false,
        initialWindow: 60,
        receiveBuffer: [4096, 131_072, 131_072],
        windowSlowStart: false,
      },
    })
    client.connection.congestion.cwnd = 60
    client.send(new Uint8Array(100_000))
    sim.advance(5)
    const inFlight = client.sent.reduce((sum, { textLength }) => sum + textLength, 0)
    expect(inFlight).toBeGreaterThan(60_000)
    expect(inFlight).toBeLessThanOrEqual(65_535)
  })
})

test('[MUST-65] [SHLD-5] SYN and SYN,ACK say an MSS, and no segment after them does', () => {
  for (const profile of PROFILE_NAMES) {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    const said: Record<'syn' | 'other', number[]> = { syn: [], other: [] }
    const header = new PacketHeader()
    const segment = new Segment()
    net.capture(({ fate, frame }) => {
      if (fate !== 'sent' || parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return
      if (parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, segment, false) !== null) return
      said[segment.flags & SYN ? 'syn' : 'other'].push(segment.mss)
    })
    const l = listening(server, 80)
    const c = streamSocket(client)
    client.calls.connect(c, both.at(80))
    net.advance(100)
    const s = now(server.calls.accept(l)).result
    const lost = net.rule(drop({ from: 'client', text: true, times: 1 }))
    now(client.calls.send(c, new Uint8Array(5000)))
    net.advance('5s')
    expect(lost.applied).toBe(1)
    now(server.calls.recv(s, new Uint8Array(5000)))
    server.calls.close(s)
    net.advance(100)
    client.calls.close(c)
    net.advance('1s')
    expect(said.syn).toEqual([1460, 1460])
    expect(said.other.length).toBeGreaterThan(8)
    expect(new Set(said.other)).toEqual(new Set([-1]))
  }
})

test('[REC-1] windows take 32 bits: the largest with a scale of 14 is 2^30 less 2^14', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host, { windowScale: 14 })
  arrives(host, c, { window: 65_535 })
  expect(status(c).sendWindow).toBe(65_535 * 2 ** 14)
})

/** The packet with one bit changed, `at` octets behind the start of its IP header, or before its end. */
function bitFlipped({ frame }: PacketOnTheWay, at: number): Frame {
  frame.bytes[at < 0 ? frame.end + at : frame.start + at]! ^= 0x01
  return frame
}
