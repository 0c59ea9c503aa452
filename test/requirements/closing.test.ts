import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { pair } from '../../src/sim/index.js'
import { PROFILE_NAMES, profile, Ready } from '../../src/tcp/index.js'
import { accepted, connected, everywhere } from './prelude.js'

describe.each(PROFILE_NAMES)('%s', (name) => {
  test('[MUST-12] the program learns whether the peer closed or aborted', () => {
    const closed = pair({ profile: name })
    closed.server.close()
    closed.sim.advance('1s')
    expect(closed.client.told & Ready.PeerClosed).not.toBe(0)
    expect((closed.client.receive() as Uint8Array).length).toBe(0)
    expect(closed.client.error).toBeNull()
    const aborted = pair({ profile: name })
    aborted.server.abort()
    aborted.sim.advance('1s')
    expect(aborted.client.told & Ready.Error).not.toBe(0)
    expect(aborted.client.receive()).toBe('ECONNRESET')
  })

  test('[MUST-13] who closes first stays in TIME-WAIT for twice the MSL, and no longer', () => {
    const { client, server, sim } = pair({ profile: name })
    const { msl } = profile(name)
    client.close()
    sim.advance(100)
    server.close()
    sim.advance(100)
    expect([client.state, server.state]).toEqual(['TIME-WAIT', 'CLOSED'])
    sim.advance(2 * msl - 300)
    expect(client.state).toBe('TIME-WAIT')
    sim.advance(300)
    expect(client.state).toBe('CLOSED')
  })

  test('[MAY-1] after CLOSE nothing can be read any more', () => {
    const { client, server, sim } = pair({ profile: name })
    client.close()
    sim.advance(100)
    server.send('too late')
    sim.advance(100)
    // the text is lost, and who sent it is told so
    expect(server.error).toBe(name === 'linux' ? 'EPIPE' : 'ECONNRESET')
    const read = client.receive()
    expect(typeof read === 'string' ? '' : read).toHaveLength(0)
    expect([client.state, server.state]).toEqual(['CLOSED', 'CLOSED'])
  })

  test('after a half-close everything can be read', () => {
    const { client, server, sim } = pair({ profile: name })
    client.shutdown()
    sim.advance(100)
    server.send('not too late')
    sim.advance(500)
    expect(Buffer.from(client.receive() as Uint8Array).toString()).toBe('not too late')
    expect(server.error).toBeNull()
  })
})

test('the MSL of RFC 9293 is two minutes', () => {
  expect(profile('rfc9293').msl).toBe(120_000)
})

// FreeBSD sends FIN
test(
  '[SHLD-3] CLOSE with text that was not read sends RST',
  everywhere(
    `${connected()}
  +0 < P. 1:1001(1000) ack 1 win 65535
   * > . 1:1(0) ack 1001
  +1 close(3) = 0
  +0 > R. 1:1(0) ack 1001
`,
    ['rfc9293', 'linux'],
  ),
)

test(
  '[SHLD-3] text that arrives after CLOSE is answered with RST',
  everywhere(`${connected()}
 +.1 close(3) = 0
  +0 > F. 1:1(0) ack 1
 +.1 < P. 1:1001(1000) ack 2 win 65535
  +0 > R 2:2(0)
`),
)

test(
  'CLOSE when everything was read sends FIN, and no RST',
  everywhere(`${connected()}
  +0 < P. 1:1001(1000) ack 1 win 65535
   * > . 1:1(0) ack 1001
  +1 read(3, ..., 2000) = 1000
  +0 close(3) = 0
  +0 > F. 1:1(0) ack 1001
 +.1 < F. 1001:1001(0) ack 2 win 65535
  +0 > . 2:2(0) ack 1002
`),
)

test(
  '[SHLD-2] a RST may carry text, and is one nevertheless',
  everywhere(`${connected()}
 +.1 < R. 1:101(100) ack 1 win 65535
 +.1 read(3, ..., 1000) = -1 ECONNRESET (Connection reset by peer)
`),
)

test('[MAY-2] a SYN beyond what was received reopens a connection from TIME-WAIT, with an ISN beyond what was sent', () => {
  // the peer comes back from the same port; its sequence numbers begin anew, higher
  drill({ profile: 'rfc9293' })`${accepted()}
 +.1 close(4) = 0
  +0 > F. 1:1(0) ack 1
 +.1 < F. 1:1(0) ack 2 win 65535
  +0 > . 2:2(0) ack 2
  +1 < S 100000:100000(0) win 65535 <mss 1000>
  +0 > S. 65539:65539(0) ack 100001 <...>
 +.1 < . 100001:100001(0) ack 65540 win 65535
  +0 < P. 100001:100101(100) ack 65540 win 65535
   * > . 65540:65540(0) ack 100101
`()
})

test(
  '[MAY-2] a SYN from before, an old duplicate, is acknowledged and changes nothing',
  drill({ profile: 'rfc9293' })`${accepted()}
  +0 < P. 1:1001(1000) ack 1 win 65535
   * > . 1:1(0) ack 1001
  +0 read(4, ..., 1000) = 1000
 +.1 close(4) = 0
  +0 > F. 1:1(0) ack 1001
 +.1 < F. 1001:1001(0) ack 2 win 65535
  +0 > . 2:2(0) ack 1002
  +1 < S 500:500(0) win 65535 <mss 1000>
  +0 > . 2:2(0) ack 1002
`,
)

const ended = `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 100 ecr 0>
  +0 > S. 0:0(0) ack 1 <...>
 +.1 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 200 ecr 1!>
  +0 accept(3, ..., ...) = 4
  +0 < P. 1:1001(1000) ack 1 win 65535 <nop,nop,TS val 200 ecr 1!>
   * > . 1:1(0) ack 1001 <...>
  +1 read(4, ..., 1000) = 1000
  +0 close(4) = 0
  +0 > F. 1:1(0) ack 1001 <...>
 +.1 < F. 1001:1001(0) ack 2 win 65535 <nop,nop,TS val 1300 ecr 1!>
  +0 > . 2:2(0) ack 1002 <...>
`

test(
  '[SHLD-4] with timestamps a SYN ends TIME-WAIT though its sequence number is an old one [RFC 6191]',
  drill({ profile: 'rfc9293' })`${ended}
  +1 < S 100:100(0) win 65535 <mss 1000,sackOK,TS val 2300 ecr 0>
  +0 > S. 65539:65539(0) ack 101 <...>
`,
)

test(
  '[SHLD-4] unless its timestamp is old too',
  drill({ profile: 'rfc9293' })`${ended}
  +1 < S 100:100(0) win 65535 <mss 1000,sackOK,TS val 1250 ecr 0>
  +0 > . 2:2(0) ack 1002 <...>
`,
)
