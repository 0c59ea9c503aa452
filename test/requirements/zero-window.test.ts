import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { drop, type Pair, pair } from '../../src/sim/index.js'
import { PROFILE_NAMES, Ready } from '../../src/tcp/index.js'
import { ACK, URG } from '../../src/wire/index.js'
import { tcpFrame } from '../fixtures/test-host.js'
import { accepted, connected, everywhere } from './prelude.js'

/** The server's program reads nothing; the client sends until neither buffer takes any more. */
function fill({ client, sim }: Pair): number {
  let sent = 0
  // until nothing was taken, and nothing sent but probes, for two minutes
  for (let idle = 0; idle < 130; idle++) {
    const taken = client.send(new Uint8Array(10_000))
    if (typeof taken === 'number') {
      sent += taken
      idle = 0
    }
    sim.advance(1000)
  }
  return sent
}

/** Reads all there is, for some time. */
function drain({ server, sim }: Pair): number {
  let read = 0
  // the longest wait is for a probe
  for (let idle = 0; idle < 150; idle++) {
    const got = server.receive()
    if (typeof got !== 'string') {
      read += got.length
      idle = 0
    }
    sim.advance(1000)
  }
  return read
}

const SMALL = { autotuneReceiveBuffer: false, autotuneSendBuffer: false } as const

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-36] [MUST-37] [MAY-8] a window closed for hours is probed, and the connection stays open', () => {
    const both = pair({ profile, settings: SMALL })
    const sent = fill(both)
    const { client, server, sim } = both
    expect(server.sent.at(-1)!.window).toBe(0)
    client.sent.length = 0
    sim.advance('10h')
    expect([client.state, server.state]).toEqual(['ESTABLISHED', 'ESTABLISHED'])
    // about once in the longest interval
    expect(client.sent.length).toBeGreaterThan(10 * 20)
    expect(drain(both)).toBe(sent)
  })

  test('[MUST-36] a lost window update is no deadlock: the next probe brings the news', () => {
    const both = pair({ profile, settings: SMALL })
    const sent = fill(both)
    const { server, sim } = both
    const update = sim.rule(drop({ from: 'server', times: 1 }))
    let read = 0
    for (let got = server.receive(); typeof got !== 'string'; got = server.receive()) read += got.length
    expect(update.applied).toBe(1)
    expect(read + drain(both)).toBe(sent)
  })

  test('probes that nobody answers end the connection, or the program does', () => {
    const both = pair({ profile, settings: { ...SMALL, persistRetries: 5 } })
    fill(both)
    const { client, sim } = both
    sim.partition(['server'])
    sim.advance('1h')
    expect([client.state, client.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })

  test('[SHLD-29] [SHLD-30] the first probe comes after an RTO, the following in intervals that double', () => {
    const both = pair({ profile, settings: SMALL })
    fill(both)
    const { client, server, sim } = both
    // all is read: the window opens, closes again, and nothing is on its way
    drain(both)
    fill(both)
    client.sent.length = 0
    // probes are answered but the window remains closed; another round from the beginning
    const begun = server.sent.findLast((s) => s.window === 0)!.at
    expect(begun).toBeLessThan(sim.now)
    sim.advance('30m')
    const at = client.sent.map((s) => s.at)
    const intervals = at.slice(1).map((time, i) => time - at[i]!)
    const growing = intervals.findIndex((interval) => interval > 50_000)
    for (let i = 1; i < growing; i++) expect(intervals[i]! / intervals[i - 1]!).toBeGreaterThan(1.5)
    for (const interval of intervals) expect(interval).toBeLessThan(150_000)
  })
})

test(
  '[SHLD-29] [SHLD-30] probes after one RTO, and twice, four times, eight times as long',
  drill({ profile: 'rfc9293' })`${connected(2000)}
  +0 write(3, ..., 4001) = 4001
  +0 > . 1:2001(2000) ack 1
 +.1 < . 1:1(0) ack 2001 win 0
// each is the next octet of the text
  +1 > P. 2001:2002(1) ack 1
  +0 < . 1:1(0) ack 2001 win 0
  +2 > P. 2001:2002(1) ack 1
  +0 < . 1:1(0) ack 2001 win 0
  +4 > P. 2001:2002(1) ack 1
  +0 < . 1:1(0) ack 2001 win 0
  +8 > P. 2001:2002(1) ack 1
// this one is taken: there is room
  +0 < . 1:1(0) ack 2002 win 4000
  +0 > P. 2002:4002(2000) ack 1
`,
)

test(
  '[MUST-36] nothing but probes is sent into a closed window',
  everywhere(
    `${connected(2000)}
  +0 write(3, ..., 4000) = 4000
  +0 > . 1:2001(2000) ack 1
 +.1 < . 1:1(0) ack 2001 win 0
 +.1 write(3, ..., 1000) = 1000
 +.05 < . 1:1(0) ack 2001 win 5000
  +0 > P. 2001:5001(3000) ack 1
`,
    ['rfc9293'],
  ),
)

