import { describe, expect, test } from 'vitest'
import { Ecn } from '../options/ecn.js'
import { Sender } from '../testing/sender.js'

describe('initial window', () => {
  test('is ten segments (RFC 6928)', () => {
    const s = new Sender('linux')
    s.write(40_000)
    expect((s.c.snd.nxt - s.c.snd.una) | 0).toBe(10_000)
  })
  test.each([
    [500, 4],
    [1460, 3],
    [4000, 2],
  ])('or by the size of a segment (RFC 5681 3.1): MSS %d, %d segments', (mss, segments) => {
    const s = new Sender('rfc9293', { initialWindow: 0 }, { mss })
    s.host.path(s.c.remote).mtu = 9000
    expect(s.c.congestion.cwnd).toBe(Math.min(mss, 1460) === mss ? segments : 3)
  })
})

test('[MUST-19] slow start: one segment more for each that is acknowledged (RFC 5681 3.1)', () => {
  const s = new Sender('rfc9293', { initialWindow: 2 })
  s.write(20_000)
  s.ack(1001)
  expect(s.c.congestion.cwnd).toBe(3)
  s.ack(3001)
  expect(s.c.congestion.cwnd).toBe(5)
})

test('congestion avoidance: one segment more for each window (RFC 5681 3.1)', () => {
  const s = new Sender('rfc9293', { congestionControl: 'reno' })
  s.c.congestion.ssthresh = 10
  s.write(40_000)
  for (let i = 1; i <= 9; i++) s.ack(i * 1000 + 1)
  expect(s.c.congestion.cwnd).toBe(10)
  s.ack(10_001)
  expect(s.c.congestion.cwnd).toBe(11)
})

test('a window that is not used does not grow (RFC 7661, RFC 9438 5.8)', () => {
  const s = new Sender('linux')
  for (let i = 0; i < 5; i++) {
    s.write(1000)
    s.ack((i + 1) * 1000 + 1)
  }
  expect(s.c.congestion.cwnd).toBe(10)
})

test('after idling for longer than the RTO cwnd is the initial window again (RFC 5681 4.1)', () => {
  const s = new Sender('linux')
  s.measure(100)
  s.write(10_000)
  s.wait(100)
  s.ack(10_002)
  s.write(20_000)
  s.wait(100)
  s.ack(30_002)
  expect(s.c.congestion.cwnd).toBe(40)
  s.sent()
  s.wait(5000)
  s.write(30_000)
  expect(s.c.congestion.cwnd).toBe(10)
})

test('NewReno halves, CUBIC keeps seven tenths', () => {
  for (const [name, ssthresh] of [
    ['reno', 5],
    ['cubic', 7],
  ] as const) {
    const s = new Sender('linux', { congestionControl: name })
    s.write(10_000)
    s.ack(1, { sack: [[1001, 5001]] })
    expect(s.c.congestion.ssthresh).toBe(ssthresh)
  }
})

test('CUBIC comes back to the window of the loss, then probes beyond it (RFC 9438 4.2)', () => {
  const s = new Sender(
    'linux',
    { tailLossProbe: false, sendBuffer: [4096, 40_000_000, 40_000_000], hystart: false },
    { windowScale: 7 },
  )
  const at = (n: number) => n * 1000 + 1
  s.ack(1)
  s.c.congestion.cwnd = 50
  s.c.congestion.ssthresh = 50
  s.write(4_000_000)
  s.wait(100)
  s.ack(1, { sack: [[at(1), at(50)]] })
  s.ack(at(50))
  s.wait(100)
  const sentUntil = () => (s.c.snd.nxt - s.c.snd.iss - 1) | 0
  const seen: number[] = []
  for (let round = 0; round < 100 && sentUntil() < 3_900_000; round++) {
    const end = sentUntil()
    for (let next = ((s.c.snd.una - s.c.snd.iss - 1) | 0) + 2000; next <= end; next += 2000) s.ack(next + 1)
    s.ack(end + 1)
    s.wait(100)
    seen.push(s.c.congestion.cwnd)
  }
  expect(seen[0]).toBeLessThan(45)
  expect(seen.at(-1)).toBeGreaterThan(50)
  // slowest near the window of the loss
  const near = seen.filter((cwnd) => cwnd >= 48 && cwnd <= 52).length
  expect(near).toBeGreaterThan(seen.filter((cwnd) => cwnd >= 38 && cwnd <= 42).length)
})

test('ECN-Echo reduces once per window, and says CWR (RFC 3168 6.1.2)', () => {
  const s = new Sender('linux')
  s.c.ecn = new Ecn(false)
  s.write(20_000)
  s.ack(1001, { flags: 0x50 })
  const { ssthresh } = s.c.congestion
  expect(ssthresh).toBeLessThan(10)
  s.ack(2001, { flags: 0x50 })
  expect(s.c.congestion.ssthresh).toBe(ssthresh)
  for (let i = 3; i <= 8; i++) s.ack(i * 1000 + 1, { flags: 0x50 })
  expect(s.host.take().join()).toMatch(/W/)
})

test('DCTCP shrinks by the share of marked segments (RFC 8257)', () => {
  const s = new Sender('linux', { congestionControl: 'dctcp' })
  s.c.ecn = new Ecn(false)
  s.write(60_000)
  for (let i = 1; i <= 10; i++) s.ack(i * 1000 + 1)
  expect(s.c.congestion.cwnd).toBe(20)
  s.ack(11_001, { flags: 0x50 })
  expect(s.c.congestion.ssthresh).toBeGreaterThan(9)
  expect(s.c.congestion.ssthresh).toBeLessThan(21)
})
