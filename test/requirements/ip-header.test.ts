import { describe, expect, test } from 'vitest'
import { type Network, type PacketOnTheWay, pair, replace } from '../../src/sim/index.js'
import { listening, now, streamSocket, twoPrograms } from '../../src/socket/two-programs.test-fixture.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import {
  type Frame,
  FrameAllocator,
  PacketHeader,
  parsePacket,
  updateIPv4Checksum,
  write16,
} from '../../src/wire/index.js'

/** DSCP and TTL of every packet the client sends from now on. */
function clientPackets(net: Network): { dscp: number; ttl: number }[] {
  const seen: { dscp: number; ttl: number }[] = []
  const header = new PacketHeader()
  net.capture(({ fate, from, frame }) => {
    if (fate !== 'sent' || from.name !== 'client') return
    if (parsePacket(frame.bytes, frame.start, frame.end, header) === null)
      seen.push({ dscp: header.dscp, ttl: header.ttl })
  })
  return seen
}

/** The client opens with options of the IP level, sends, closes with text unread: SYN, ACK, text, RST. */
function wholeConnection(both: ReturnType<typeof twoPrograms>, options: Record<string, number>): void {
  const { client, server, net } = both
  const l = listening(server, 80)
  const c = streamSocket(client)
  for (const [name, value] of Object.entries(options)) {
    expect(client.calls.setsockopt(c, 'IPPROTO_IP', name, value).result).toBe(0)
  }
  client.calls.connect(c, both.at(80))
  net.advance('1s')
  const s = now(server.calls.accept(l)).result
  now(client.calls.send(c, new Uint8Array(5000)))
  now(server.calls.send(s, new Uint8Array(5000)))
  net.advance('1s')
  client.calls.close(c)
  net.advance('1s')
}

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-48] [SHLD-22] the Diffserv field is the one that the program named, on every segment, RST included', () => {
    for (const dscp of [0xb8, 0x04, 0xfc]) {
      const both = twoPrograms(profile)
      const packets = clientPackets(both.net)
      wholeConnection(both, { IP_TOS: dscp })
      expect(packets.length).toBeGreaterThan(4)
      expect(new Set(packets.map((p) => p.dscp))).toEqual(new Set([dscp]))
    }
  })

  test('without being asked it is 0', () => {
    const both = twoPrograms(profile)
    const packets = clientPackets(both.net)
    wholeConnection(both, {})
    expect(new Set(packets.map((p) => p.dscp))).toEqual(new Set([0]))
  })

  test('[SHLD-21] it can be changed while the connection is open', () => {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    const l = listening(server, 80)
    const c = streamSocket(client)
    client.calls.setsockopt(c, 'IPPROTO_IP', 'IP_TOS', 0x20)
    client.calls.connect(c, both.at(80))
    net.advance('1s')
    now(server.calls.accept(l))
    const packets = clientPackets(net)
    now(client.calls.send(c, Uint8Array.of(1)))
    client.calls.setsockopt(c, 'IPPROTO_IP', 'IP_TOS', 0x48)
    net.advance('1s')
    now(client.calls.send(c, Uint8Array.of(2)))
    net.advance('1s')
    expect(packets.map((p) => p.dscp)).toEqual([0x20, 0x48])
  })

  test('[MUST-49] the TTL can be configured, for the host and for one connection', () => {
    const one = twoPrograms(profile)
    const own = clientPackets(one.net)
    wholeConnection(one, { IP_TTL: 7 })
    expect(new Set(own.map((p) => p.ttl))).toEqual(new Set([7]))
    const all = twoPrograms(profile, { ttl: 33 })
    const hosts = clientPackets(all.net)
    wholeConnection(all, {})
    expect(new Set(hosts.map((p) => p.ttl))).toEqual(new Set([33]))
  })

  test('[MUST-50] IP options that are not understood are ignored: their segments are received', () => {
    const { client, server, sim } = pair({ profile })
    // router alert, a stream id, an experiment, padding
    const options = [148, 4, 0, 0, 136, 4, 0, 1, 94, 3, 7, 0]
    const rule = sim.rule(replace({ from: 'client' }, (packet) => [withOptions(packet, options)]))
    client.send('through')
    sim.advance('1s')
    expect(rule.applied).toBeGreaterThan(0)
    expect(Buffer.from(server.receive() as Uint8Array).toString()).toBe('through')
    client.close()
    server.close()
    sim.advance('10m')
    expect([client.state, server.state, client.error, server.error]).toEqual(['CLOSED', 'CLOSED', null, null])
  })
})

const frames = new FrameAllocator()

/** The packet with options in its IPv4 header. */
function withOptions({ frame }: PacketOnTheWay, options: readonly number[]): Frame {
  const length = frame.end - frame.start
  const longer = frames.allocate(length + options.length)
  const { bytes, start } = longer
  bytes.set(frame.bytes.subarray(frame.start, frame.start + 20), start)
  bytes.set(options, start + 20)
  bytes.set(frame.bytes.subarray(frame.start + 20, frame.end), start + 20 + options.length)
  bytes[start] = 0x40 | ((20 + options.length) / 4)
  write16(bytes, start + 2, length + options.length)
  updateIPv4Checksum(bytes, start)
  return longer
}
