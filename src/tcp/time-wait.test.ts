import { describe, expect, test } from 'vitest'
import { close } from './calls.js'
import type { Settings } from './settings/settings.js'
import { type Arriving, Exchange } from './testing/exchange.js'

type Profile = 'rfc9293' | 'linux' | 'freebsd'

function inTimeWait(profile: Profile = 'rfc9293', changes: Partial<Settings> = {}, syn: Arriving = {}) {
  const host = new Exchange(profile, changes)
  const listener = host.listen()
  const stamp = syn.tsVal === undefined ? {} : { tsVal: syn.tsVal, tsEcr: 0 }
  host.arrives('S', { mss: 1460, ...stamp })
  host.arrives('.', { seq: 1, ack: 1, ...stamp })
  const c = listener.accept(host.told, host.now)!
  close(c, host.now)
  host.arrives('F.', { seq: 1, ack: 2, ...stamp })
  expect(host.state()).toBe('TIME-WAIT')
  host.take()
  return { host, c }
}

test('[MUST-13] TIME-WAIT lasts two maximum segment lifetimes', () => {
  const { host } = inTimeWait()
  host.advance(239_999)
  expect(host.state()).toBe('TIME-WAIT')
  host.advance(1)
  expect([host.state(), host.history.at(-1)]).toEqual(['CLOSED', 'CLOSED (timeout: time-wait)'])
})

test("the peer's FIN again: it is acknowledged again and the time starts anew", () => {
  for (const profile of ['rfc9293', 'linux', 'freebsd'] as const) {
    const { host } = inTimeWait(profile)
    const length = 2 * host.settings.msl
    host.advance(length - 1000)
    host.arrives('F.', { seq: 1, ack: 2 })
    expect(host.take()).toEqual([expect.stringMatching(/^\. 2:2\(0\) ack 2 /)])
    host.advance(length - 1000)
    expect(host.state()).toBe('TIME-WAIT')
    host.advance(1000)
    expect(host.state()).toBe('CLOSED')
  }
})

test('a bare ACK where it belongs is not answered, one with text is', () => {
  for (const profile of ['rfc9293', 'linux', 'freebsd'] as const) {
    const { host } = inTimeWait(profile)
    host.arrives('.', { seq: 2, ack: 2 })
    expect(host.take()).toEqual([])
    host.arrives('.', { seq: 2, ack: 2, length: 3 })
    expect(host.take()).toHaveLength(1)
  }
})

test('no ACK bit: dropped; Linux acknowledges it', () => {
  for (const [profile, answers] of [
    ['rfc9293', 0],
    ['freebsd', 0],
    ['linux', 1],
  ] as const) {
    const { host } = inTimeWait(profile)
    host.arrives('F', { seq: 1 })
    expect(host.take()).toHaveLength(answers)
  }
})

test('Linux answers what is not acceptable once in half a second', () => {
  const { host } = inTimeWait('linux')
  for (let i = 0; i < 5; i++) host.arrives('.', { seq: 1, ack: 2 })
  expect(host.take()).toHaveLength(1)
  host.advance(500)
  host.arrives('.', { seq: 1, ack: 2 })
  expect(host.take()).toHaveLength(1)
})

describe('RST', () => {
  test('ends it, if it is exactly where it should be [RFC 5961 3.2]', () => {
    const { host } = inTimeWait()
    host.arrives('R', { seq: 3 })
    host.arrives('R', { seq: 1 })
    expect(host.state()).toBe('TIME-WAIT')
    host.arrives('R', { seq: 2 })
    expect(host.history.at(-1)).toBe('CLOSED (rcv RST)')
  })

  test('does not with RFC 1337 protection, nor on FreeBSD', () => {
    for (const { host } of [inTimeWait('linux', { rfc1337: true }), inTimeWait('freebsd')]) {
      host.arrives('R', { seq: 2 })
      expect([host.take(), host.state()]).toEqual([[], 'TIME-WAIT'])
    }
  })
})

