import { describe, expect, test } from 'vitest'
import { SendFlag } from '../calls.js'
import { Sender } from '../testing/sender.js'
import { releaseHeld } from './output.js'

describe.each(['rfc9293', 'freebsd', 'linux'] as const)('%s', (profile) => {
  test('[SHLD-7] a small segment waits while one is unacknowledged', () => {
    const s = new Sender(profile)
    s.write(100)
    s.write(100)
    expect(s.sent()).toEqual(['P. 1:101(100)'])
    s.ack(101)
    expect(s.sent()).toEqual(['P. 101:201(100)'])
  })
  test('[MUST-17] not when the program turned it off', () => {
    const s = new Sender(profile)
    s.c.ask({ noDelay: true })
    s.write(100)
    s.write(100)
    expect(s.sent()).toEqual(['P. 1:101(100)', 'P. 101:201(100)'])
  })
  test('what was held back goes when the program turns it off', () => {
    const s = new Sender(profile)
    s.write(100)
    s.write(100)
    s.sent()
    s.c.ask({ noDelay: true })
    releaseHeld(s.c, s.host.now)
    expect(s.sent()).toEqual(['P. 101:201(100)'])
  })
  test('small writes that wait go as one segment, full ones at once [MAY-16]', () => {
    const s = new Sender(profile)
    s.write(100)
    s.sent()
    for (let i = 0; i < 15; i++) s.write(100)
    expect(s.sent().map((line) => line.replace(/^P?\. /, ''))).toEqual(['101:1101(1000)'])
    s.ack(101)
    s.ack(1101)
    expect(s.sent()).toEqual(['P. 1101:1601(500)'])
  })
  test('a cork holds a small segment back, though nothing is in flight, but not for ever [MUST-60]', () => {
    const s = new Sender(profile)
    s.c.ask({ cork: true })
    s.write(100)
    expect(s.sent()).toEqual([])
    s.wait(5000)
    expect(s.sent()).toEqual(['P. 1:101(100)'])
  })
  test('MSG_MORE corks for one call', () => {
    const s = new Sender(profile)
    s.write(100, SendFlag.More)
    expect(s.sent()).toEqual([])
    s.write(100)
    expect(s.sent()).toEqual(['P. 1:201(200)'])
  })
})

test('Minshall: a full segment in flight does not hold a small one back (Linux)', () => {
  const s = new Sender('linux')
  s.write(1000)
  s.write(100)
  expect(s.sent()).toEqual(['P. 1:1001(1000)', 'P. 1001:1101(100)'])
})

test('RFC 9293 3.7.4: anything in flight holds a small one back', () => {
  const s = new Sender('rfc9293')
  s.write(1000)
  s.write(100)
  expect(s.sent()).toEqual(['P. 1:1001(1000)'])
})

test('the end of a record is not joined with what follows (MSG_EOR)', () => {
  const s = new Sender('linux')
  s.c.ask({ noDelay: true })
  s.write(10_000)
  s.sent()
  s.write(400, SendFlag.EndOfRecord)
  s.write(400, SendFlag.EndOfRecord)
  s.write(400)
  s.ack(10_001)
  expect(s.sent()).toEqual(['P. 10001:10401(400)', 'P. 10401:10801(400)', 'P. 10801:11201(400)'])
})
