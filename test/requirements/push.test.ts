import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { pair } from '../../src/sim/index.js'
import { PROFILE_NAMES } from '../../src/tcp/index.js'
import { PSH } from '../../src/wire/index.js'
import { connected, everywhere } from './prelude.js'

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-60] text never waits for ever: what a program wrote is sent though it writes no more', () => {
    for (const octets of [1, 100, 1447, 1448, 1449, 5000, 30_001]) {
      const { client, server, sim } = pair({ profile })
      client.send(new Uint8Array(octets))
      let read = 0
      for (let i = 0; i < 20; i++) {
        sim.advance(100)
        const got = server.receive()
        if (typeof got !== 'string') read += got.length
      }
      expect(read).toBe(octets)
    }
  })

  test('[MUST-61] the last segment of what is buffered has PSH', () => {
    for (const octets of [1, 1448, 5000, 30_001]) {
      const { client, server, sim } = pair({ profile })
      client.send(new Uint8Array(octets))
      for (let i = 0; i < 20; i++) {
        sim.advance(100)
        server.receive()
      }
      const text = client.sent.filter(({ textLength }) => textLength > 0)
      expect(text.at(-1)!.flags & PSH).toBe(PSH)
      expect(text.at(-1)!.seq + text.at(-1)!.textLength).toBe(octets + 1)
    }
  })

  test('[SHLD-27] [SHLD-28] what small writes left in the buffer goes in segments as large as can be', () => {
    const { client, sim } = pair({ profile, settings: { timestamps: 0 } })
    // the first goes at once, the others wait for its ACK
    for (let i = 0; i < 51; i++) client.send(new Uint8Array(200))
    sim.advance('2s')
    const text = client.sent.filter(({ textLength }) => textLength > 0)
    const lengths = text.map(({ textLength }) => textLength)
    expect(lengths.reduce((a, b) => a + b)).toBe(51 * 200)
    expect(text.length).toBeLessThanOrEqual(2 + Math.ceil((50 * 200) / 1460))
    expect(lengths.slice(1, -1).every((length) => length % 1460 === 0)).toBe(true)
  })
})

test(
  '[MUST-61] PSH stands on the last segment, and not on those before',
  drill({ profile: 'rfc9293' })`${connected()}
  +0 write(3, ..., 3000) = 3000
  +0 > . 1:1001(1000) ack 1
  +0 > . 1001:2001(1000) ack 1
  +0 > P. 2001:3001(1000) ack 1
 +.1 < . 1:1(0) ack 3001 win 65535
`,
)

test(
  '[MAY-15] [MAY-16] text that is not pushed (MSG_MORE) waits for what follows and goes with it',
  drill`${connected()}
  +0 send(3, ..., 100, MSG_MORE) = 100
+.05 send(3, ..., 100, MSG_MORE) = 100
+.05 send(3, ..., 100, 0) = 100
  +0 > P. 1:301(300) ack 1
 +.1 < . 1:1(0) ack 301 win 65535
`,
)

test(
  '[MUST-60] and not for ever: it is sent when nothing follows',
  drill`${connected()}
  +0 send(3, ..., 100, MSG_MORE) = 100
 * > P. 1:101(100) ack 1
 +.1 < . 1:1(0) ack 101 win 65535
`,
)

test(
  'corked text waits for a full segment, and is sent when uncorked',
  everywhere(
    `${connected()}
  +0 setsockopt(3, IPPROTO_TCP, TCP_CORK, [1], 4) = 0
  +0 write(3, ..., 400) = 400
+.01 write(3, ..., 400) = 400
+.01 write(3, ..., 400) = 400
  +0 > . 1:1001(1000) ack 1
 +.1 setsockopt(3, IPPROTO_TCP, TCP_CORK, [0], 4) = 0
  +0 > P. 1001:1201(200) ack 1
`,
    ['linux'],
  ),
)
