import { expect, test } from 'vitest'
import { Sender } from '../testing/sender.js'

test.each(['rfc9293', 'freebsd'] as const)(
  '[MUST-61] %s: PSH stands on the last segment that is buffered',
  (profile) => {
    const s = new Sender(profile)
    s.write(3000)
    expect(s.sent()).toEqual(['. 1:1001(1000)', '. 1001:2001(1000)', 'P. 2001:3001(1000)'])
  },
)

test('[SHLD-28] [SHLD-27] segments are as large as can be; PSH of several writes is said once', () => {
  const s = new Sender('rfc9293', { initialWindow: 1 })
  s.write(1000)
  s.write(300)
  s.write(300)
  s.write(400)
  expect(s.sent()).toEqual(['P. 1:1001(1000)'])
  s.ack(1001)
  expect(s.sent()).toEqual(['P. 1001:2001(1000)'])
})

test('[MUST-60] text without PSH does not wait for more', () => {
  const s = new Sender('rfc9293')
  s.write(1)
  expect(s.sent()).toEqual(['P. 1:2(1)'])
})

test('Linux: PSH ends each write, and each super-segment', () => {
  const s = new Sender('linux')
  s.write(2500)
  expect(s.sent()).toEqual(['P. 1:2501(2500)'])
  s.write(1000)
  expect(s.sent()).toEqual(['P. 2501:3501(1000)'])
})
