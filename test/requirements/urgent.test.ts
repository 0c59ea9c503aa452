import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { pair } from '../../src/sim/index.js'
import { now, connected as twoConnected } from '../../src/socket/two-programs.test-fixture.js'
import { atMark, PROFILE_NAMES, Ready, receive, SendFlag, setOptions, status } from '../../src/tcp/index.js'
import { URG } from '../../src/wire/index.js'
import { connected, everywhere } from './prelude.js'

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test('[MUST-30] [MUST-32] urgent text is announced while text before it still waits for the window', () => {
    const settings = { autotuneReceiveBuffer: false, autotuneSendBuffer: false } as const
    const { client, server, sim } = pair({ profile, settings })
    // the peer reads nothing: the window is closed
    while (client.send(new Uint8Array(20_000)) !== 'EAGAIN') sim.advance(500)
    sim.advance('10s')
    setOptions(client.connection, { sendBuffer: 1_000_000 }, sim.now)
    server.told = 0
    expect(client.send('!', SendFlag.Urgent)).toBe(1)
    sim.advance('2m')
    expect(server.told & Ready.Urgent).not.toBe(0)
    expect(status(server.connection).urgent).toBe(true)
  })

  test('[MUST-31] [MUST-33] urgent text of 100 000 octets: reading stops at its end, and the program sees where', () => {
    const { client, server, sim } = pair({ profile })
    setOptions(server.connection, { oobInline: true }, sim.now)
    let sent = 0
    const all = new Uint8Array(100_000).map((_, i) => i * 7)
    while (sent < all.length) {
      const taken = client.send(all.subarray(sent), SendFlag.Urgent)
      if (typeof taken === 'number') sent += taken
      sim.advance(200)
    }
    client.send('and the rest')
    sim.advance('1s')
    expect(server.told & Ready.Urgent).not.toBe(0)
    const read: number[] = []
    const target = new Uint8Array(200_000)
    while (!atMark(server.connection)) {
      expect(status(server.connection).urgent).toBe(true)
      const n = receive(server.connection, target, 0, sim.now)
      if (typeof n === 'number') read.push(...target.subarray(0, n))
      sim.advance(100)
    }
    // the mark is before the last urgent octet, as systems have it
    expect(read).toEqual([...all.subarray(0, 99_999)])
    expect(receive(server.connection, target, 0, sim.now)).toBe(13)
    expect(status(server.connection).urgent).toBe(false)
  })

  test('[MUST-33] a program asks how much it has to read up to the mark', () => {
    const { server, client, s, c, net } = twoConnected(profile)
    server.calls.setsockopt(s, 'SOL_SOCKET', 'SO_OOBINLINE', 1)
    now(client.calls.send(c, new Uint8Array(1000)))
    now(client.calls.send(c, Uint8Array.of(1, 2, 3), client.n.MSG_OOB!))
    now(client.calls.send(c, new Uint8Array(500)))
    net.advance('1s')
    expect(server.calls.ioctl(s, 'SIOCATMARK').value).toBe(0)
    expect(now(server.calls.recv(s, new Uint8Array(5000))).result).toBe(1002)
    expect(server.calls.ioctl(s, 'SIOCATMARK').value).toBe(1)
    const rest = new Uint8Array(5000)
    expect(now(server.calls.recv(s, rest)).result).toBe(501)
    expect(rest[0]).toBe(3)
  })

  test('without urgent text no segment has URG, and nobody is told', () => {
    const { client, server, sim } = pair({ profile })
    client.send(new Uint8Array(20_000))
    sim.advance('5s')
    expect(client.sent.some(({ flags }) => flags & URG)).toBe(false)
    expect(server.told & Ready.Urgent).toBe(0)
  })
})

test(
  '[MUST-62] [MUST-30] the urgent pointer is to the octet after the urgent text',
  everywhere(`${connected()}
  +0 send(3, ..., 5, MSG_OOB) = 5
  +0 > PU. 1:6(5) ack 1 urg 5
 +.1 < . 1:1(0) ack 6 win 65535
// text that follows is not urgent
  +0 write(3, ..., 100) = 100
  +0 > P. 6:106(100) ack 1
`),
)

test(
  '[MUST-62] text before the urgent is in the count',
  drill({ profile: 'rfc9293' })`${connected()}
  +0 write(3, ..., 100) = 100
  +0 > P. 1:101(100) ack 1
  +0 write(3, ..., 50) = 50
// urgent text does not wait for the ACK, nor what stands before it
 +.1 send(3, ..., 5, MSG_OOB) = 5
  +0 > PU. 101:156(55) ack 1 urg 55
`,
)

test('[MUST-32] each advance of the pointer is told anew', () => {
  const { client, server, sim } = pair({ profile: 'rfc9293' })
  for (let i = 0; i < 3; i++) {
    server.told = 0
    client.send('!', SendFlag.Urgent)
    sim.advance('1s')
    expect(server.told & Ready.Urgent).not.toBe(0)
  }
})
