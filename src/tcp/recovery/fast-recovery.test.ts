import { describe, expect, test } from 'vitest'
import { State } from '../states/state-name.js'
import { Sender } from '../testing/sender.js'
import { CaState } from './recovery.js'

/** Ten segments in flight, RTT 100 ms. */
function flight(profile: 'rfc9293' | 'freebsd' | 'linux', sack: boolean, changes = {}, timestamps = false): Sender {
  const s = new Sender(
    profile,
    { tailLossProbe: false, ...changes },
    { sack, timestamps, mss: timestamps ? 1012 : 1000 },
  )
  s.write(10_000)
  s.sent()
  s.wait(100)
  return s
}

describe.each(['rfc9293', 'freebsd', 'linux'] as const)('%s without SACK (RFC 5681, 6582)', (profile) => {
  test('[MUST-19] the third duplicate ACK sends the oldest segment again', () => {
    const s = flight(profile, false)
    s.ack(1)
    s.ack(1)
    expect(s.sent()).toEqual([])
    s.ack(1)
    expect(s.sent()).toEqual(['. 1:1001(1000)'])
    expect(s.c.recovery.state).toBe(CaState.Recovery)
  })
  test('each partial ACK sends the next hole again', () => {
    const s = flight(profile, false)
    for (let i = 0; i < 5; i++) s.ack(1)
    s.sent()
    s.ack(3001)
    expect(s.sent()[0]).toBe('. 3001:4001(1000)')
    s.ack(10_001)
    expect(s.c.recovery.packetsOut).toBe(0)
  })
  test('limited transmit: the first two duplicates let new text go (RFC 3042)', () => {
    const s = flight(profile, false)
    s.write(3000)
    expect(s.sent()).toEqual([])
    s.ack(1)
    s.wait(2)
    s.ack(1)
    expect(s.sent().map((line) => line.replace('P', ''))).toEqual(['. 10001:11001(1000)', '. 11001:12001(1000)'])
  })
})

describe.each(['rfc9293', 'freebsd', 'linux'] as const)('%s with SACK (RFC 6675, 8985)', (profile) => {
  test('three segments SACKed above a hole: it is lost', () => {
    const s = flight(profile, true)
    s.ack(1, { sack: [[1001, 4001]] })
    expect(s.sent()).toEqual(['. 1:1001(1000)'])
  })
  test('several holes are repaired in one round trip', () => {
    const s = flight(profile, true)
    s.ack(1, { sack: [[1001, 2001]] })
    s.ack(1, {
      sack: [
        [3001, 4001],
        [1001, 2001],
      ],
    })
    s.ack(1, {
      sack: [
        [5001, 8001],
        [3001, 4001],
        [1001, 2001],
      ],
    })
    s.ack(1, {
      sack: [
        [5001, 9001],
        [3001, 4001],
        [1001, 2001],
      ],
    })
    s.ack(1, {
      sack: [
        [5001, 10_001],
        [3001, 4001],
        [1001, 2001],
      ],
    })
    expect(s.sent()).toEqual(['. 1:1001(1000)', '. 2001:3001(1000)', '. 4001:5001(1000)'])
  })
  test('cwnd ends at ssthresh when what was sent before the loss is acknowledged (RFC 9937)', () => {
    const s = flight(profile, true)
    for (let i = 2; i <= 10; i++) s.ack(1, { sack: [[1001, i * 1000 + 1]] })
    s.ack(10_001)
    const { cwnd, ssthresh } = s.c.congestion
    expect(cwnd).toBe(ssthresh)
    expect(cwnd).toBe(s.host.settings.congestionControl === 'cubic' ? 7 : 5)
    expect(s.c.recovery.state).toBe(CaState.Open)
  })
  test('SACK of text never sent is ignored', () => {
    const s = flight(profile, true)
    s.ack(1, { sack: [[20_001, 21_001]] })
    s.ack(1, { sack: [[9001, 11_001]] })
    expect(s.c.recovery.sackedOut).toBe(0)
  })
  test('part of a segment that is SACKed does not count', () => {
    const s = flight(profile, true)
    s.ack(1, { sack: [[9500, 10_001]] })
    expect(s.c.recovery.sackedOut).toBe(0)
  })
})

describe('RACK (RFC 8985)', () => {
  test('a segment sent before one that arrived is lost after a quarter of the RTT', () => {
    const s = flight('linux', true)
    s.ack(1, { sack: [[9001, 10_001]] })
    s.wait(24)
    expect(s.sent()).toEqual([])
    s.wait(6)
    expect(s.sent()[0]).toBe('. 1:1001(1000)')
  })
  test('a retransmission that is lost is sent again when later ones arrive', () => {
    const s = flight('linux', true)
    s.ack(1, { sack: [[2001, 8001]] })
    expect(s.sent()).toEqual(['P. 1:2001(2000)'])
    s.wait(1)
    s.ack(1, { sack: [[2001, 10_001]] })
    s.write(2000)
    s.sent()
    s.wait(100)
    s.ack(1, { sack: [[2001, 12_001]] })
    s.wait(60)
    expect(s.sent().join()).toMatch(/ 1:\d001/)
  })
  test('reordering that is seen makes it patient', () => {
    const s = flight('linux', true)
    s.ack(1, { sack: [[5001, 6001]] })
    s.ack(6001)
    expect(s.c.recovery.reorderingSeen).toBe(1)
    expect(s.c.recovery.reordering).toBe(6)
  })
})

describe('a reduction found spurious is undone', () => {
  test('by DSACK of what was sent again (RFC 3708)', () => {
    const s = flight('linux', true)
    for (let i = 2; i <= 4; i++) s.ack(1, { sack: [[1001, i * 1000 + 1]] })
    expect(s.c.congestion.cwnd).toBeLessThan(10)
    s.ack(5001)
    s.ack(5001, { sack: [[1, 1001]] })
    expect(s.c.congestion.cwnd).toBeGreaterThanOrEqual(10)
    expect(s.host.counters.get('TcpExtTCPDSACKUndo')).toBe(1)
  })
  test('by a timestamp from before the retransmission (RFC 3522, 4015)', () => {
    const s = flight('linux', true, {}, true)
    const before = Math.floor(s.host.now) - 100
    for (let i = 2; i <= 4; i++) s.ack(1, { sack: [[1001, i * 1000 + 1]], tsEcr: before || 1 })
    expect(s.sent()).toHaveLength(1)
    s.ack(10_001, { tsEcr: before || 1 })
    expect(s.c.congestion.cwnd).toBeGreaterThanOrEqual(10)
  })
  test('not when the settings say so', () => {
    const s = flight('linux', true, { undo: false })
    for (let i = 2; i <= 4; i++) s.ack(1, { sack: [[1001, i * 1000 + 1]] })
    s.ack(5001)
    s.ack(5001, { sack: [[1, 1001]] })
    expect(s.c.congestion.cwnd).toBeLessThan(10)
  })
})

test('text that was SACKed and thrown away is sent again after the time-out (RFC 2018 8)', () => {
  const s = flight('linux', true)
  s.ack(1, { sack: [[1001, 10_001]] })
  s.ack(1001)
  s.sent()
  s.wait(2000)
  expect(s.sent().join()).toContain('1001:2001')
  expect(s.c.state).toBe(State.Established)
})