describe('a SYN', () => {
  test('[MAY-2] with a newer sequence number opens a new connection, whose ISS is beyond the old one', () => {
    for (const profile of ['rfc9293', 'linux', 'freebsd'] as const) {
      const { host } = inTimeWait(profile)
      host.arrives('S', { seq: 1000 })
      expect([host.state(), host.history.slice(-2)]).toEqual([
        'SYN-RECEIVED',
        ['CLOSED (rcv SYN)', 'SYN-RECEIVED (rcv SYN)'],
      ])
      expect(host.take()).toEqual([expect.stringMatching(/^S\. 0:0\(0\) ack 1001 /)])
      host.arrives('.', { seq: 1001, ack: 1 })
      expect(host.state()).toBe('ESTABLISHED')
    }
  })

  test('[SHLD-4] or with a newer timestamp, whatever its sequence number [RFC 6191]', () => {
    const { host } = inTimeWait('linux', { timestamps: 2 }, { tsVal: 100 })
    host.arrives('S', { seq: -500, tsVal: 99, tsEcr: 0 })
    expect(host.state()).toBe('TIME-WAIT')
    host.arrives('S', { seq: -500, tsVal: 101, tsEcr: 0 })
    expect(host.state()).toBe('SYN-RECEIVED')
  })

  test('the classic way: it is acknowledged, the peer’s RST frees the ports, and the SYN is tried again', () => {
    const { host } = inTimeWait('rfc9293', { timeWaitReuseOnSyn: false })
    host.arrives('S', { seq: 1000 })
    expect(host.take()).toEqual(['. 2:2(0) ack 2 win 65534'])
    host.arrives('R', { seq: 2 })
    expect(host.state()).toBe('CLOSED')
    host.arrives('S', { seq: 1000 })
    expect(host.state()).toBe('SYN-RECEIVED')
  })

  test('an older one is acknowledged; FreeBSD drops it', () => {
    const { host } = inTimeWait()
    host.arrives('S', { seq: -5 })
    expect(host.take()).toHaveLength(1)
    const bsd = inTimeWait('freebsd').host
    bsd.arrives('S', { seq: -5 })
    expect(bsd.take()).toEqual([])
  })

  test('in the window, after the rules of RFC 793: RST', () => {
    const { host } = inTimeWait('rfc9293', { timeWaitReuseOnSyn: false, insecureSyn: true })
    host.arrives('S', { seq: 2 })
    expect([host.take(), host.history.at(-1)]).toEqual([['R. 2:2(0) ack 2 win 0'], 'CLOSED (rcv SYN)'])
  })

  test('with FIN, where that is dropped', () => {
    const { host } = inTimeWait('freebsd', { dropSynFin: true })
    host.arrives('SF', { seq: 1000 })
    expect([host.take(), host.state()]).toEqual([[], 'TIME-WAIT'])
  })

  test('when nobody listens any more: RST, or on Linux an ACK', () => {
    for (const [profile, answer] of [
      ['rfc9293', /^R\. /],
      ['linux', /^\. 2:2/],
    ] as const) {
      const { host } = inTimeWait(profile)
      for (const e of host.endpoints) if (e.remotePort === 0) host.endpoints.delete(e)
      host.arrives('S', { seq: 1000 })
      expect(host.take()).toEqual([expect.stringMatching(answer)])
    }
  })
})

test('an active OPEN takes the ports over where timestamps make that safe [RFC 6191]', () => {
  const { host } = inTimeWait('linux', { timestamps: 2, timeWaitReuseOnConnect: 1 }, { tsVal: 100 })
  expect(host.open().error).toBeNull()
  expect(host.history.slice(-2)).toEqual(['CLOSED (active OPEN)', 'SYN-SENT (active OPEN)'])
  const without = inTimeWait('linux', { timeWaitReuseOnConnect: 1 }).host
  expect(without.open().error).toBe('EADDRNOTAVAIL')
})

test('no more records than allowed', () => {
  const host = new Exchange('linux', { maxTimeWait: 0 })
  const c = host.connected()
  close(c, host.now)
  host.arrives('F.', { seq: 1, ack: 2 })
  expect(host.history.at(-1)).toBe('CLOSED (too many)')
})

test('a program that still holds the connection sees the record’s end', () => {
  const host = new Exchange()
  const c = host.connected()
  host.arrives('F.', { seq: 1, ack: 1 })
  expect(c.state).toBe(7)
  const other = new Exchange()
  const held = other.connected()
  close(held, other.now)
  other.arrives('F.', { seq: 1, ack: 2 })
  expect(held.ended).toBeNull()
})
