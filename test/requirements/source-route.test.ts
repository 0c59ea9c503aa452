import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'
import { Calls, type Outcome, personality, type Result } from '../../src/socket/index.js'
import type { ProfileName } from '../../src/tcp/index.js'
import { IPPROTO_TCP, type IpAddress, PacketHeader, parsePacket } from '../../src/wire/index.js'

const LSRR = 131

/** A client, a server and two routers, all on one link; the routers pass packets on that are sent through them. */
function stage(profile: ProfileName = 'rfc9293') {
  const net = createNetwork({ latency: 10 })
  const program = (name: string) => {
    const host = net.host(name, { profile })
    return {
      host,
      calls: new Calls(host, personality(profile), () => net.now),
      address: host.interfaces[1]!.addresses[0]!.address,
    }
  }
  const client = program('client')
  const server = program('server')
  const router = (name: string) =>
    net.router(name, { profile: 'rfc9293', on: 'lan' }).interfaces[1]!.addresses[0]!.address
  const routers = [router('r1'), router('r2')] as const
  const family = personality(profile).numbers.AF_INET!
  const listening = server.calls.socket(family, 1).result
  server.calls.bind(listening, { family, port: 80 })
  server.calls.listen(listening, 5)
  /** The hops each packet of a host named in its destination field, one after the other, from its first link on. */
  const way = (from: IpAddress): string[] => {
    const seen: string[] = []
    const header = new PacketHeader()
    net.capture(({ fate, frame }) => {
      if (fate !== 'sent' || parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return
      if (header.protocol === IPPROTO_TCP && header.source.equals(from)) seen.push(`${header.destination}`)
    })
    return seen
  }
  const connect = (route: Uint8Array | null): number => {
    const fd = client.calls.socket(family, 1).result
    if (route !== null) expect(client.calls.setsockopt(fd, 'IPPROTO_IP', 'IP_OPTIONS', route).result).toBe(0)
    client.calls.connect(fd, { family, address: server.address, port: 80 })
    net.advance('1s')
    return fd
  }
  const accept = (): number => now(server.calls.accept(listening)).result
  return { net, client, server, routers, way, connect, accept, listening }
}

const now = <R extends Result>(outcome: Outcome<R>): R => {
  if ('onDone' in outcome) throw new Error('the call blocks')
  return outcome as R
}

const octets = ({ w3 }: IpAddress): number[] => [w3 >>> 24, (w3 >>> 16) & 255, (w3 >>> 8) & 255, w3 & 255]
const route = (...hops: IpAddress[]): Uint8Array =>
  Uint8Array.of(LSRR, 3 + 4 * hops.length, 4, ...hops.flatMap(octets), 0)

const isOption = (value: unknown, expected: Uint8Array): void => {
  expect([...(value as Uint8Array)].slice(0, expected.length - 1)).toEqual([...expected].slice(0, -1))
}

test('[MUST-51] a program names the way that its packets take, from the SYN on', () => {
  const { net, client, server, routers, way, connect, accept } = stage()
  const sent = way(client.address)
  const fd = connect(route(...routers))
  const s = accept()
  now(client.calls.send(fd, Uint8Array.of(1, 2, 3)))
  net.advance('1s')
  expect(now(server.calls.recv(s, new Uint8Array(10))).result).toBe(3)
  client.calls.close(fd)
  net.advance('1s')
  // every packet is sent to the first router, which passes it to the second, and that to the server
  const [r1, r2, end] = [`${routers[0]}`, `${routers[1]}`, `${server.address}`]
  expect(sent.length).toBeGreaterThanOrEqual(4 * 3)
  for (let i = 0; i < sent.length; i++) expect([r1, r2, end]).toContain(sent[i])
  for (const hop of [r1, r2, end]) expect(sent.filter((to) => to === hop)).toHaveLength(sent.length / 3)
})

test('[MUST-51] segments are shorter by what the route takes in the IP header', () => {
  const { net, client, routers, connect, accept } = stage()
  const fd = connect(route(...routers))
  accept()
  const lengths: number[] = []
  const header = new PacketHeader()
  net.capture(({ fate, frame, from }) => {
    if (fate === 'sent' && from === client.host && parsePacket(frame.bytes, frame.start, frame.end, header) === null)
      lengths.push(header.isFragment ? Number.POSITIVE_INFINITY : header.end - header.start)
  })
  now(client.calls.send(fd, new Uint8Array(20_000)))
  net.advance('2s')
  expect(Math.max(...lengths)).toBe(1500)
  // 20 and 12 octets of IP header, 20 and 12 of TCP header
  expect(client.calls.getsockopt(fd, 'IPPROTO_TCP', 'TCP_MAXSEG').value).toBe(1500 - 32 - 32)
})

test('[MUST-53] after a passive OPEN everything is sent back the way that the SYN came', () => {
  const { net, client, server, routers, way, connect, accept } = stage()
  const back = way(server.address)
  const fd = connect(route(...routers))
  const s = accept()
  isOption(server.calls.getsockopt(s, 'IPPROTO_IP', 'IP_OPTIONS').value, route(routers[1], routers[0]))
  now(server.calls.send(s, new Uint8Array(3000)))
  net.advance('1s')
  server.calls.close(s)
  client.calls.close(fd)
  net.advance('1s')
  const hops = [`${routers[1]}`, `${routers[0]}`, `${client.address}`]
  expect(back.length).toBeGreaterThanOrEqual(5 * 3)
  for (const hop of hops) expect(back.filter((to) => to === hop)).toHaveLength(back.length / 3)
})

test('[MUST-53] without a source route packets go straight back', () => {
  const { server, client, way, connect, accept } = stage()
  const back = way(server.address)
  connect(null)
  accept()
  expect(new Set(back)).toEqual(new Set([`${client.address}`]))
})

test('[MUST-52] the route that a program named is kept, whatever route its packets are answered by', () => {
  const { net, client, server, routers, way, connect, accept } = stage()
  const fd = connect(route(routers[0]))
  const s = accept()
  // the server is told to answer another way: that is what the client receives
  server.calls.setsockopt(s, 'IPPROTO_IP', 'IP_OPTIONS', route(routers[1]))
  const sent = way(client.address)
  const back = way(server.address)
  now(server.calls.send(s, Uint8Array.of(1)))
  net.advance('1s')
  now(client.calls.send(fd, Uint8Array.of(2)))
  net.advance('1s')
  expect(new Set(back)).toEqual(new Set([`${routers[1]}`, `${client.address}`]))
  expect(new Set(sent)).toEqual(new Set([`${routers[0]}`, `${server.address}`]))
})

test('[SHLD-24] a later segment that came another way changes the way back', () => {
  const { net, client, server, routers, way, connect, accept } = stage()
  const fd = connect(route(routers[0]))
  const s = accept()
  client.calls.setsockopt(fd, 'IPPROTO_IP', 'IP_OPTIONS', route(routers[1]))
  now(client.calls.send(fd, Uint8Array.of(1)))
  net.advance('1s')
  const back = way(server.address)
  now(server.calls.send(s, Uint8Array.of(2)))
  net.advance('1s')
  expect(new Set(back)).toEqual(new Set([`${routers[1]}`, `${client.address}`]))
  isOption(server.calls.getsockopt(s, 'IPPROTO_IP', 'IP_OPTIONS').value, route(routers[1]))
})

test('a host that accepts no source routes drops what comes by one', () => {
  const { server, routers, connect } = stage('linux')
  connect(route(...routers))
  expect(server.host.counters.drops['source route not accepted']).toBeGreaterThan(0)
})

test('a host that is no router does not pass a packet on: source route failed', () => {
  const { net, client, server } = stage()
  const other = net.host('other', { profile: 'rfc9293' })
  const family = personality('rfc9293').numbers.AF_INET!
  const fd = client.calls.socket(family, 1).result
  client.calls.setsockopt(fd, 'IPPROTO_IP', 'IP_OPTIONS', route(other.interfaces[1]!.addresses[0]!.address))
  client.calls.connect(fd, { family, address: server.address, port: 80 })
  net.advance('1s')
  expect(other.counters.drops['source route not accepted']).toBeGreaterThan(0)
  expect([...server.host.connections].filter((e) => e.remotePort > 0)).toEqual([])
})
