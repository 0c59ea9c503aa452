import { describe, expect, test } from 'vitest'
import { drop } from '../../src/sim/index.js'
import {
  listening,
  now,
  streamSocket,
  connected as twoConnected,
  twoPrograms,
  watched,
} from '../../src/socket/two-programs.test-fixture.js'
import { PROFILE_NAMES, stateName } from '../../src/tcp/index.js'
import { RST, SYN } from '../../src/wire/index.js'
import { tcpFrame } from '../fixtures/test-host.js'
import { everywhere } from './prelude.js'

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-41] a passive OPEN on a port in use is an error, or leaves the connections there as they are', () => {
    const { server, client, net, c, s, l } = twoConnected(profile)
    // a listener is there already
    const second = streamSocket(server)
    server.calls.setsockopt(second, 'SOL_SOCKET', 'SO_REUSEADDR', 1)
    const bound = server.calls.bind(second, { family: server.n.AF_INET!, port: 80 })
    const refused = bound.result < 0 ? bound : server.calls.listen(second, 5)
    expect(refused.errno).toBe('EADDRINUSE')
    // it is closed, and another one opened: the connection has nothing to do with either
    server.calls.close(l)
    const third = listening(server, 80)
    now(client.calls.send(c, Uint8Array.of(1, 2, 3)))
    net.advance('1s')
    expect(now(server.calls.recv(s, new Uint8Array(10))).result).toBe(3)
    const again = streamSocket(client)
    const call = watched(client.calls.connect(again, { family: client.n.AF_INET!, address: server.address, port: 80 }))
    net.advance('1s')
    expect(call.result?.result).toBe(0)
    expect(now(server.calls.accept(third)).result).toBeGreaterThan(0)
  })

  test('[MUST-42] a program may LISTEN on a port from which another connects, SYN-SENT or SYN-RECEIVED', () => {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    const silence = net.rule(drop({ from: 'server', flags: 'S' }))
    listening(server, 80)
    const family = client.n.AF_INET!
    const reusing = (): number => {
      const fd = streamSocket(client)
      client.calls.setsockopt(fd, 'SOL_SOCKET', 'SO_REUSEADDR', 1)
      client.calls.setsockopt(fd, 'SOL_SOCKET', 'SO_REUSEPORT', 1)
      expect(client.calls.bind(fd, { family, port: 99 })).toEqual({ result: 0 })
      return fd
    }
    const call = watched(client.calls.connect(reusing(), both.at(80)))
    net.advance(15)
    expect([...client.host.connections].map((e) => e.state)).toHaveLength(1)
    const listener = reusing()
    expect(client.calls.listen(listener, 5)).toEqual({ result: 0 })
    // both go on
    const back = watched(server.calls.connect(streamSocket(server), { family, address: client.address, port: 99 }))
    silence.dispose()
    net.advance('10s')
    expect(back.result).toEqual({ result: 0 })
    expect(call.result).toEqual({ result: 0 })
    expect(now(client.calls.accept(listener)).result).toBeGreaterThan(0)
  })
})

test(
  '[MUST-10] SYNs that cross open one connection',
  everywhere(
    `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <...>
  +0 < S 0:0(0) win 65535 <mss 1000>
  +0 > S. 0:0(0) ack 1 <...>
 +.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
 +.1 write(3, ..., 100) = 100
  +0 > P. 1:101(100) ack 1
`,
    ['rfc9293', 'freebsd'],
  ),
)

test('[MUST-11] RST in SYN-RECEIVED: after a passive OPEN back to LISTEN, and nobody is told', () => {
  for (const profile of PROFILE_NAMES) {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    const listener = listening(server, 80)
    server.calls.fcntl(listener, server.n.F_SETFL!, server.n.O_NONBLOCK!)
    const states = () => [...server.host.connections].filter((e) => e.remotePort > 0).map((e) => stateName(e.state))
    const arrives = (flags: number, seq: number): void => {
      const frame = tcpFrame({ from: `${client.address}`, to: `${server.address}`, flags, seq })
      server.host.receiveFrame(server.host.interfaces[1]!, frame, net.now)
    }
    arrives(SYN, 1)
    expect(states()).toEqual(['SYN-RECEIVED'])
    arrives(RST, 2)
    expect(states()).toEqual([])
    expect(now(server.calls.accept(listener)).errno).toBe('EAGAIN')
    const call = watched(client.calls.connect(streamSocket(client), both.at(80)))
    net.advance('1s')
    expect(call.result).toEqual({ result: 0 })
    expect(now(server.calls.accept(listener)).result).toBeGreaterThan(0)
  }
})

test(
  '[MUST-11] RST in SYN-RECEIVED: after an active OPEN the program is told that it was refused',
  everywhere(
    `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)
  +0 > S 0:0(0) <...>
  +0 < S 0:0(0) win 65535 <mss 1000>
  +0 > S. 0:0(0) ack 1 <...>
 +.1 < R 1:1(0) win 0
`,
    ['rfc9293', 'freebsd'],
  ),
)
