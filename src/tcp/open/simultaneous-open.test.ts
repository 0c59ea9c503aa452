import { describe, expect, test } from 'vitest'
import { createNetwork } from '../../sim/index.js'
import { parseIpAddress } from '../../wire/index.js'
import { close, openActive, receive, send } from '../calls.js'
import { stateName } from '../states/state-name.js'
import { Exchange, octets } from '../testing/exchange.js'

/** Up to SYN-RECEIVED. */
function crossed(profile: 'rfc9293' | 'linux' | 'freebsd' = 'rfc9293', text = 0, flags = 'S') {
  const host = new Exchange(profile)
  const c = host.open()
  host.take()
  host.arrives(flags, { mss: 1460, length: text })
  return { host, c }
}

describe('SYNs that cross [MUST-10]', () => {
  test('the SYN is answered with SYN,ACK; the ACK of it opens the connection', () => {
    const { host } = crossed()
    expect(host.take()).toEqual(['S. 0:0(0) ack 1 win 65535 <mss 1460>'])
    host.arrives('.', { seq: 1, ack: 1 })
    expect(host.history).toEqual(['SYN-SENT (active OPEN)', 'SYN-RECEIVED (rcv SYN)', 'ESTABLISHED (rcv ACK of SYN)'])
    expect(host.take()).toEqual([])
  })

  test("so does the peer's SYN,ACK, which crosses ours", () => {
    const { host } = crossed()
    host.take()
    host.arrives('S.', { seq: 0, ack: 1 })
    expect(host.state()).toBe('ESTABLISHED')
  })

  test('the SYN,ACK is sent again when it is lost, at last the connection fails', () => {
    const { host, c } = crossed()
    host.take()
    host.advance(3500)
    expect(host.take()).toHaveLength(2)
    host.arrives('S', {})
    expect(host.take()).toEqual(['S. 0:0(0) ack 1 win 65535 <mss 1460>'])
    host.advance(400_000)
    expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: retransmission)'])
  })

  test('[MUST-11] RST: an active OPEN does not return to LISTEN, its program is told', () => {
    const { host, c } = crossed()
    host.arrives('R', { seq: 1 })
    expect([c.error, host.history.at(-1)]).toEqual(['ECONNREFUSED', 'CLOSED (rcv RST)'])
    const linux = crossed('linux')
    linux.host.arrives('R', { seq: 1 })
    expect(linux.c.error).toBe('ECONNRESET')
  })

  test('an ACK of something not sent is answered with RST', () => {
    const { host } = crossed()
    host.take()
    host.arrives('.', { seq: 1, ack: 2 })
    expect([host.take(), host.state()]).toEqual([['R 2:2(0) win 0'], 'SYN-RECEIVED'])
  })

  test('another SYN in the window: a challenge ACK, or RST after the rules of RFC 793', () => {
    const { host } = crossed()
    host.take()
    host.arrives('S', { seq: 100 })
    expect([host.take(), host.state()]).toEqual([['. 1:1(0) ack 1 win 65535'], 'SYN-RECEIVED'])
    host.settings.insecureSyn = true
    host.arrives('S', { seq: 100 })
    expect([host.take(), host.history.at(-1)]).toEqual([['R. 1:1(0) ack 1 win 0'], 'CLOSED (rcv SYN)'])
  })

  test('text and FIN of the SYN wait until the connection is open', () => {
    const { host, c } = crossed('rfc9293', 3, 'SF')
    host.take()
    const target = new Uint8Array(10)
    expect(receive(c, target, 0, host.now)).toBe('EAGAIN')
    host.arrives('.', { seq: 5, ack: 1 })
    expect([host.state(), receive(c, target, 0, host.now)]).toEqual(['CLOSE-WAIT', 3])
    expect(receive(c, target, 0, host.now)).toBe(0)
  })

  test('FreeBSD keeps the text only, Linux neither', () => {
    for (const [profile, kept] of [
      ['freebsd', 3],
      ['linux', 'EAGAIN'],
    ] as const) {
      const { host, c } = crossed(profile, 3)
      host.arrives('.', { seq: 1, ack: 1 })
      expect([host.state(), receive(c, new Uint8Array(10), 0, host.now)]).toEqual(['ESTABLISHED', kept])
    }
  })

  test('Linux tells with the ACK of a crossing SYN,ACK that text of the SYN was not taken', () => {
    const { host } = crossed('linux', 3)
    host.take()
    host.arrives('S.', { seq: 0, ack: 1 })
    expect(host.take()).toEqual([expect.stringMatching(/^\. 1:1\(0\) ack 1 /)])
  })

  test('CLOSE in SYN-RECEIVED: FIN-WAIT-1; FreeBSD forgets it', () => {
    const { host, c } = crossed()
    host.take()
    close(c, host.now)
    expect(host.history.at(-1)).toBe('FIN-WAIT-1 (CLOSE)')
    expect(host.take()).toEqual([])
    host.arrives('.', { seq: 1, ack: 1 })
    expect(host.take()).toEqual(['F. 1:1(0) ack 1 win 65535'])
    const bsd = crossed('freebsd')
    close(bsd.c, bsd.host.now)
    expect(bsd.host.history.at(-1)).toBe('CLOSED (CLOSE)')
  })

  test('SEND in SYN-RECEIVED is queued', () => {
    const { host, c } = crossed()
    host.take()
    expect(send(c, octets(7), 0, host.now)).toBe(7)
    expect(host.take()).toEqual([])
    host.arrives('.', { seq: 1, ack: 1 })
    expect(host.take()).toEqual(['P. 1:8(7) ack 1 win 65535'])
  })
})

test('a connection to itself: its own SYN crosses it [RFC 9293 3.5]', () => {
  const net = createNetwork({ seed: 1 })
  const host = net.host('alone', { profile: 'rfc9293' })
  const local = parseIpAddress('127.0.0.1')
  const user = { notify() {} }
  const c = openActive(host, { local, localPort: 4000, remote: local, remotePort: 4000, user }, net.now)
  net.runUntilIdle('1s')
  expect(stateName(c.state)).toBe('ESTABLISHED')
  send(c, octets(100), 0, net.now)
  net.runUntilIdle('1s')
  expect(receive(c, new Uint8Array(200), 0, net.now)).toBe(100)
  close(c, net.now)
  net.runUntilIdle('10m')
  expect([...host.connections]).toEqual([])
})
