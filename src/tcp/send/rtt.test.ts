import { expect, test } from 'vitest'
import { profile } from '../settings/profiles/index.js'
import { Sender } from '../testing/sender.js'
import { RttEstimator } from './rtt.js'

test('the first RTO is a second (RFC 6298 2.1)', () => {
  for (const name of ['rfc9293', 'linux', 'freebsd'] as const) expect(new RttEstimator(profile(name)).rto).toBe(1000)
})

test('after the first sample SRTT is R and RTTVAR half of it (RFC 6298 2.2)', () => {
  const rtt = new RttEstimator({ ...profile('rfc9293'), rtoMin: 0 })
  rtt.sample(100, 0, 0)
  expect(rtt.smoothed).toBe(100)
  expect(rtt.variance).toBe(50)
  expect(rtt.rto).toBe(300)
})

test('each further sample moves SRTT by an eighth, RTTVAR by a quarter (RFC 6298 2.3)', () => {
  const rtt = new RttEstimator({ ...profile('rfc9293'), rtoMin: 0 })
  rtt.sample(100, 0, 0)
  rtt.sample(180, 0, 0)
  expect(rtt.smoothed).toBe(110)
  expect(rtt.variance).toBe(50 + (80 - 50) / 4)
})

test('the RTO is at least a second (RFC 6298 2.4), with Linux RTTVAR is at least 200 ms', () => {
  const standard = new RttEstimator(profile('rfc9293'))
  standard.sample(10, 0, 0)
  expect(standard.rto).toBe(1000)
  const linux = new RttEstimator(profile('linux'))
  linux.sample(10, 0, 0)
  expect(linux.rto).toBe(210)
})

test('FreeBSD adds 200 ms to what was measured', () => {
  const rtt = new RttEstimator(profile('freebsd'))
  rtt.sample(100, 0, 0)
  const settings = profile('freebsd')
  expect(rtt.rto).toBe(Math.max(300, settings.rtoMin) + settings.rtoSlop)
})

test('Linux: one quiet flight does not take away the margin', () => {
  const rtt = new RttEstimator(profile('linux'))
  rtt.sample(500, 0, 1000)
  const before = rtt.rto
  rtt.sample(500, 500, 1000)
  expect(rtt.rto).toBeGreaterThan(before - 1)
  for (let i = 0; i < 40; i++) rtt.sample(500, 2000 + i * 2000, 3000 + i * 2000)
  expect(rtt.rto).toBeLessThanOrEqual(702)
})

test('[MUST-18] Karn: an ACK of what was sent again is no sample, and the back-off stays', () => {
  const s = new Sender('rfc9293', {}, { sack: false })
  s.measure(100)
  const { smoothed, rto } = s.c.rtt
  s.write(500)
  s.wait(rto)
  expect(s.sent()).toEqual(['P. 2:502(500)', 'P. 2:502(500)'])
  s.wait(10)
  s.ack(502)
  expect(s.c.rtt.smoothed).toBe(smoothed)
  expect(s.c.rtt.rto).toBe(rto * 2)
})

test('with timestamps even that is a sample (RFC 7323 4.1)', () => {
  const s = new Sender('rfc9293', {}, { timestamps: true })
  s.write(500)
  s.wait(1000)
  s.sent()
  s.wait(50)
  s.ack(501, { tsEcr: 1000 })
  expect(s.c.rtt.smoothed).toBe(50)
})

test('the minimum is forgotten after five minutes, for paths change', () => {
  const rtt = new RttEstimator(profile('linux'))
  rtt.sampleMinimum(10, 0)
  rtt.sampleMinimum(50, 1000)
  expect(rtt.minimum).toBe(10)
  rtt.sampleMinimum(50, 400_000)
  expect(rtt.minimum).toBe(50)
})
