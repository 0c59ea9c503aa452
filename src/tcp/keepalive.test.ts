import { describe, expect, test } from 'vitest'
import { setOptions } from './calls.js'
import { State } from './states/state-name.js'
import { Sender } from './testing/sender.js'

const HOUR = 3_600_000

/** A connection with keepalive on, and the profile's times. */
function alive(profile: 'rfc9293' | 'freebsd' | 'linux', changes = {}): Sender {
  const s = new Sender(profile, changes)
  s.measure(100)
  setOptions(s.c, { keepalive: true, ...timesOf(s) }, s.host.now)
  return s
}

const timesOf = ({ host: { settings } }: Sender) => ({
  keepaliveIdle: settings.keepaliveIdle,
  keepaliveInterval: settings.keepaliveInterval,
  keepaliveProbes: settings.keepaliveProbes,
})

describe.each(['rfc9293', 'freebsd', 'linux'] as const)('%s', (profile) => {
  test('[MUST-25] off unless the program asks for it', () => {
    const s = new Sender(profile, { keepaliveAlways: false })
    s.measure(100)
    expect(s.c.deadline).toBe(Number.POSITIVE_INFINITY)
  })
  test('[MUST-24] [MUST-28] [SHLD-12] an ACK from before SND.UNA, without text, after two hours', () => {
    const s = alive(profile)
    s.wait(2 * HOUR - 1)
    expect(s.sent()).toEqual([])
    s.wait(1)
    expect(s.sent()).toEqual(['. 1:1(0)'])
  })
  test('[MUST-26] what arrives puts it off', () => {
    const s = alive(profile)
    s.wait(HOUR)
    s.ack(2)
    s.wait(2 * HOUR - 1)
    expect(s.sent()).toEqual([])
    s.wait(1)
    expect(s.sent()).toEqual(['. 1:1(0)'])
  })
  test('[MUST-29] one probe that is not answered ends nothing; one that is answered begins anew', () => {
    const s = alive(profile)
    const { keepaliveInterval } = s.host.settings
    s.wait(2 * HOUR + keepaliveInterval)
    expect(s.sent()).toHaveLength(2)
    s.ack(2)
    s.wait(2 * HOUR)
    expect(s.sent()).toEqual(['. 1:1(0)'])
    expect(s.c.state).toBe(State.Established)
  })
  test('all of them unanswered: the peer is gone, RST', () => {
    const s = alive(profile)
    const { keepaliveInterval, keepaliveProbes } = s.host.settings
    s.wait(2 * HOUR + keepaliveInterval * keepaliveProbes)
    expect(s.sent().at(-1)).toMatch(/^R/)
    expect(s.c.state).toBe(State.Closed)
    expect(s.c.error).toBe('ETIMEDOUT')
  })
  test('[MUST-27] the program sets the times', () => {
    const s = alive(profile)
    setOptions(s.c, { keepaliveIdle: 1000, keepaliveInterval: 500, keepaliveProbes: 2 }, s.host.now)
    s.wait(1000)
    expect(s.sent()).toHaveLength(1)
    s.wait(1000)
    expect(s.c.state).toBe(State.Closed)
  })
  test('not while text is in flight, which has its own timer', () => {
    const s = alive(profile)
    setOptions(s.c, { keepaliveIdle: 50 }, s.host.now)
    s.write(10)
    s.sent()
    s.wait(60)
    expect(s.sent()).toEqual([])
  })
})

test('[MAY-6] with an octet of garbage for peers that need it', () => {
  const s = alive('rfc9293', { keepaliveGarbage: true })
  s.wait(2 * HOUR)
  expect(s.sent()).toEqual(['. 1:2(1)'])
})
