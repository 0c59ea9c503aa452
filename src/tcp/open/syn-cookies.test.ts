import { describe, expect, test } from 'vitest'
import { Exchange } from '../testing/exchange.js'
import { cookieTimestamp, optionsOfCookie } from './syn-cookies.js'

const always = () => {
  const host = new Exchange('linux', { synCookies: 2, sack: true, windowScaling: true, timestamps: 2 })
  return { host, listener: host.listen() }
}

describe('SYN cookies [RFC 4987 3.6]', () => {
  test('the SYN,ACK is sent and nothing is kept; the ACK makes the connection', () => {
    const { host, listener } = always()
    host.arrives('S', { mss: 1460 })
    expect(host.take()).toHaveLength(1)
    expect([host.state(), listener.halfOpen]).toEqual(['CLOSED', 0])
    host.arrives('.', { seq: 1, ack: 1 })
    expect([host.state(), listener.acceptable]).toEqual(['ESTABLISHED', 1])
    expect(host.history.at(-1)).toBe('ESTABLISHED (rcv ACK of SYN cookie)')
    const c = listener.accept(null, host.now)!
    expect([c.snd.peerMss, c.snd.wscaleOk, c.snd.sackOk, c.snd.tsOk]).toEqual([1460, false, false, false])
  })

  test.each([
    [100, 536],
    [1299, 536],
    [1300, 1300],
    [1459, 1440],
    [9000, 1460],
  ])('an MSS of %i is remembered as %i', (said, kept) => {
    const { host, listener } = always()
    host.arrives('S', { mss: said })
    host.arrives('.', { seq: 1, ack: 1 })
    expect(listener.accept(null, host.now)!.snd.peerMss).toBe(kept)
  })

  test('with timestamps, scale and SACK are remembered too', () => {
    const { host, listener } = always()
    host.advance(100_000)
    host.arrives('S', { mss: 1460, windowScale: 7, sack: true, tsVal: 100, tsEcr: 0 })
    const echo = Number(/TS val (\d+)/.exec(host.take()[0]!)![1])
    expect(echo).toBeLessThanOrEqual(host.now)
    host.arrives('.', { seq: 1, ack: 1, tsVal: 101, tsEcr: echo })
    const { snd } = listener.accept(null, host.now)!
    expect([snd.wscale, snd.sackOk, snd.tsOk]).toEqual([7, true, true])
  })

  test('an ACK of no cookie, or of one too old, gets RST', () => {
    const { host } = always()
    host.arrives('S', { mss: 1460 })
    host.take()
    host.arrives('.', { seq: 1, ack: 2 })
    expect(host.take()).toEqual(['R 2:2(0) win 0'])
    host.arrives('.', { seq: 7, ack: 1 })
    expect(host.take()).toEqual(['R 1:1(0) win 0'])
    host.advance(128_001)
    host.arrives('.', { seq: 1, ack: 1 })
    expect([host.take(), host.state()]).toEqual([['R 1:1(0) win 0'], 'CLOSED'])
  })

  test('they are used when the SYN queue is full, and not before', () => {
    const host = new Exchange('linux')
    const listener = host.listen({}, 1)
    host.arrives('S', { port: 1 })
    host.arrives('S', { port: 2 })
    expect([host.take().length, listener.halfOpen, host.counters.get('TcpExtSyncookiesSent')]).toEqual([2, 1, 1])
    host.arrives('.', { seq: 1, ack: 1, port: 2 })
    expect(host.state(2)).toBe('ESTABLISHED')
  })

  test('nobody looks for one when none was sent lately', () => {
    const host = new Exchange('linux')
    host.listen()
    host.arrives('.', { seq: 1, ack: 1 })
    expect(host.counters.get('TcpExtSyncookiesFailed')).toBe(0)
  })
})

test('options in the low bits of a timestamp, which is never ahead of the clock', () => {
  for (const clock of [0, 63, 64, 1_000_000, -5]) {
    for (const scale of [-1, 0, 14]) {
      const value = cookieTimestamp(clock, scale, true, false)
      expect((clock - value) | 0).toBeGreaterThanOrEqual(0)
      expect(optionsOfCookie(value)).toEqual({ windowScale: scale, sack: true, ecn: false })
    }
  }
})
