import { describe, expect, test } from 'vitest'
import { ANY_IPV4 } from '../../wire/index.js'
import { close, openActiveFrom, send } from '../calls.js'
import { Exchange, HERE, octets, PEER } from '../testing/exchange.js'

const times = (host: Exchange, until: number): number[] => {
  const at: number[] = []
  let before = 0
  for (let t = 0; t <= until; t += 100) {
    host.advance(100)
    const { length } = host.sent
    for (let i = before; i < length; i++) at.push(host.now / 1000)
    before = length
  }
  return at
}

describe('SYN-SENT', () => {
  test('[MUST-14] a SYN with the MSS, then ESTABLISHED with the third segment', () => {
    const host = new Exchange()
    const c = host.open()
    expect(host.take()).toEqual(['S 0:0(0) win 65535 <mss 1460>'])
    host.arrives('S.', { ack: 1, mss: 1200, window: 5000 })
    expect(host.take()).toEqual(['. 1:1(0) ack 1 win 65535'])
    expect(host.history).toEqual(['SYN-SENT (active OPEN)', 'ESTABLISHED (rcv SYN,ACK)'])
    expect(host.told.has('Established')).toBe(true)
    expect([c.snd.peerMss, c.snd.wnd]).toEqual([1200, 5000])
  })

  test('[MUST-15] without an MSS option the peer takes 536 octets', () => {
    const host = new Exchange()
    const c = host.open()
    host.arrives('S.', { ack: 1 })
    expect(c.snd.mss).toBe(536)
  })

  test.each([0, 2])('an ACK of %i, which is not of the SYN, is answered with RST and changes nothing', (ack) => {
    const host = new Exchange()
    host.open()
    host.take()
    host.arrives('S.', { ack })
    expect(host.take()).toEqual([`R ${ack}:${ack}(0) win 0`])
    host.arrives('.', { ack })
    expect(host.take()).toEqual([`R ${ack}:${ack}(0) win 0`])
    host.arrives('R.', { ack })
    expect(host.take()).toEqual([])
    expect(host.state()).toBe('SYN-SENT')
  })

  test('[MUST-12] RST with an acceptable ACK: connection refused; one without an ACK is ignored', () => {
    const host = new Exchange()
    const c = host.open()
    host.take()
    host.arrives('R', { seq: 0 })
    expect(host.state()).toBe('SYN-SENT')
    host.arrives('R.', { ack: 1 })
    expect(host.take()).toEqual([])
    expect([c.error, host.told.has('Error'), host.state()]).toEqual(['ECONNREFUSED', true, 'CLOSED'])
    expect(host.history.at(-1)).toBe('CLOSED (rcv RST)')
  })

  test('neither SYN nor RST: dropped', () => {
    const host = new Exchange()
    host.open()
    host.take()
    host.arrives('.', { ack: 1 })
    host.arrives('F', {})
    expect([host.take(), host.state()]).toEqual([[], 'SYN-SENT'])
  })

  test('CLOSE: the TCB is deleted and nothing is sent', () => {
    const host = new Exchange()
    const c = host.open()
    host.take()
    close(c, host.now)
    expect([host.take(), host.state(), host.history.at(-1)]).toEqual([[], 'CLOSED', 'CLOSED (CLOSE)'])
  })

  test('text and FIN in a SYN-ACK are processed in ESTABLISHED', () => {
    const host = new Exchange()
    const c = host.open()
    host.take()
    host.arrives('SF.', { ack: 1, length: 3 })
    expect(host.take()).toEqual(['. 1:1(0) ack 5 win 65531'])
    expect([host.state(), c.rcv.queue.octets]).toEqual(['CLOSE-WAIT', 3])
  })

  test('SEND queues text for when the connection is open, and the third segment carries it', () => {
    const host = new Exchange()
    const c = host.open()
    expect(send(c, octets(10), 0, host.now)).toBe(10)
    host.take()
    host.arrives('S.', { ack: 1, mss: 1460 })
    expect(host.take()).toEqual(['P. 1:11(10) ack 1 win 65535'])
  })

  test('Linux takes no text before the connection is open', () => {
    const host = new Exchange('linux')
    expect(send(host.open(), octets(10), 0, host.now)).toBe('EAGAIN')
  })
})

