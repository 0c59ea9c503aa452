import { describe, expect, test } from 'vitest'
import { send } from './calls.js'
import { Exchange, octets } from './testing/exchange.js'

const HARD = ['protocol-unreachable', 'port-unreachable', 'prohibited'] as const
const SOFT = ['network-unreachable', 'host-unreachable', 'other-unreachable', 'time-exceeded'] as const

describe('ICMP errors [MUST-54]', () => {
  test.each(HARD)('[SHLD-26] %s ends a connection that is being opened', (kind) => {
    const host = new Exchange()
    const c = host.open()
    host.icmp(kind, 0)
    expect([c.error !== null, host.history.at(-1)]).toEqual([true, 'CLOSED (icmp: hard error)'])
  })

  test.each([...SOFT])('[MUST-56] [SHLD-25] [MUST-47] %s does not, but it is what a time-out reports', (kind) => {
    const host = new Exchange()
    const c = host.open()
    host.icmp(kind, 0)
    expect(host.state()).toBe('SYN-SENT')
    host.advance(1_000_000)
    expect(c.error).toMatch(/UNREACH|DOWN|NONET/)
  })

  test('Linux gives up at any of them', () => {
    for (const kind of [...HARD, ...SOFT]) {
      const host = new Exchange('linux')
      host.open()
      host.icmp(kind, 0)
      expect(host.state()).toBe('CLOSED')
    }
  })

  test.each([...HARD, ...SOFT])('[MUST-56] %s never ends a connection that is open [RFC 5927 5.2]', (kind) => {
    const host = new Exchange('linux')
    const c = host.connected()
    send(c, octets(10), 0, host.now)
    host.icmp(kind, 1)
    expect([host.state(), c.error, c.softError !== null]).toEqual(['ESTABLISHED', null, true])
  })

  test('[MUST-55] source quench is discarded in silence', () => {
    const host = new Exchange()
    const c = host.connected()
    send(c, octets(10), 0, host.now)
    const { cwnd } = c.congestion
    host.icmp('source-quench', 1)
    expect([c.softError, c.congestion.cwnd]).toEqual([null, cwnd])
  })

  test('one that quotes nothing in flight is counted and ignored [RFC 5927 4.1]', () => {
    const host = new Exchange('linux')
    const c = host.open()
    for (const quoted of [-1, 1, 1000]) host.icmp('port-unreachable', quoted)
    expect([host.state(), c.softError, host.counters.get('TcpExtOutOfWindowIcmps')]).toEqual(['SYN-SENT', null, 3])
  })

  test('FreeBSD: prohibited is ECONNREFUSED, time exceeded EHOSTUNREACH', () => {
    for (const [kind, error] of [
      ['prohibited', 'ECONNREFUSED'],
      ['time-exceeded', 'EHOSTUNREACH'],
    ] as const) {
      const host = new Exchange('freebsd')
      const c = host.open()
      host.icmp(kind, 0)
      expect(c.error).toBe(error)
    }
  })

  test('SYN-RECEIVED of a simultaneous open', () => {
    const host = new Exchange()
    const c = host.open()
    host.arrives('S')
    host.icmp('port-unreachable', 0)
    expect([c.error, host.history.at(-1)]).toEqual(['ECONNREFUSED', 'CLOSED (icmp: hard error)'])
  })
})

describe('fragmentation needed [RFC 1191], packet too big [RFC 8201]', () => {
  function withText(profile: 'linux' | 'rfc9293' = 'linux') {
    const host = new Exchange(profile)
    const c = host.connected()
    send(c, octets(5000), 0, host.now)
    host.take()
    return { host, c }
  }

  test('lowers the path MTU, and what was too large goes again in smaller pieces', () => {
    const { host, c } = withText('rfc9293')
    host.icmp('fragmentation-needed', 1, 1000)
    expect([c.path.mtu, c.snd.mss]).toEqual([1000, 960])
    expect(host.take()[0]).toMatch(/^P?\. 1:961\(960\)/)
  })

  test('not below what the settings believe, not upwards, not if the program does not take part', () => {
    const { host, c } = withText()
    host.icmp('fragmentation-needed', 1, 2000)
    expect(c.path.mtu).toBe(1500)
    c.ask({ pathMtuDiscovery: false })
    host.icmp('fragmentation-needed', 1, 1000)
    expect(c.path.mtu).toBe(1500)
    c.ask({ pathMtuDiscovery: true })
    host.icmp('fragmentation-needed', 1, 100)
    expect(c.path.mtu).toBe(552)
  })

  test('only if the quoted segment is in flight', () => {
    const { host, c } = withText()
    host.icmp('fragmentation-needed', 0, 1000)
    host.icmp('fragmentation-needed', 5001, 1000)
    expect(c.path.mtu).toBe(1500)
  })

  test('a router that names no MTU: the next plateau of RFC 1191 7.1, or the least there is (Linux)', () => {
    for (const [mtuPlateaus, mtu] of [
      [true, 1492],
      [false, 552],
    ] as const) {
      const { host, c } = withText()
      host.settings.mtuPlateaus = mtuPlateaus
      host.icmp('fragmentation-needed', 1, 0)
      expect(c.path.mtu).toBe(mtu)
    }
  })
})

test('an unreachable host takes a step of back-off back [RFC 6069]', () => {
  const host = new Exchange('linux')
  const c = host.connected()
  send(c, octets(100), 0, host.now)
  host.advance(5000)
  const before = c.rtt.rto
  expect(c.snd.backoff).toBeGreaterThan(1)
  host.icmp('host-unreachable', 1)
  expect(c.rtt.rto).toBe(before / 2)
})
