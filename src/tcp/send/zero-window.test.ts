import { describe, expect, test } from 'vitest'
import { State } from '../states/state-name.js'
import { Sender } from '../testing/sender.js'

/** How long until something is sent, ms, up to `limit`; what it was. */
function next(s: Sender, limit = 200_000): { after: number; what: string } {
  const from = s.host.now
  while (s.host.now - from < limit) {
    const at = s.c.deadline
    if (at === Number.POSITIVE_INFINITY) break
    s.host.advance(Math.max(0, at - s.host.now))
    const sent = s.sent()
    if (sent.length > 0) return { after: Math.round(s.host.now - from), what: sent.join(' | ') }
  }
  return { after: Number.POSITIVE_INFINITY, what: '' }
}

describe.each(['rfc9293', 'freebsd', 'linux'] as const)('%s', (profile) => {
  const closed = () => {
    const s = new Sender(profile)
    s.measure(100, 0)
    s.write(500)
    expect(s.sent()).toEqual([])
    return s
  }
  test('[MUST-36] [SHLD-29] a closed window is probed after one RTO', () => {
    const s = closed()
    const { rto } = s.c.rtt
    expect(next(s).after).toBe(Math.max(rto, s.host.settings.persistMin))
  })
  test('[SHLD-30] probes back off exponentially', () => {
    const s = closed()
    const first = next(s).after
    s.ack(2, { window: 0 })
    expect(next(s).after).toBe(first * 2)
    s.ack(2, { window: 0 })
    expect(next(s).after).toBe(first * 4)
  })
  test('[MUST-37] [MAY-8] the connection stays as long as probes are answered', () => {
    const s = closed()
    for (let i = 0; i < 40; i++) {
      expect(next(s).what).not.toBe('')
      s.ack(2, { window: 0 })
    }
    expect(s.c.state).toBe(State.Established)
  })
  test('[MUST-35] when the window opens, what waited goes', () => {
    const s = closed()
    next(s)
    s.sent()
    s.ack(2, { window: 4000 })
    s.wait(3000)
    const text = s.sent().join(' ')
    expect(text).toContain(':502(')
  })
  test('[MUST-34] [SHLD-15] a window that shrinks stops new text; what is in flight is not lost by it', () => {
    const s = new Sender(profile)
    s.measure(100)
    s.write(2000)
    s.sent()
    s.ack(1002, { window: 0 })
    s.write(1000)
    expect(s.sent()).toEqual([])
    expect(s.c.recovery.packetsOut).toBe(1)
  })
  test('[SHLD-16] [SHLD-17] text beyond a closed window is sent again, and does not end the connection', () => {
    const s = new Sender(profile)
    s.measure(100)
    s.write(1000)
    s.sent()
    s.ack(2, { window: 0 })
    for (let i = 0; i < 30; i++) {
      expect(next(s).what).toContain('2:')
      s.ack(2, { window: 0 })
    }
    expect(s.c.state).toBe(State.Established)
  })
})

test('a probe carries the next octet (RFC 9293 3.8.6.1), or is an ACK from before SND.UNA (Linux)', () => {
  for (const [profile, probe] of [
    ['rfc9293', 'P. 2:3(1)'],
    ['linux', '. 1:1(0)'],
  ] as const) {
    const s = new Sender(profile)
    s.measure(100)
    s.ack(2, { window: 0 })
    s.write(500)
    expect(next(s).what).toBe(probe)
  }
})
