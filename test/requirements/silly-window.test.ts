import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { pair } from '../../src/sim/index.js'
import { connected, everywhere } from './prelude.js'

const MSS = 1448

test(
  '[MUST-38] a window that opens by less than a segment and less than half of what it was is not used at once',
  drill({ profile: 'rfc9293' })`${connected(3000)}
  +0 write(3, ..., 8000) = 8000
  +0 > . 1:1001(1000) ack 1
  +0 > . 1001:2001(1000) ack 1
  +0 > . 2001:3001(1000) ack 1
 +.1 < . 1:1(0) ack 3001 win 300
 +.1 < . 1:1(0) ack 3001 win 600
 +.1 < . 1:1(0) ack 3001 win 900
// a whole segment fits
 +.1 < . 1:1(0) ack 3001 win 1000
  +0 > . 3001:4001(1000) ack 1
`,
)

test(
  '[MUST-38] half of the largest window that the peer ever offered is worth a segment',
  drill({ profile: 'rfc9293' })`${connected(1200)}
  +0 write(3, ..., 8000) = 8000
  +0 > . 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 599
 +.1 < . 1:1(0) ack 1001 win 600
  +0 > . 1001:1601(600) ack 1
`,
)

test(
  '[MUST-38] what does not get better is used at last: the override time-out, a second at most',
  drill({ profile: 'rfc9293' })`${connected(3000)}
  +0 write(3, ..., 8000) = 8000
  +0 > . 1:3001(3000) ack 1
 +.1 < . 1:1(0) ack 3001 win 300
  +1 > P. 3001:3301(300) ack 1
`,
)

describe.each(['rfc9293', 'linux', 'freebsd'] as const)('%s', (profile) => {
  test('[MUST-39] a program that reads octet by octet does not open the window octet by octet', () => {
    const settings = {
      autotuneReceiveBuffer: false,
      autotuneSendBuffer: false,
      timestamps: 1,
      windowScaling: false,
    } as const
    const { client, server, sim } = pair({ profile, settings })
    for (let i = 0; i < 60; i++) {
      client.send(new Uint8Array(5000))
      sim.advance(500)
    }
    server.sent.length = 0
    client.sent.length = 0
    // four segments' worth
    for (let i = 0; i < 4 * MSS; i++) {
      expect((server.receive(1) as Uint8Array).length).toBe(1)
      sim.advance(1)
    }
    // answers to probes aside, an update says at least a segment; each probe is answered with the window as it was
    const windows = server.sent.map(({ window }) => window)
    const steps = windows.filter((window, i) => i > 0 && window !== windows[i - 1])
    expect(steps.length).toBeLessThan(8)
    const small = client.sent.filter(({ textLength }) => textLength > 1 && textLength < MSS / 2)
    expect(small.length).toBeLessThan(3)
  })
})

test(
  '[SHLD-7] Nagle: while text is unacknowledged less than a segment waits, and goes as one with what follows',
  everywhere(`${connected()}
  +0 write(3, ..., 100) = 100
  +0 > P. 1:101(100) ack 1
+.01 write(3, ..., 100) = 100
+.01 write(3, ..., 100) = 100
+.01 write(3, ..., 100) = 100
 +.1 < . 1:1(0) ack 101 win 65535
  +0 > P. 101:401(300) ack 1
`),
)

test(
  '[SHLD-7] Nagle: a full segment does not wait',
  everywhere(`${connected()}
  +0 write(3, ..., 100) = 100
  +0 > P. 1:101(100) ack 1
+.01 write(3, ..., 100) = 100
+.01 write(3, ..., 950) = 950
  +0 > . 101:1101(1000) ack 1
 +.1 < . 1:1(0) ack 1101 win 65535
  +0 > P. 1101:1151(50) ack 1
`),
)

test(
  '[MUST-17] TCP_NODELAY turns it off for one connection',
  everywhere(`${connected()}
  +0 setsockopt(3, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0
  +0 write(3, ..., 100) = 100
  +0 > P. 1:101(100) ack 1
+.01 write(3, ..., 100) = 100
  +0 > P. 101:201(100) ack 1
+.01 write(3, ..., 100) = 100
  +0 > P. 201:301(100) ack 1
// and on again
  +0 setsockopt(3, IPPROTO_TCP, TCP_NODELAY, [0], 4) = 0
+.01 write(3, ..., 100) = 100
 +.1 < . 1:1(0) ack 301 win 65535
  +0 > P. 301:401(100) ack 1
`),
)

test(
  '[MUST-17] what waits when it is turned off goes at once',
  everywhere(`${connected()}
  +0 write(3, ..., 100) = 100
  +0 > P. 1:101(100) ack 1
+.01 write(3, ..., 100) = 100
 +.1 setsockopt(3, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0
  +0 > P. 101:201(100) ack 1
`),
)
