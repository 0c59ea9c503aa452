import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { drop, type Pair, pair, replace } from '../../src/sim/index.js'
import {
  now,
  streamSocket,
  connected as twoConnected,
  twoPrograms,
  watched,
} from '../../src/socket/two-programs.test-fixture.js'
import { PROFILE_NAMES, Ready, setOptions, status } from '../../src/tcp/index.js'
import type { Frame } from '../../src/wire/index.js'
import { icmpAbout } from '../fixtures/icmp.js'
import { connected, everywhere } from './prelude.js'

/** The client's next segment with text is lost, and a router says why. */
function refuseText({ client, server, sim }: Pair, type: number, code: number): void {
  const lost: Frame[] = []
  const rule = sim.rule(
    replace({ from: 'client', text: true, times: 1 }, ({ frame }) => {
      lost.push(frame)
      return []
    }),
  )
  client.send('lost')
  expect(rule.applied).toBe(1)
  const from = server.host.interfaces[1]!.addresses[0]!.address
  client.host.receiveFrame(client.host.interfaces[1]!, icmpAbout(lost[0]!, from, type, code), sim.now)
}

/** Type and code of RFC 9293's soft errors. */
const SOFT = [
  ['destination unreachable: network', 3, 0],
  ['destination unreachable: host', 3, 1],
  ['destination unreachable: source route failed', 3, 5],
  ['time exceeded: in transit', 11, 0],
  ['time exceeded: reassembly', 11, 1],
  ['parameter problem', 12, 0],
] as const

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-54] an ICMP error reaches the connection whose segment it quotes, and no other', () => {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    net.rule(replace({ from: 'client', toPort: 81 }, ({ frame }) => [icmpAbout(frame, server.address, 3, 3)]))
    net.rule(drop({ from: 'client', toPort: 82 }))
    const refused = watched(client.calls.connect(streamSocket(client), both.at(81)))
    const waiting = watched(client.calls.connect(streamSocket(client), both.at(82)))
    net.advance(500)
    expect(refused.result).toEqual({ result: -1, errno: 'ECONNREFUSED' })
    expect(waiting.result).toBeNull()
  })

  test.for(SOFT)('[MUST-56] %s: the connection is not aborted', ([, type, code]) => {
    const both = pair({ profile })
    refuseText(both, type, code)
    const { client, server, sim } = both
    expect([client.state, client.error]).toEqual(['ESTABLISHED', null])
    sim.advance('5s')
    expect(Buffer.from(server.receive() as Uint8Array).toString()).toBe('lost')
  })

  test('[SHLD-25] [MUST-47] a soft error is reported to the program, which can ask what it was', () => {
    const both = pair({ profile })
    refuseText(both, 3, 1)
    const { client, sim } = both
    expect(client.told & Ready.Report).not.toBe(0)
    expect(status(client.connection).softError).toBe('EHOSTUNREACH')
    // it is over when the peer answers
    sim.advance('5s')
    expect(status(client.connection).softError).toBeNull()
  })

  test('[SHLD-20] a program that wants no reports gets none', () => {
    const both = pair({ profile })
    const { client, sim } = both
    setOptions(client.connection, { errorReports: false }, sim.now)
    refuseText(both, 3, 1)
    expect(client.told & Ready.Report).toBe(0)
    setOptions(client.connection, { errorReports: true }, sim.now)
    sim.advance('5s')
    refuseText(both, 3, 1)
    expect(client.told & Ready.Report).not.toBe(0)
  })

  test('[MUST-55] source quench is discarded in silence: nothing is told, nothing changes', () => {
    const both = pair({ profile })
    const { client, sim } = both
    const { cwnd } = client.connection.congestion
    client.told = 0
    refuseText(both, 4, 0)
    expect([client.state, client.error, client.told]).toEqual(['ESTABLISHED', null, 0])
    expect(client.connection.congestion.cwnd).toBe(cwnd)
    expect(status(client.connection).softError).toBeNull()
    expect(client.sent).toHaveLength(1)
    sim.advance(100)
    expect(client.sent.every(({ textLength }) => textLength === 4)).toBe(true)
  })

  test('an error that quotes a sequence number that is not in flight is not believed [RFC 5927 4.1]', () => {
    const both = twoPrograms(profile)
    const { client, server, net } = both
    const seen: Frame[] = []
    net.rule(
      replace({ from: 'client', toPort: 82 }, ({ frame }) => {
        // the sequence number of the SYN, one off
        frame.bytes[frame.start + 27]! ^= 1
        seen.push(frame)
        return [icmpAbout(frame, server.address, 3, 3)]
      }),
    )
    const call = watched(client.calls.connect(streamSocket(client), both.at(82)))
    net.advance(500)
    expect(seen).toHaveLength(1)
    expect(call.result).toBeNull()
  })
})

