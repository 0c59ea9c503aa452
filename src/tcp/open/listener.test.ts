import { describe, expect, test } from 'vitest'
import { close } from '../calls.js'
import { PROFILE_NAMES } from '../settings/profiles/index.js'
import { Exchange } from '../testing/exchange.js'

describe('a SYN for a listener', () => {
  test('is answered with SYN,ACK; the third segment makes a connection that can be accepted', () => {
    const host = new Exchange()
    const listener = host.listen()
    host.arrives('S', { mss: 1000 })
    expect(host.take()).toEqual(['S. 0:0(0) ack 1 win 65535 <mss 1460>'])
    expect([host.state(), listener.halfOpen, listener.acceptable]).toEqual(['SYN-RECEIVED', 1, 0])
    host.arrives('.', { seq: 1, ack: 1 })
    expect([host.state(), listener.halfOpen, listener.acceptable]).toEqual(['ESTABLISHED', 0, 1])
    expect(host.told.has('Acceptable')).toBe(true)
    const c = listener.accept(null, host.now)!
    expect([c.snd.peerMss, c.remotePort, listener.accept(null, host.now)]).toEqual([1000, 40000, null])
    expect(host.history).toEqual(['LISTEN (passive OPEN)', 'SYN-RECEIVED (rcv SYN)', 'ESTABLISHED (rcv ACK of SYN)'])
  })

  test('[MUST-41] the listener goes on listening, and so do connections it made', () => {
    const host = new Exchange()
    const listener = host.listen()
    for (const port of [1, 2, 3]) {
      host.arrives('S', { port })
      host.arrives('.', { seq: 1, ack: 1, port })
    }
    expect([listener.acceptable, host.state(1), host.state(2)]).toEqual([3, 'ESTABLISHED', 'ESTABLISHED'])
  })

  test('text in the third segment is taken', () => {
    const host = new Exchange()
    const listener = host.listen()
    host.arrives('S')
    host.arrives('P.', { seq: 1, ack: 1, length: 10 })
    expect(listener.accept(null, host.now)!.rcv.queue.octets).toBe(10)
  })

  test('FIN in the third segment: CLOSE-WAIT', () => {
    const host = new Exchange()
    host.listen()
    host.arrives('S')
    host.take()
    host.arrives('F.', { seq: 1, ack: 1 })
    expect([host.take(), host.state()]).toEqual([['. 1:1(0) ack 2 win 65534'], 'CLOSE-WAIT'])
  })

  test('the SYN again: the SYN,ACK again', () => {
    const host = new Exchange()
    host.listen()
    host.arrives('S')
    host.arrives('S')
    expect(host.take()).toHaveLength(2)
    expect(host.endpoint()).not.toBeNull()
  })

  test('SYN with FIN: Linux drops it, others ignore the FIN', () => {
    for (const [profile, answers] of [
      ['linux', 0],
      ['rfc9293', 1],
      ['freebsd', 1],
    ] as const) {
      const host = new Exchange(profile)
      host.listen()
      host.arrives('SF')
      expect(host.take()).toHaveLength(answers)
    }
  })
})

describe('LISTEN, other segments (RFC 9293 3.10.7.2)', () => {
  test.each([
    ['R', []],
    ['R.', []],
    ['.', ['R 7:7(0) win 0']],
    ['S.', ['R 7:7(0) win 0']],
    ['F.', ['R 7:7(0) win 0']],
    ['F', []],
    ['P', []],
  ])('%s', (flags, answer) => {
    const host = new Exchange()
    host.listen()
    host.arrives(flags, { seq: 3, ack: 7, length: 5 })
    expect(host.take()).toEqual(answer)
  })

  test('FreeBSD is silent on SYN,ACK', () => {
    const host = new Exchange('freebsd')
    host.listen()
    host.arrives('S.', { ack: 1 })
    expect(host.take()).toEqual([])
  })
})

/** With a SYN answered. */
function halfOpen(profile: 'rfc9293' | 'linux' | 'freebsd' = 'rfc9293') {
  const host = new Exchange(profile)
  const listener = host.listen()
  host.arrives('S')
  host.take()
  return { host, listener }
}

