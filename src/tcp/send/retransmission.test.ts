import { describe, expect, test } from 'vitest'
import { State } from '../states/state-name.js'
import { Sender } from '../testing/sender.js'
import { timeOfRetries } from './retransmit-timeout.js'

/** When things are sent, ms from now, until `limit`. */
function times(s: Sender, limit: number): number[] {
  const from = s.host.now
  const found: number[] = []
  while (s.c.deadline - from <= limit) {
    s.wait(Math.max(0, s.c.deadline - s.host.now))
    if (s.sent().length > 0) found.push(Math.round(s.host.now - from))
  }
  return found
}

test('[MUST-19] the RTO doubles with each time-out (RFC 6298 5.5), up to its limit', () => {
  const s = new Sender('rfc9293', { rtoMax: 8000, tailLossProbe: false })
  s.measure(100)
  s.write(500)
  s.sent()
  expect(times(s, 40_000)).toEqual([1000, 3000, 7000, 15_000, 23_000, 31_000, 39_000])
})

test('an ACK of something new starts the timer anew (RFC 6298 5.3), one of everything stops it (5.2)', () => {
  const s = new Sender('rfc9293', { tailLossProbe: false })
  s.measure(100)
  s.write(2000)
  s.sent()
  s.wait(100)
  s.ack(1002)
  s.wait(950)
  expect(s.sent()).toEqual([])
  s.wait(50)
  expect(s.sent()).toEqual(['P. 1002:2002(1000)'])
  s.ack(2002)
  expect(s.c.deadline).toBe(Number.POSITIVE_INFINITY)
})

test('[MUST-20] [MUST-12] after R2 the connection is closed and the program told', () => {
  const s = new Sender('rfc9293', { dataRetries: 3, tailLossProbe: false })
  s.measure(100)
  s.write(500)
  s.wait(1000 + 2000 + 4000 + 7999)
  expect(s.c.state).toBe(State.Established)
  s.wait(1)
  expect(s.c.state).toBe(State.Closed)
  expect(s.c.error).toBe('ETIMEDOUT')
})

test('[SHLD-11] R2 of text is at least 100 s in every profile', () => {
  for (const profile of ['rfc9293', 'freebsd', 'linux'] as const) {
    const s = new Sender(profile)
    s.measure(100)
    s.write(500)
    s.wait(100_000)
    expect(s.c.state).toBe(State.Established)
  }
})

test('an ICMP error that explains the silence is what the program is told', () => {
  const s = new Sender('linux', { dataRetries: 1 })
  s.measure(100)
  s.write(500)
  s.c.softError = 'EHOSTUNREACH'
  s.wait(60_000)
  expect(s.c.error).toBe('EHOSTUNREACH')
})

test('[MUST-21] the program sets its own limit (RFC 5482, TCP_USER_TIMEOUT)', () => {
  const s = new Sender('linux')
  s.measure(100)
  s.c.ask({ userTimeout: 3000 })
  s.write(500)
  s.wait(2900)
  expect(s.c.state).toBe(State.Established)
  s.wait(1000)
  expect(s.c.state).toBe(State.Closed)
  expect(s.c.error).toBe('ETIMEDOUT')
})

test('Linux reckons R2 as the time its retransmissions take from 200 ms on', () => {
  expect(timeOfRetries(15, 200, 120_000)).toBe(924_600)
  expect(timeOfRetries(3, 200, 120_000)).toBe(3000)
})

test('small segments are sent again as one (RFC 9293 3.8.1)', () => {
  const s = new Sender('linux', { tailLossProbe: false })
  s.c.ask({ noDelay: true })
  s.measure(100)
  for (let i = 0; i < 3; i++) s.write(100)
  s.sent()
  s.wait(300)
  expect(s.sent()).toEqual(['P. 2:302(300)'])
})

test('a FIN is sent again like text', () => {
  const s = new Sender('rfc9293')
  s.measure(100)
  s.close()
  expect(s.sent()).toEqual(['F. 2:2(0)'])
  s.wait(1000)
  expect(s.sent()).toEqual(['F. 2:2(0)'])
})

test('FIN goes with the last text, if that has not been sent', () => {
  const s = new Sender('rfc9293', { initialWindow: 1 })
  s.write(1500)
  s.close()
  s.sent()
  s.ack(1001)
  expect(s.sent()).toEqual(['FP. 1001:1501(500)'])
})

describe('F-RTO (RFC 5682)', () => {
  test('a time-out that was spurious is undone: text that was not sent again is acknowledged', () => {
    const s = new Sender('linux', { tailLossProbe: false })
    s.measure(100)
    s.write(8000)
    s.sent()
    const { cwnd } = s.c.congestion
    s.wait(300)
    expect(s.sent()).toEqual(['. 2:1002(1000)'])
    expect(s.c.congestion.cwnd).toBe(1)
    s.write(4000)
    s.ack(1002)
    expect(s.sent().join()).toContain('8002:')
    s.ack(3002)
    expect(s.c.recovery.state).toBe(0)
    expect(s.c.congestion.cwnd).toBeGreaterThanOrEqual(cwnd)
  })
  test('a real loss goes on as slow start', () => {
    const s = new Sender('linux', { tailLossProbe: false })
    s.measure(100)
    s.write(8000)
    s.wait(300)
    s.sent()
    s.ack(1002)
    expect(s.sent()).toEqual(['. 1002:2002(1000)', '. 2002:3002(1000)'])
  })
})

describe('tail loss probe (RFC 8985 7)', () => {
  test('two round trips after the last text it is sent again, with SACK', () => {
    const s = new Sender('linux')
    s.measure(100)
    s.write(3000)
    s.sent()
    s.wait(199)
    expect(s.sent()).toEqual([])
    s.wait(10)
    expect(s.sent()).toEqual(['P. 2002:3002(1000)'])
  })
  test('new text is a better probe', () => {
    const s = new Sender('linux', { initialWindow: 3 })
    s.measure(100)
    s.write(5000)
    s.sent()
    s.wait(210)
    expect(s.sent()).toEqual(['. 3002:4002(1000)'])
  })
  test('what it repairs was a loss: cwnd shrinks', () => {
    const s = new Sender('linux')
    s.measure(100)
    s.write(3000)
    s.wait(210)
    s.sent()
    s.ack(2002)
    s.write(1000)
    s.sent()
    const { cwnd } = s.c.congestion
    s.wait(100)
    s.ack(4002)
    expect(s.c.congestion.cwnd).toBeLessThan(cwnd)
    expect(s.host.counters.get('TcpExtTCPLossProbeRecovery')).toBe(1)
  })
})