test('[SHLD-25] [SHLD-20] on Linux IP_RECVERR has soft errors told at once; without it SO_ERROR tells when asked', () => {
  const lost: Frame[] = []
  const refuse = ({ net, client, server, c }: ReturnType<typeof twoConnected>): void => {
    net.rule(
      replace({ from: 'client', text: true, times: 1 }, ({ frame }) => {
        lost.push(frame)
        return []
      }),
    )
    now(client.calls.send(c, Uint8Array.of(1)))
    client.host.receiveFrame(client.host.interfaces[1]!, icmpAbout(lost.pop()!, server.address, 3, 1), net.now)
  }
  const quiet = twoConnected('linux')
  refuse(quiet)
  const { client, c } = quiet
  expect(now(client.calls.send(c, Uint8Array.of(2))).result).toBe(1)
  expect(client.calls.getsockopt(c, 'SOL_SOCKET', 'SO_ERROR').value).toBe(client.n.EHOSTUNREACH)
  const told = twoConnected('linux')
  told.client.calls.setsockopt(told.c, 'IPPROTO_IP', 'IP_RECVERR', 1)
  refuse(told)
  expect(now(told.client.calls.send(told.c, Uint8Array.of(2))).errno).toBe('EHOSTUNREACH')
})

test(
  '[MUST-56] soft errors do not end the attempt to connect',
  drill({ profile: 'rfc9293' })`
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...1.2 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <...>
 +.1 < icmp unreachable net_unreachable [0:0(0)]
 +.1 < icmp unreachable host_unreachable [0:0(0)]
 +.1 < icmp unreachable source_route_failed [0:0(0)]
 +.1 < icmp time_exceeded ttl_exceeded_in_transit [0:0(0)]
 +.1 < icmp parameter_problem pointer [0:0(0)]
 +.5 > S 0:0(0) <...>
 +.2 < S. 0:0(0) ack 1 win 65535 <mss 1000>
  +0 > . 1:1(0) ack 1
`,
)

describe('[SHLD-26] a hard error aborts', () => {
  const attempt = (code: string, error: string): string => `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = -1 ${error}
  +0 > S 0:0(0) <...>
 +.1 < icmp unreachable ${code} [0:0(0)]
// the SYN is not sent again
 +10 close(3) = 0
`
  test(
    'the attempt to connect: port unreachable',
    everywhere(attempt('port_unreachable', 'ECONNREFUSED (Connection refused)')),
  )
  test(
    'the attempt to connect: protocol unreachable',
    everywhere(attempt('protocol_unreachable', 'ENOPROTOOPT (Protocol not available)'), ['rfc9293', 'linux']),
  )
  // RFC 9293 3.9.2.2 with RFC 5461 and 5927: in synchronized states systems take it for a soft one
  test(
    'but no connection in a synchronized state [RFC 5927 5.2]',
    everywhere(`${connected()}
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
 +.1 < icmp unreachable port_unreachable [1:1001(1000)]
 +.1 < . 1:1(0) ack 1001 win 65535
  +0 write(3, ..., 500) = 500
  +0 > P. 1001:1501(500) ack 1
`),
  )
})

test(
  'fragmentation needed is no error to the program, but lowers the path MTU [RFC 1191]',
  everywhere(
    `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <...>
 +.1 < S. 0:0(0) ack 1 win 65535 <mss 1460>
  +0 > . 1:1(0) ack 1
  +0 write(3, ..., 1460) = 1460
  +0 > P. 1:1461(1460) ack 1
 +.1 < icmp unreachable frag_needed mtu 1040 [1:1461(1460)]
  +0 > . 1:1001(1000) ack 1
  +0 > P. 1001:1461(460) ack 1
 +.1 < . 1:1(0) ack 1461 win 65535
`,
  ),
)
