import { describe, expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'
import { Calls, personality } from '../../src/socket/index.js'
import { listening, now, streamSocket, twoPrograms } from '../../src/socket/two-programs.test-fixture.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import {
  type IpAddress,
  PacketHeader,
  parseIpAddress,
  parsePacket,
  parseTcp,
  Segment,
  SYN,
} from '../../src/wire/index.js'
import { tcpFrame } from '../fixtures/test-host.js'

/** A client on two links, and a server on each of them. */
function multihomed() {
  const net = createNetwork({ latency: 10 })
  net.link('left')
  net.link('right')
  const names = personality('rfc9293')
  const program = (name: string, on: Record<string, string[]>) => {
    const host = net.host(name, { profile: 'rfc9293', on })
    return { host, calls: new Calls(host, names, () => net.now) }
  }
  const client = program('client', { left: ['10.1.0.1/16', '10.1.0.2/16'], right: ['10.2.0.1/16'] })
  const left = program('left-server', { left: ['10.1.0.9/16'] })
  const right = program('right-server', { right: ['10.2.0.9/16'] })
  const family = names.numbers.AF_INET!
  const sources: string[] = []
  /** Links that the client sent on. */
  const links: string[] = []
  const header = new PacketHeader()
  net.capture(({ fate, from, frame, link }) => {
    if (fate !== 'sent' || from !== client.host) return
    if (parsePacket(frame.bytes, frame.start, frame.end, header) === null) sources.push(`${header.source}`)
    if (!links.includes(link.name)) links.push(link.name)
  })
  const listens = ({ calls }: typeof client): number => {
    const fd = calls.socket(family, 1).result
    calls.bind(fd, { family, port: 80 })
    calls.listen(fd, 5)
    return fd
  }
  const connect = (to: string, from?: string): number => {
    const fd = client.calls.socket(family, 1).result
    if (from !== undefined)
      expect(client.calls.bind(fd, { family, address: parseIpAddress(from), port: 0 }).result).toBe(0)
    client.calls.connect(fd, { family, address: parseIpAddress(to), port: 80 })
    net.advance('1s')
    return fd
  }
  return { net, client, left, right, sources, links, listens, connect, family }
}

test('[MUST-43] an OPEN may name the local address: packets come from it, whatever the route would say', () => {
  const { client, left, sources, listens, connect } = multihomed()
  const listener = listens(left)
  const fd = connect('10.1.0.9', '10.1.0.2')
  expect(now(left.calls.accept(listener)).address?.address?.toString()).toBe('10.1.0.2')
  expect(client.calls.getsockname(fd).address?.address?.toString()).toBe('10.1.0.2')
  expect(new Set(sources)).toEqual(new Set(['10.1.0.2']))
})

test('[MUST-43] a passive OPEN that names a local address takes connections to that one only', () => {
  const { net, client, left, family } = multihomed()
  const fd = client.calls.socket(family, 1).result
  client.calls.bind(fd, { family, address: parseIpAddress('10.1.0.2'), port: 80 })
  client.calls.listen(fd, 5)
  const open = (to: string): number => {
    const from = left.calls.socket(family, 1 | personality('rfc9293').numbers.SOCK_NONBLOCK!).result
    left.calls.connect(from, { family, address: parseIpAddress(to), port: 80 })
    net.advance('1s')
    return Number(left.calls.getsockopt(from, 'SOL_SOCKET', 'SO_ERROR').value)
  }
  expect(open('10.1.0.2')).toBe(0)
  expect(open('10.1.0.1')).toBe(personality('rfc9293').numbers.ECONNREFUSED)
})

test('[MUST-44] an OPEN that names no local address asks IP for the one on the way to the peer', () => {
  const { left, right, listens, connect, client } = multihomed()
  listens(left)
  listens(right)
  const local = (fd: number) => client.calls.getsockname(fd).address?.address?.toString()
  expect(local(connect('10.1.0.9'))).toBe('10.1.0.1')
  expect(local(connect('10.2.0.9'))).toBe('10.2.0.1')
})

test('[MUST-45] a connection keeps its local address when the way to the peer changes', () => {
  const { net, client, left, sources, links, listens, connect } = multihomed()
  const listener = listens(left)
  const fd = connect('10.1.0.9')
  const peer = now(left.calls.accept(listener)).result
  // from now on the other interface leads there
  const [, , eth1] = client.host.interfaces
  client.host.routes.add({ destination: parseIpAddress('10.1.0.9'), prefixLength: 32, via: eth1! })
  now(client.calls.send(fd, Uint8Array.of(1)))
  now(left.calls.send(peer, Uint8Array.of(2)))
  net.advance('2s')
  client.calls.close(fd)
  net.advance('2s')
  expect(links).toEqual(['left', 'right'])
  expect(sources.length).toBeGreaterThan(4)
  expect(new Set(sources)).toEqual(new Set(['10.1.0.1']))
})

