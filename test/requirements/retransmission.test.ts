import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { drop, pair } from '../../src/sim/index.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import { connected } from './prelude.js'

const TICK = '`'

test(
  '[MUST-18] Karn: an ACK of text that was sent again measures nothing, and the time-out stays as long as it was',
  drill({ profile: 'rfc9293' })`${connected()}
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
  +1 > P. 1:1001(1000) ack 1
  +2 > P. 1:1001(1000) ack 1
// of which one it is the ACK nobody knows
 +.1 < . 1:1(0) ack 1001 win 65535
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1001:2001(1000) ack 1
  +4 > P. 1001:2001(1000) ack 1
 +.1 < . 1:1(0) ack 2001 win 65535
`,
)

test(
  '[MUST-18] text that was sent once is measured, and the back-off is over [RFC 6298 5.7]',
  drill({ profile: 'rfc9293' })`${connected()}
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
  +1 > P. 1:1001(1000) ack 1
  +2 > P. 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 65535
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1001:2001(1000) ack 1
 +.1 < . 1:1(0) ack 2001 win 65535
  +0 write(3, ..., 1000) = 1000
  +0 > P. 2001:3001(1000) ack 1
  +1 > P. 2001:3001(1000) ack 1
`,
)

test(
  '[MUST-18] the time-out follows the round trips: SRTT + 4 RTTVAR [RFC 6298 2]',
  drill({ profile: 'rfc9293' })`
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.8 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <...>
 +.8 < S. 0:0(0) ack 1 win 65535 <mss 1000>
  +0 > . 1:1(0) ack 1
// SRTT 0.8, RTTVAR 0.4
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
+2.4 > P. 1:1001(1000) ack 1
`,
)

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-19] the time-out doubles with each retransmission', () => {
    const { client, sim } = pair({ profile })
    sim.partition(['server'])
    client.send('x')
    sim.advance('30s')
    const at = client.sent.map((s) => s.at)
    expect(at.length).toBeGreaterThan(4)
    const intervals = at.slice(2).map((time, i) => time - at[i + 1]!)
    for (let i = 1; i < intervals.length; i++) expect(intervals[i]! / intervals[i - 1]!).toBeCloseTo(2, 0)
  })

  test('[MUST-19] slow start: each round trip twice as much is sent, from the initial window on', () => {
    const { client, server, sim } = pair({
      profile,
      settings: {
        hystart: false,
        sendBuffer: [4096, 2_000_000, 4_000_000],
        receiveBuffer: [4096, 2_000_000, 4_000_000],
      },
      // segments arrive one by one, so that every second one is acknowledged
      network: { latency: 50, rate: '100Mbit' },
    })
    client.send(new Uint8Array(1_000_000))
    for (let i = 0; i < 35; i++) {
      sim.advance(10)
      while (typeof server.receive() !== 'string');
    }
    // what is sent without a pause is one flight
    const flights: number[] = []
    for (const [i, { at, textLength }] of client.sent.entries()) {
      if (i === 0 || at - client.sent[i - 1]!.at > 40) flights.push(0)
      flights[flights.length - 1]! += Math.ceil(textLength / 1448)
    }
    expect(flights.length).toBeGreaterThanOrEqual(4)
    expect(flights[0]).toBe(10)
    for (let i = 1; i < flights.length; i++) {
      expect(flights[i]! / flights[i - 1]!).toBeGreaterThan(1.6)
      expect(flights[i]! / flights[i - 1]!).toBeLessThan(2.2)
    }
  })

  test('[MUST-19] after a loss slow start ends at half of what was in flight, or at 7/10 with CUBIC', () => {
    const { client, server, sim } = pair({
      profile,
      network: { latency: 50 },
      settings: { sendBuffer: [4096, 2_000_000, 4_000_000], receiveBuffer: [4096, 2_000_000, 4_000_000] },
    })
    client.connection.congestion.cwnd = 40
    const lost = sim.rule(drop({ from: 'client', text: true, nth: 3 }))
    client.send(new Uint8Array(40 * 1448))
    for (let i = 0; i < 100; i++) {
      sim.advance(10)
      server.receive()
    }
    expect(lost.applied).toBe(1)
    const { ssthresh } = client.connection.congestion
    const share = profile === 'rfc9293' ? 0.5 : 0.7
    expect(ssthresh / 40).toBeGreaterThan(share - 0.05)
    expect(ssthresh / 40).toBeLessThan(share + 0.1)
  })
})

test(
  '[MUST-19] after a time-out one segment, then slow start up to half of what was in flight, then one more a round trip',
  drill({ profile: 'rfc9293' })`
   0 ${TICK}sysctl -q net.ipv4.tcp_frto=0${TICK}
${connected()}
  +0 write(3, ..., 60000) = 60000
  +0 > . 1:10001(10000) ack 1
  +1 > . 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 65535
  +0 > . 1001:3001(2000) ack 1
 +.1 < . 1:1(0) ack 3001 win 65535
  +0 > . 3001:7001(4000) ack 1
 +.1 < . 1:1(0) ack 7001 win 65535
  +0 > . 7001:10001(3000) ack 1
  +0 > . 10001:12001(2000) ack 1
 +.1 < . 1:1(0) ack 12001 win 65535
  +0 > . 12001:18001(6000) ack 1
 +.1 < . 1:1(0) ack 18001 win 65535
  +0 > . 18001:25001(7000) ack 1
 +.1 < . 1:1(0) ack 25001 win 65535
  +0 > . 25001:33001(8000) ack 1
`,
)

test('[MAY-18] a program chooses among congestion controls, and each of them carries its text', () => {
  for (const congestionControl of ['reno', 'cubic', 'dctcp']) {
    const { client, server, sim } = pair({ profile: 'linux', program: { congestionControl } })
    expect(client.connection.congestion.name).toBe(congestionControl)
    const lost = sim.rule(drop({ from: 'client', text: true, nth: [5, 20] }))
    let read = 0
    let sent = 0
    for (let i = 0; i < 400; i++) {
      const taken = sent < 200_000 ? client.send(new Uint8Array(Math.min(20_000, 200_000 - sent))) : 0
      if (typeof taken === 'number') sent += taken
      sim.advance(50)
      for (let got = server.receive(); typeof got !== 'string'; got = server.receive()) read += got.length
    }
    expect([read, lost.applied]).toEqual([200_000, 2])
  }
})