describe('a SYN without an answer', () => {
  test('[MUST-22] [MUST-19] is sent again with the same back-off as text', () => {
    const host = new Exchange()
    host.open()
    host.take()
    expect(times(host, 40_000)).toEqual([1, 3, 7, 15, 31])
  })

  test('[MUST-23] is given up after three minutes at the earliest, with ETIMEDOUT', () => {
    const host = new Exchange()
    const c = host.open()
    host.advance(180_000)
    expect(host.state()).toBe('SYN-SENT')
    host.advance(120_000)
    expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: retransmission)'])
  })

  test('Linux: four time-outs of 1 s, then back-off; TCP_SYNCNT counts those with back-off', () => {
    const host = new Exchange('linux')
    host.open()
    host.take()
    expect(times(host, 20_000)).toEqual([1, 2, 3, 4, 5, 7, 11, 19])
    const counted = new Exchange('linux')
    const c = counted.open({ synRetries: 1 })
    counted.take()
    expect(times(counted, 4000)).toEqual([1])
    expect(c.error).toBe('ETIMEDOUT')
  })

  test('FreeBSD: slop is added, options go after some tries, and connect has its time', () => {
    const host = new Exchange('freebsd', { synDropOptionsAfter: 3, sack: true, connectTimeout: 20_000 })
    const c = host.open()
    expect(times(host, 10_000)).toEqual([0.1, 1, 3.2, 7.4])
    expect(host.sent.map((line) => line.includes('sackOK'))).toEqual([true, true, true, false])
    host.advance(20_000)
    expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: user)'])
  })

  test('a user time-out ends it, with the soft error that ICMP reported', () => {
    const host = new Exchange('rfc9293')
    const c = host.open({ userTimeout: 2500 })
    host.icmp('host-unreachable', 0)
    host.advance(2500)
    expect(c.error).toBe('EHOSTUNREACH')
  })
})

test('OPEN for addresses and ports that are in use fails at once', () => {
  const host = new Exchange()
  host.connected()
  const second = host.open()
  expect([second.error, second.state]).toEqual(['EADDRNOTAVAIL', 0])
  expect(host.take()).toEqual([])
})

test('OPEN with a time-out for the whole of it: SYN-RECEIVED is left with RST', () => {
  const host = new Exchange('rfc9293', { connectTimeout: 1500, synRetries: 1 })
  const c = host.open()
  host.arrives('S')
  host.advance(1500)
  expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: user)'])
})

describe('LISTEN turned active (RFC 9293 3.10.1)', () => {
  const request = { local: HERE, localPort: 8080, remote: PEER, remotePort: 40000, user: null }

  test('OPEN: the listener is gone, its half-open connections too, and a SYN is sent', () => {
    const host = new Exchange()
    const listener = host.listen()
    host.arrives('S', { port: 1234 })
    host.take()
    const c = openActiveFrom(listener, request, host.now)
    expect(host.take()).toEqual(['S 0:0(0) win 65535 <mss 1460>'])
    expect(host.findListener(ANY_IPV4, 8080)).toBeNull()
    expect(host.history.slice(-2)).toEqual(['CLOSED (listener closed)', 'SYN-SENT (active OPEN)'])
    host.arrives('S.', { ack: 1 })
    expect([c.established, host.state(1234)]).toEqual([true, 'CLOSED'])
  })

  test('SEND', () => {
    const host = new Exchange('freebsd')
    openActiveFrom(host.listen(), { ...request, fastOpenText: octets(5) }, host.now)
    expect(host.history.at(-1)).toBe('SYN-SENT (SEND)')
    host.take()
    host.arrives('S.', { ack: 1 })
    expect(host.take()).toEqual(['P. 1:6(5) ack 1 win 65535'])
  })
})