test('[MUST-45] a passive OPEN answers from the address that the SYN was sent to', () => {
  const { net, client, left, sources, listens, family } = multihomed()
  const listener = listens(client)
  const from = left.calls.socket(family, 1).result
  left.calls.connect(from, { family, address: parseIpAddress('10.1.0.2'), port: 80 })
  net.advance('1s')
  const fd = now(client.calls.accept(listener)).result
  now(client.calls.send(fd, Uint8Array.of(1)))
  net.advance('1s')
  expect(new Set(sources)).toEqual(new Set(['10.1.0.2']))
})

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-46] an OPEN to a broadcast or multicast address is an error at once, and sends nothing', () => {
    const { net, client } = twoPrograms(profile)
    let sent = 0
    net.capture(() => sent++)
    const { address, prefixLength } = client.host.interfaces[1]!.addresses[0]!
    const directed = [address.w3 | (-1 >>> prefixLength)].flatMap((w) => [
      w >>> 24,
      (w >>> 16) & 255,
      (w >>> 8) & 255,
      w & 255,
    ])
    for (const to of ['224.0.0.1', '239.255.255.255', '255.255.255.255', directed.join('.')]) {
      const fd = streamSocket(client)
      const result = now(client.calls.connect(fd, { family: client.n.AF_INET!, address: parseIpAddress(to), port: 80 }))
      expect([to, result]).toEqual([to, { result: -1, errno: 'ENETUNREACH' }])
    }
    const six = client.calls.socket(client.n.AF_INET6!, client.n.SOCK_STREAM!).result
    const group = { family: client.n.AF_INET6!, address: parseIpAddress('ff02::1'), port: 80 }
    expect(now(client.calls.connect(six, group)).errno).toBe('ENETUNREACH')
    expect(sent).toBe(0)
  })

  /** SYNs to a listener, from and to addresses of all kinds; what it sends in answer. */
  function synsTo(profileName: typeof profile) {
    const { server, net } = twoPrograms(profileName)
    listening(server, 80)
    const eth0 = server.host.interfaces[1]!
    const { address, prefixLength } = eth0.addresses[0]!
    const broadcast = (address.w3 | (-1 >>> prefixLength)) >>> 0
    const directed = [24, 16, 8, 0].map((shift) => (broadcast >>> shift) & 255).join('.')
    const answers: string[] = []
    const header = new PacketHeader()
    const segment = new Segment()
    net.capture(({ fate, frame }) => {
      if (fate !== 'sent' || parsePacket(frame.bytes, frame.start, frame.end, header) !== null) return
      const isTcp = parseTcp(frame.bytes, header.payloadStart, header.payloadEnd, segment, false) === null
      answers.push(isTcp && segment.flags & SYN ? 'SYN,ACK' : 'other')
    })
    const syn = (from: string, to: IpAddress | string): void => {
      server.host.receiveFrame(eth0, tcpFrame({ from, to: `${to}`, flags: SYN, seq: 1 }), net.now)
    }
    const neighbour = parseIpAddress(`${directed.split('.').slice(0, 3).join('.')}.77`)
    return { server, net, syn, answers, directed, own: address, neighbour: `${neighbour}` }
  }

  test('[MUST-63] a SYN from an address that cannot be a host is ignored', () => {
    const { net, syn, answers, own, directed, neighbour, server } = synsTo(profile)
    for (const from of ['255.255.255.255', '224.0.0.1', '0.0.0.0', '127.0.0.1', directed]) syn(from, own)
    net.advance('10s')
    expect(answers).toEqual([])
    expect([...server.host.connections].filter((e) => e.remotePort > 0)).toEqual([])
    syn(neighbour, own)
    expect(answers).toEqual(['SYN,ACK'])
  })

  test('[MUST-57] a SYN to a broadcast or multicast address is discarded in silence', () => {
    const { net, syn, answers, directed, neighbour, server } = synsTo(profile)
    for (const to of ['255.255.255.255', '224.0.0.1', directed]) syn(neighbour, to)
    net.advance('10s')
    expect(answers).toEqual([])
    expect([...server.host.connections].filter((e) => e.remotePort > 0)).toEqual([])
  })
})
