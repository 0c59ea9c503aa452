import { expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { pair } from '../../src/sim/index.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import { ACK } from '../../src/wire/index.js'
import { accepted, connected, everywhere } from './prelude.js'

test(
  '[SHLD-31] [MAY-13] text out of order is kept, and acknowledged at once with what is missing',
  everywhere(`${connected()}
 +.1 < . 1001:2001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 1
 +.1 < . 2001:3001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 1
 +.1 < . 1:1001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 3001
  +0 read(3, ..., 5000) = 3000
`),
)

test('[MUST-40] [SHLD-18] the ACK of one segment waits, but not for half a second', () => {
  for (const profile of PROFILE_NAMES) {
    const { client, server, sim } = pair({ profile, settings: { quickAcks: 0 } })
    for (let i = 0; i < 5; i++) {
      server.sent.length = 0
      client.send('x')
      const sentAt = sim.now
      sim.advance(400)
      sim.advance(1000)
      const [first] = server.sent
      // 10 ms is the way there
      expect(first!.flags & ACK).toBe(ACK)
      const delay = first!.at - sentAt - 10
      expect(delay).toBeLessThan(500)
      if (i > 2) expect(delay).toBeGreaterThan(0)
    }
  }
})

test('[MUST-58] [SHLD-19] a stream is acknowledged at least every second segment, and by fewer ACKs than it has segments', () => {
  for (const profile of PROFILE_NAMES) {
    const { client, server, sim } = pair({ profile, settings: { timestamps: 0, initialWindow: 10, quickAcks: 0 } })
    let sent = 0
    let read = 0
    for (let i = 0; i < 600; i++) {
      const taken = sent < 500_000 ? client.send(new Uint8Array(10_000)) : 0
      if (typeof taken === 'number') sent += taken
      sim.advance(5)
      for (let got = server.receive(); typeof got !== 'string'; got = server.receive()) read += got.length
    }
    const segments = read / 1460
    const acks = server.sent.filter((s, i) => i === 0 || s.ack !== server.sent[i - 1]!.ack)
    expect(acks.length).toBeLessThan(segments * 0.75)
    for (const [i, { ack }] of acks.entries()) {
      // what arrives in one batch is acknowledged in one go (MUST-59)
      if (i > 0) expect(ack - acks[i - 1]!.ack).toBeGreaterThan(0)
    }
    expect(read).toBe(sent)
  }
})

test(
  '[SHLD-19] every second full segment is acknowledged at once',
  everywhere(
    `${accepted()}
  +0 < . 1:1001(1000) ack 1 win 65535
  +0 < . 1001:2001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 2001
+.01 < . 2001:3001(1000) ack 1 win 65535
+.01 < . 3001:4001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 4001
`,
    ['rfc9293', 'freebsd'],
  ),
)

test(
  '[MAY-12] text with an ACK of what was never sent, or was acknowledged long ago, is not taken [RFC 5961 5]',
  everywhere(
    `${connected()}
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 65535
  +1 < P. 1:101(100) ack 9001 win 65535
  +0 > . 1001:1001(0) ack 1
  +1 < P. 1:101(100) ack 4294867297 win 65535
  +0 > . 1001:1001(0) ack 1
  +1 recv(3, ..., 1000, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)
// what has the right one is
  +0 < P. 1:101(100) ack 1001 win 65535
  +1 recv(3, ..., 1000, MSG_DONTWAIT) = 100
`,
    ['rfc9293'],
  ),
)

test(
  '[SHLD-8] ECN is agreed to when asked for, and congestion experienced is echoed until CWR [RFC 3168]',
  drill({ profile: 'rfc9293' })`
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < SEW 0:0(0) win 65535 <mss 1000>
  +0 > SE. 0:0(0) ack 1 <...>
 +.1 < . 1:1(0) ack 1 win 65535
  +0 accept(3, ..., ...) = 4
 +.1 < [ect0] . 1:1001(1000) ack 1 win 65535
  +0 < [ect0] . 1001:2001(1000) ack 1 win 65535
  +0 > [noecn] . 1:1(0) ack 2001
 +.1 < [ce] . 2001:3001(1000) ack 1 win 65535
  +0 > [noecn] E. 1:1(0) ack 3001
 +.1 < [ect0] . 3001:4001(1000) ack 1 win 65535
  +0 < [ect0] . 4001:5001(1000) ack 1 win 65535
  +0 > [noecn] E. 1:1(0) ack 5001
 +.1 < [ect0] W. 5001:6001(1000) ack 1 win 65535
   * > [noecn] . 1:1(0) ack 6001
`,
)

test(
  '[SHLD-8] text is sent as ECN-capable, and an echo is answered with CWR and half the window [RFC 3168]',
  drill({ profile: 'rfc9293' })`
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < SEW 0:0(0) win 65535 <mss 1000>
  +0 > [noecn] SE. 0:0(0) ack 1 <...>
 +.1 < . 1:1(0) ack 1 win 65535
  +0 accept(3, ..., ...) = 4
  +0 write(4, ..., 30000) = 30000
  +0 > [ect0] . 1:10001(10000) ack 1
 +.1 < E. 1:1(0) ack 10001 win 65535
  +0 > [ect0] W. 10001:11001(1000) ack 1
  +0 > [ect0] . 11001:15001(4000) ack 1
 +.1 < . 1:1(0) ack 15001 win 65535
  +0 > [ect0] . 15001:20001(5000) ack 1
 +.1 < . 1:1(0) ack 20001 win 65535
  +0 > [ect0] . 20001:26001(6000) ack 1
`,
)

test(
  '[SHLD-8] who does not ask for ECN does not get it',
  everywhere(`${accepted()}
  +0 write(4, ..., 1000) = 1000
  +0 > [noecn] P. 1:1001(1000) ack 1
 +.1 < [ce] . 1:1001(1000) ack 1001 win 65535
   * > [noecn] . 1001:1001(0) ack 1001
`),
)