describe('SYN-RECEIVED of the SYN queue', () => {
  test('SYN,ACK is sent again with back-off, then the entry is given up', () => {
    const { host, listener } = halfOpen('linux')
    host.advance(62_999)
    expect(host.take()).toHaveLength(5)
    host.advance(2)
    expect([host.state(), listener.halfOpen]).toEqual(['CLOSED', 0])
    expect(host.history.at(-1)).toBe('CLOSED (timeout: retransmission)')
  })

  test('[MUST-11] RST returns it to LISTEN, and nobody is told', () => {
    const { host, listener } = halfOpen()
    host.told.bits = 0
    host.arrives('R', { seq: 1 })
    expect(host.history.at(-1)).toBe('LISTEN (rcv RST)')
    expect([host.state(), listener.halfOpen, host.told.bits]).toEqual(['CLOSED', 0, 0])
  })

  test.each(PROFILE_NAMES)(
    '%s: RST elsewhere in the window is challenged [RFC 5961 3.2], outside it is ignored',
    (profile) => {
      const { host } = halfOpen(profile)
      host.arrives('R', { seq: 2 })
      const [challenge] = host.take()
      expect([challenge, host.state()]).toEqual([expect.stringMatching(/^\. 1:1\(0\) ack 1 win /), 'SYN-RECEIVED'])
      host.arrives('R', { seq: 0 })
      host.arrives('R', { seq: 65536 })
      expect([host.take(), host.state()]).toEqual([[], 'SYN-RECEIVED'])
    },
  )

  test('another SYN in the window: back to LISTEN, RST (Linux), or the SYN,ACK again (FreeBSD)', () => {
    const { host } = halfOpen()
    host.arrives('S', { seq: 10 })
    expect([host.take(), host.history.at(-1)]).toEqual([[], 'LISTEN (rcv SYN)'])
    const linux = halfOpen('linux').host
    linux.arrives('S', { seq: 10 })
    expect(linux.take()[0]).toMatch(/^R\. .* ack 11 win 0$/)
    expect(linux.state()).toBe('CLOSED')
    const bsd = halfOpen('freebsd').host
    bsd.arrives('S', { seq: 10 })
    expect([bsd.take().length, bsd.state()]).toEqual([1, 'SYN-RECEIVED'])
  })

  test('an ACK of something else: RST; text outside the window: ACK; no ACK: dropped', () => {
    const { host } = halfOpen()
    host.arrives('.', { seq: 1, ack: 5 })
    expect(host.take()).toEqual(['R 5:5(0) win 0'])
    host.arrives('.', { seq: 70_000, ack: 1, length: 1 })
    expect(host.take()).toEqual(['. 1:1(0) ack 1 win 65535'])
    host.arrives('F', { seq: 1 })
    host.arrives('P', { seq: 1, length: 4 })
    expect([host.take(), host.state()]).toEqual([[], 'SYN-RECEIVED'])
  })

  test('a SYN,ACK with the right ACK is an old SYN: it is answered with an ACK and does not complete it', () => {
    const { host } = halfOpen()
    host.arrives('S.', { seq: 0, ack: 1 })
    expect([host.take(), host.state()]).toEqual([['. 1:1(0) ack 1 win 65535'], 'SYN-RECEIVED'])
  })

  test('a hard ICMP error about the SYN,ACK removes it; one about anything else does not', () => {
    const { host } = halfOpen()
    host.icmp('port-unreachable', 5)
    host.icmp('host-unreachable', 0)
    expect(host.state()).toBe('SYN-RECEIVED')
    host.icmp('port-unreachable', 0)
    expect(host.history.at(-1)).toBe('CLOSED (icmp: hard error)')
  })

  test('a segment without the timestamps that were agreed is dropped where the settings say so', () => {
    const host = new Exchange('rfc9293', { timestamps: 2 })
    host.listen()
    host.arrives('S', { tsVal: 100, tsEcr: 0 })
    host.arrives('.', { seq: 1, ack: 1 })
    expect(host.state()).toBe('SYN-RECEIVED')
    host.arrives('.', { seq: 1, ack: 1, tsVal: 99, tsEcr: 0 })
    expect(host.state()).toBe('SYN-RECEIVED')
    host.arrives('.', { seq: 1, ack: 1, tsVal: 101, tsEcr: 0 })
    expect(host.state()).toBe('ESTABLISHED')
  })
})

