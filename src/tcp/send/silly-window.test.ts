import { expect, test } from 'vitest'
import { Sender } from '../testing/sender.js'

test.each(['rfc9293', 'freebsd', 'linux'] as const)(
  '[MUST-38] %s: less than a segment is not sent into a small window',
  (profile) => {
    const s = new Sender(profile)
    s.measure(100, 300)
    s.write(2000)
    expect(s.sent()).toEqual([])
  },
)

test.each(['rfc9293', 'freebsd', 'linux'] as const)(
  '[MUST-38] %s: but after a time-out it is (override, RFC 9293 3.8.6.2.1)',
  (profile) => {
    const s = new Sender(profile)
    s.measure(100, 300)
    s.write(2000)
    s.wait(5000)
    expect(s.sent()[0]).toBe('P. 2:302(300)')
  },
)

test.each(['rfc9293', 'freebsd'] as const)(
  '%s: half of the largest window ever offered is worth a segment',
  (profile) => {
    const s = new Sender(profile, {}, { mss: 1460 })
    s.c.snd.maxWnd = 1000
    s.measure(100, 600)
    s.write(2000)
    expect(s.sent()).toEqual(['. 2:602(600)'])
  },
)

test('Linux: segments are at most half of the largest window, so that this does not arise', () => {
  const s = new Sender('linux')
  s.c.snd.maxWnd = 1000
  s.measure(100, 1001)
  s.write(2000)
  expect(s.c.snd.mss).toBe(500)
  expect(s.host.take()).toHaveLength(2)
})