describe('a window that shrinks', () => {
  test(
    '[MUST-34] [SHLD-15] no new text is sent while the usable window is negative',
    drill({ profile: 'rfc9293' })`${connected(4000)}
  +0 write(3, ..., 3000) = 3000
  +0 > . 1:1001(1000) ack 1
  +0 > . 1001:2001(1000) ack 1
  +0 > P. 2001:3001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 1000
 +.1 write(3, ..., 500) = 500
// the rest is acknowledged all the same, and the window opens again
 +.1 < . 1:1(0) ack 3001 win 4000
  +0 > P. 3001:3501(500) ack 1
`,
  )

  test(
    '[SHLD-16] what lies within it is sent again as usual',
    drill({ profile: 'rfc9293' })`${connected(4000)}
  +0 write(3, ..., 3000) = 3000
  +0 > . 1:1001(1000) ack 1
  +0 > . 1001:2001(1000) ack 1
  +0 > P. 2001:3001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 1000
  +1 > . 1001:2001(1000) ack 1
 +.1 < . 1:1(0) ack 2001 win 1000
`,
  )

  test('[SHLD-17] text beyond it that is not acknowledged does not time out, as long as the peer answers', () => {
    drill({ profile: 'rfc9293' })`${connected(4000)}
  +0 write(3, ..., 2000) = 2000
  +0 > . 1:1001(1000) ack 1
  +0 > P. 1001:2001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 1001 win 0
   * > P. 1001:2001(1000) ack 1
  +0 < . 1:1(0) ack 2001 win 4000
  +1 write(3, ..., 500) = 500
  +0 > P. 2001:2501(500) ack 1
`()
  })

  test(
    '[MUST-35] [MAY-7] shrunk to zero it is probed with the oldest text',
    everywhere(
      `${connected(4000)}
  +0 write(3, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1 win 0
   * > P. 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 4000
  +0 write(3, ..., 500) = 500
  +0 > P. 1001:1501(500) ack 1
`,
      ['rfc9293', 'linux'],
    ),
  )
})

describe('[MUST-66] while our window is zero', () => {
  // 4 has a buffer for 4000 octets, which are there and not read
  const closed = `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [4000], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < S 0:0(0) win 65535 <mss 1000>
  +0 > S. 0:0(0) ack 1 win 4000 <...>
 +.1 < . 1:1(0) ack 1 win 65535
  +0 accept(3, ..., ...) = 4
  +0 < . 1:1001(1000) ack 1 win 65535
  +0 < . 1001:2001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 2001 win 2000
  +0 < . 2001:3001(1000) ack 1 win 65535
  +0 < . 3001:4001(1000) ack 1 win 65535
  +0 > . 1:1(0) ack 4001 win 0
`
  test(
    'RST is processed',
    drill({ profile: 'rfc9293' })`${closed}
 +.1 < R. 4001:4001(0) ack 1 win 65535
  +0 write(4, ..., 1000) = -1 ECONNRESET (Connection reset by peer)
`,
  )
  test(
    'ACKs are processed, those of segments whose text is not taken too',
    drill({ profile: 'rfc9293' })`${closed}
 +.1 write(4, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 4001 win 0
 +.1 < P. 4001:4101(100) ack 1001 win 65535
  +0 > . 1001:1001(0) ack 4001 win 0
 +.1 write(4, ..., 1000) = 1000
  +0 > P. 1001:2001(1000) ack 4001 win 0
`,
  )
  test('URG is processed: the program is told though the text does not fit', () => {
    for (const profile of ['rfc9293', 'freebsd'] as const) {
      const both = pair({ profile, settings: { ...SMALL, timestamps: 0 } })
      fill(both)
      const { server, sim } = both
      const { rcv, snd, local, localPort, remote, remotePort } = server.connection
      expect(server.sent.at(-1)!.window).toBe(0)
      server.told = 0
      const urgent = tcpFrame({
        from: `${remote}`,
        fromPort: remotePort,
        to: `${local}`,
        toPort: localPort,
        flags: ACK | URG,
        seq: rcv.nxt,
        ack: snd.nxt,
        text: Uint8Array.of(1),
        urgentPointer: 1,
      })
      server.host.receiveFrame(server.host.interfaces[1]!, urgent, sim.now)
      expect(server.told & Ready.Urgent).not.toBe(0)
    }
  })
})

test(
  'a window is taken from a segment of an acceptable connection in any profile',
  everywhere(`${accepted(0)}
  +0 write(4, ..., 1000) = 1000
 +.1 < . 1:1(0) ack 1 win 65535
  +0 > P. 1:1001(1000) ack 1
`),
)