describe('limits', () => {
  const shake = (host: Exchange, port: number): void => {
    host.arrives('S', { port })
    host.arrives('.', { seq: 1, ack: 1, port })
  }

  test('a full accept queue: further SYNs are dropped, third segments ignored until there is room', () => {
    const host = new Exchange('linux')
    const listener = host.listen({}, 2)
    host.arrives('S', { port: 9 })
    for (const port of [1, 2, 3]) shake(host, port)
    expect(listener.acceptable).toBe(3)
    host.take()
    host.arrives('S', { port: 4 })
    expect([host.take(), host.state(4)]).toEqual([[], 'CLOSED'])
    host.arrives('.', { seq: 1, ack: 1, port: 9 })
    expect(host.state(9)).toBe('SYN-RECEIVED')
    listener.accept(null, host.now)
    host.arrives('.', { seq: 1, ack: 1, port: 9 })
    expect(host.state(9)).toBe('ESTABLISHED')
    expect(host.counters.get('TcpExtListenOverflows')).toBe(2)
  })

  test('with abort on overflow, or on FreeBSD, the third segment gets RST', () => {
    const host = new Exchange('linux', { abortOnOverflow: true })
    host.listen({}, 1)
    for (const port of [7, 8, 9]) host.arrives('S', { port })
    host.take()
    const all = new Exchange('freebsd')
    const listener = all.listen({}, 1)
    for (const port of [1, 2, 3, 4]) all.arrives('S', { port })
    for (const port of [1, 2]) all.arrives('.', { seq: 1, ack: 1, port })
    expect(listener.acceptable).toBe(2)
    all.take()
    all.arrives('.', { seq: 1, ack: 1, port: 3 })
    expect([all.take(), all.history.at(-1)]).toEqual([['R 1:1(0) win 0'], 'CLOSED (accept queue full)'])
  })

  test('a full SYN queue without cookies: SYNs are dropped', () => {
    const host = new Exchange('linux', { synCookies: 0 })
    const listener = host.listen({}, 2)
    for (const port of [1, 2, 3]) host.arrives('S', { port })
    expect([host.take().length, listener.halfOpen]).toEqual([2, 2])
    expect(host.counters.get('TcpExtTCPReqQFullDrop')).toBe(1)
  })

  test('old entries of a queue more than half full get fewer SYN,ACKs (Linux)', () => {
    const host = new Exchange('linux')
    const listener = host.listen({}, 20)
    for (let port = 1; port <= 12; port++) host.arrives('S', { port })
    expect(listener.synAckLimit()).toBe(5)
    host.advance(1500)
    expect(listener.synAckLimit()).toBeLessThan(5)
  })

  test('TCP_DEFER_ACCEPT: a bare ACK does not make a connection, text does', () => {
    const host = new Exchange('linux')
    const listener = host.listen({ deferAccept: 3000 })
    host.arrives('S')
    host.arrives('.', { seq: 1, ack: 1 })
    expect([host.state(), listener.acceptable]).toEqual(['SYN-RECEIVED', 0])
    host.arrives('.', { seq: 1, ack: 1, length: 1 })
    expect([host.state(), listener.acceptable]).toEqual(['ESTABLISHED', 1])
  })
})

describe('CLOSE of a listener', () => {
  test('half-open connections go in silence, those not accepted get RST', () => {
    const host = new Exchange()
    const listener = host.listen()
    for (const port of [1, 2]) host.arrives('S', { port })
    host.arrives('.', { seq: 1, ack: 1, port: 1 })
    host.take()
    listener.close(host.now)
    expect(host.take()).toEqual(['R. 1:1(0) ack 1 win 0'])
    expect(host.history.slice(-3)).toEqual(['CLOSED (CLOSE)', 'CLOSED (listener closed)', 'CLOSED (listener closed)'])
    host.arrives('.', { seq: 1, ack: 1, port: 2 })
    expect(host.take()).toEqual(['R 1:1(0) win 0'])
  })

  test('accepted connections live on', () => {
    const host = new Exchange()
    const listener = host.listen()
    host.arrives('S')
    host.arrives('.', { seq: 1, ack: 1 })
    const c = listener.accept(host.told, host.now)!
    listener.close(host.now)
    expect(host.state()).toBe('ESTABLISHED')
    close(c, host.now)
    expect(host.state()).toBe('FIN-WAIT-1')
  })

  test('a connection in CLOSE-WAIT that was not accepted is reset; ABORT of a listener', () => {
    const host = new Exchange()
    const listener = host.listen()
    host.arrives('S')
    host.arrives('F.', { seq: 1, ack: 1 })
    listener.abort(host.now)
    expect(host.history.slice(-2)).toEqual(['CLOSED (ABORT)', 'CLOSED (listener closed)'])
  })
})
