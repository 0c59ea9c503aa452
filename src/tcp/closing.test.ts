import { describe, expect, test } from 'vitest'
import { abort, close, receive, send, setOptions, shutdownRead, shutdownWrite } from './calls.js'
import type { Connection } from './connection.js'
import { Exchange, octets } from './testing/exchange.js'

type Profile = 'rfc9293' | 'linux' | 'freebsd'

function established(profile: Profile = 'rfc9293') {
  const host = new Exchange(profile)
  const c = host.connected()
  host.history.length = 0
  host.told.bits = 0
  return { host, c }
}

/** In each state, with what brings a connection there. */
const IN: Record<string, (host: Exchange, c: Connection) => void> = {
  ESTABLISHED: () => {},
  'CLOSE-WAIT': (host) => host.arrives('F.', { seq: 1, ack: 1 }),
  'FIN-WAIT-1': (host, c) => void shutdownWrite(c, host.now),
  'FIN-WAIT-2': (host, c) => {
    shutdownWrite(c, host.now)
    host.arrives('.', { seq: 1, ack: 2 })
  },
  CLOSING: (host, c) => {
    shutdownWrite(c, host.now)
    host.arrives('F.', { seq: 1, ack: 1 })
  },
  'LAST-ACK': (host, c) => {
    host.arrives('F.', { seq: 1, ack: 1 })
    shutdownWrite(c, host.now)
  },
}

function inState(name: string, profile: Profile = 'rfc9293') {
  const { host, c } = established(profile)
  IN[name]!(host, c)
  expect(host.state()).toBe(name)
  host.take()
  return { host, c }
}

describe('we close first', () => {
  test('FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT', () => {
    const { host, c } = established()
    shutdownWrite(c, host.now)
    expect(host.take()).toEqual(['F. 1:1(0) ack 1 win 65535'])
    host.arrives('.', { seq: 1, ack: 2 })
    host.arrives('F.', { seq: 1, ack: 2 })
    expect(host.take()).toEqual(['. 2:2(0) ack 2 win 65534'])
    expect(host.history).toEqual(['FIN-WAIT-1 (CLOSE)', 'FIN-WAIT-2 (rcv ACK of FIN)', 'TIME-WAIT (rcv FIN)'])
  })

  test('FIN with the ACK of our FIN: straight to TIME-WAIT [figure 5, note 2]', () => {
    const { host, c } = established()
    close(c, host.now)
    host.arrives('F.', { seq: 1, ack: 2 })
    expect(host.history).toEqual(['FIN-WAIT-1 (CLOSE)', 'TIME-WAIT (rcv FIN, ACK of FIN)'])
  })

  test('both at once: CLOSING', () => {
    const { host, c } = established()
    close(c, host.now)
    host.take()
    host.arrives('F.', { seq: 1, ack: 1 })
    expect(host.take()).toEqual(['. 2:2(0) ack 2 win 65534'])
    host.arrives('.', { seq: 2, ack: 2 })
    expect(host.history.slice(1)).toEqual(['CLOSING (rcv FIN)', 'TIME-WAIT (rcv ACK of FIN)'])
  })

  test('[MAY-1] half-close: text still arrives in FIN-WAIT-1 and FIN-WAIT-2', () => {
    const { host, c } = established()
    shutdownWrite(c, host.now)
    host.arrives('.', { seq: 1, ack: 1, length: 10 })
    host.arrives('.', { seq: 11, ack: 2, length: 10 })
    expect(host.state()).toBe('FIN-WAIT-2')
    expect(receive(c, new Uint8Array(100), 0, host.now)).toBe(20)
    host.arrives('F.', { seq: 21, ack: 2, length: 5 })
    expect([receive(c, new Uint8Array(100), 0, host.now), receive(c, new Uint8Array(9), 0, host.now)]).toEqual([5, 0])
  })

  test('the FIN goes behind text that is queued, and is sent again with it', () => {
    const { host, c } = established()
    send(c, octets(3000), 0, host.now)
    close(c, host.now)
    expect(host.take().at(-1)).toMatch(/^FP?\. 2921:3001\(80\)/)
    host.arrives('.', { seq: 1, ack: 2921 })
    host.advance(1500)
    expect(host.take().at(-1)).toMatch(/^FP?\. 2921:3001\(80\)/)
    host.arrives('.', { seq: 1, ack: 3002 })
    expect(host.state()).toBe('FIN-WAIT-2')
  })
})

describe('the peer closes first', () => {
  test('CLOSE-WAIT, LAST-ACK, CLOSED', () => {
    const { host, c } = established()
    host.arrives('F.', { seq: 1, ack: 1 })
    expect(host.take()).toEqual(['. 1:1(0) ack 2 win 65534'])
    expect([receive(c, new Uint8Array(9), 0, host.now), host.told.has('PeerClosed')]).toEqual([0, true])
    close(c, host.now)
    expect(host.take()).toEqual(['F. 1:1(0) ack 2 win 65534'])
    host.arrives('.', { seq: 2, ack: 2 })
    expect(host.history).toEqual(['CLOSE-WAIT (rcv FIN)', 'LAST-ACK (CLOSE)', 'CLOSED (rcv ACK of FIN)'])
    expect(c.error).toBeNull()
  })

  test('text still goes out in CLOSE-WAIT', () => {
    const { host, c } = established()
    host.arrives('F.', { seq: 1, ack: 1 })
    host.take()
    expect(send(c, octets(10), 0, host.now)).toBe(10)
    expect(host.take()).toEqual(['P. 1:11(10) ack 2 win 65534'])
  })

  test('LAST-ACK: the FIN is sent again until it is acknowledged or R2 is over', () => {
    const { host, c } = established()
    host.arrives('F.', { seq: 1, ack: 1 })
    close(c, host.now)
    host.take()
    host.advance(3500)
    expect(host.take().length).toBeGreaterThan(0)
    host.advance(1_000_000)
    expect(host.history.at(-1)).toBe('CLOSED (timeout: retransmission)')
  })

  test('FreeBSD repeats its FIN in every ACK of CLOSING', () => {
    const { host, c } = established('freebsd')
    shutdownWrite(c, host.now)
    host.take()
    host.arrives('F.', { seq: 1, ack: 1 })
    expect(host.take()).toEqual(['F. 1:1(0) ack 2 win 65535'])
  })
})

describe('a program that goes away', () => {
  test('[SHLD-3] close with text unread: RST, so that the peer learns that it was lost', () => {
    for (const state of ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2']) {
      const { host, c } = inState(state)
      host.arrives('.', { seq: 1, ack: state === 'FIN-WAIT-2' ? 2 : 1, length: 5 })
      host.take()
      close(c, host.now)
      expect(host.take()).toHaveLength(1)
      expect(host.history.at(-1)).toBe('CLOSED (CLOSE with unread text)')
    }
  })

  test('unread text before the FIN counts too; in CLOSING and LAST-ACK there is nobody to tell', () => {
    const first = established()
    first.host.arrives('F.', { seq: 1, ack: 1, length: 5 })
    first.host.take()
    close(first.c, first.host.now)
    expect(first.host.take()).toEqual(['R. 1:1(0) ack 7 win 0'])
    for (const both of [true, false]) {
      const { host, c } = established()
      if (both) shutdownWrite(c, host.now)
      host.arrives('F.', { seq: 1, ack: 1, length: 5 })
      if (!both) shutdownWrite(c, host.now)
      host.take()
      close(c, host.now)
      expect([host.take(), host.history.at(-1)]).toEqual([[], 'CLOSED (CLOSE with unread text)'])
    }
  })

  test('[SHLD-3] text that arrives after close: RST with its ACK number', () => {
    for (const state of ['FIN-WAIT-1', 'FIN-WAIT-2']) {
      const { host, c } = inState(state)
      close(c, host.now)
      host.arrives('.', { seq: 1, ack: 2, length: 5 })
      expect(host.take()).toEqual(['R 2:2(0) win 0'])
      expect(host.history.at(-1)).toBe('CLOSED (rcv text after CLOSE)')
    }
  })

  test('Linux answers text after shutdown of both directions with RST too', () => {
    const { host, c } = established('linux')
    shutdownRead(c, host.now)
    shutdownWrite(c, host.now)
    host.take()
    host.arrives('.', { seq: 1, ack: 2, length: 5 })
    expect([host.take(), c.error]).toEqual([['R 2:2(0) win 0'], 'ECONNRESET'])
  })

  test('[MUST-12] linger 0: ABORT, with RST', () => {
    for (const state of ['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-1', 'FIN-WAIT-2']) {
      const { host, c } = inState(state)
      c.ask({ linger: 0 })
      close(c, host.now)
      expect(host.take()).toHaveLength(1)
      expect(host.history.at(-1)).toBe('CLOSED (ABORT)')
    }
  })

  test('an orphan in FIN-WAIT-2 does not wait for ever: a connection on FreeBSD, a record on Linux', () => {
    for (const [profile, length] of [
      ['freebsd', 600_000],
      ['linux', 60_000],
    ] as const) {
      const { host, c } = inState('FIN-WAIT-2', profile)
      close(c, host.now)
      expect(host.state()).toBe('FIN-WAIT-2')
      host.advance(length + 1000)
      expect([host.state(), host.history.at(-1)]).toEqual(['CLOSED', 'CLOSED (timeout: fin-wait-2)'])
    }
  })

  test('an orphan that comes to FIN-WAIT-2 later, too; the FIN ends the wait', () => {
    const { host, c } = inState('FIN-WAIT-1', 'linux')
    close(c, host.now)
    host.arrives('.', { seq: 1, ack: 2 })
    expect(host.state()).toBe('FIN-WAIT-2')
    host.arrives('F.', { seq: 1, ack: 2 })
    expect(host.take().at(-1)).toMatch(/^\. 2:2\(0\) ack 2 /)
    expect(host.state()).toBe('TIME-WAIT')
  })

  test('the record in FIN-WAIT-2 answers text, RST and SYN as the connection would', () => {
    for (const [flags, more, answer, cause] of [
      ['.', { length: 5 }, 1, 'rcv text after CLOSE'],
      ['R', {}, 0, 'rcv RST'],
      ['S', { seq: 5 }, 1, 'rcv SYN'],
    ] as const) {
      const { host, c } = inState('FIN-WAIT-2', 'linux')
      close(c, host.now)
      host.arrives('.', { seq: 1, ack: 2 })
      expect(host.state()).toBe('FIN-WAIT-2')
      host.arrives(flags, { seq: 1, ack: 2, ...more })
      expect([host.take().length, host.history.at(-1)]).toEqual([answer, `CLOSED (${cause})`])
    }
  })

  test('too many orphans: RST', () => {
    for (const state of ['ESTABLISHED', 'CLOSING', 'LAST-ACK']) {
      const { host, c } = inState(state, 'linux')
      host.settings.maxOrphans = 0
      close(c, host.now)
      expect(host.take().at(-1)).toMatch(/^R\./)
      expect(host.history.at(-1)).toBe('CLOSED (too many orphans)')
    }
  })
})

describe('nobody answers any more', () => {
  /** With something unacknowledged in each state that sends. */
  const SENDING = ['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-1', 'CLOSING', 'LAST-ACK']
  const sending = (state: string) => {
    const { host, c } = inState(state)
    if (!c.snd.finQueued) send(c, octets(10), 0, host.now)
    return { host, c }
  }

  test.each(SENDING)('[MUST-20] %s: after R2 the connection is closed, and its program told [MUST-12]', (state) => {
    const { host, c } = sending(state)
    host.advance(10_000_000)
    expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: retransmission)'])
    expect(host.told.has('Error')).toBe(true)
  })

  test.each(SENDING)('%s: the user time-out is shorter [RFC 9293 3.10.8]', (state) => {
    const { host, c } = sending(state)
    c.ask({ userTimeout: 5000 })
    host.advance(20_000)
    expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: user)'])
  })

  test.each(['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2'])('%s: keepalive finds that the peer is gone', (state) => {
    const { host, c } = inState(state)
    setOptions(c, { keepalive: true, keepaliveIdle: 1000, keepaliveInterval: 1000, keepaliveProbes: 2 }, host.now)
    host.advance(60_000)
    expect([c.error, host.history.at(-1)]).toEqual(['ETIMEDOUT', 'CLOSED (timeout: keepalive)'])
  })
})

describe('ABORT (RFC 9293 3.10.5)', () => {
  test.each(Object.keys(IN))('in %s', (state) => {
    const { host, c } = inState(state)
    abort(c, host.now)
    const quiet = state === 'CLOSING' || state === 'LAST-ACK'
    expect(host.take()).toHaveLength(quiet ? 0 : 1)
    expect([host.history.at(-1), host.told.has('Closed')]).toEqual(['CLOSED (ABORT)', true])
  })

  test('in SYN-SENT nothing is sent, in SYN-RECEIVED a RST', () => {
    const host = new Exchange()
    const c = host.open()
    host.take()
    abort(c, host.now)
    expect([host.take(), host.history.at(-1)]).toEqual([[], 'CLOSED (ABORT)'])
    const again = host.open()
    host.arrives('S')
    host.take()
    abort(again, host.now)
    expect([host.take(), host.history.at(-1)]).toEqual([['R. 1:1(0) ack 1 win 0'], 'CLOSED (ABORT)'])
  })

  test('in TIME-WAIT the record goes', () => {
    const { host, c } = inState('FIN-WAIT-2')
    host.arrives('F.', { seq: 1, ack: 2 })
    host.take()
    abort(c, host.now)
    expect([host.take(), host.history.at(-1)]).toEqual([[], 'CLOSED (ABORT)'])
  })
})

describe('RST and SYN in each state', () => {
  const next = (state: string): number => (/CLOSE-WAIT|CLOSING|LAST-ACK/.test(state) ? 2 : 1)

  test.each(Object.keys(IN))(
    '[MAY-12] %s: only a RST at RCV.NXT counts, others in the window are challenged [RFC 5961 3.2]',
    (state) => {
      const { host, c } = inState(state)
      const seq = next(state)
      host.arrives('R', { seq: seq + 5 })
      expect(host.take()).toHaveLength(1)
      host.arrives('R', { seq: seq - 1 })
      host.arrives('R', { seq: seq + 70_000 })
      expect([host.take(), host.state()]).toEqual([[], state])
      host.arrives('R', { seq, length: 7 })
      expect([c.error, host.history.at(-1)]).toEqual(['ECONNRESET', 'CLOSED (rcv RST)'])
    },
  )

  test('[SHLD-2] a RST may carry text', () => {
    const { host, c } = established()
    host.arrives('R.', { seq: 1, ack: 1, length: 20 })
    expect([c.error, c.rcv.queue.octets]).toEqual(['ECONNRESET', 0])
  })

  test.each(Object.keys(IN))(
    '%s: a SYN is challenged [RFC 5961 4.2]; in the window it resets after the rules of RFC 793',
    (state) => {
      const { host } = inState(state)
      host.arrives('S', { seq: next(state) })
      expect([host.take().length, host.state()]).toEqual([1, state])
      host.settings.insecureSyn = true
      host.arrives('S', { seq: next(state) })
      expect(host.take()[0]).toMatch(/^R\./)
      expect(host.history.at(-1)).toBe('CLOSED (rcv SYN)')
    },
  )

  test('a RST anywhere in the window, after the rules of RFC 793', () => {
    const { host, c } = established()
    host.settings.insecureRst = true
    host.arrives('R', { seq: 60_000 })
    expect(c.error).toBe('ECONNRESET')
  })

  test('Linux: EPIPE in CLOSE-WAIT, and a RST before the FIN counts there', () => {
    const { host, c } = inState('CLOSE-WAIT', 'linux')
    host.arrives('R', { seq: 1 })
    expect(c.error).toBe('EPIPE')
  })

  test('no more than ten challenge ACKs in five seconds [RFC 5961 7]', () => {
    const { host } = established()
    for (let i = 0; i < 500; i++) {
      host.arrives('R', { seq: 5 })
      host.advance(10)
    }
    expect(host.take()).toHaveLength(10)
    host.arrives('R', { seq: 5 })
    expect(host.take()).toHaveLength(1)
  })

  test('Linux: one in half a second for a connection', () => {
    const { host } = established('linux')
    for (let i = 0; i < 20; i++) host.arrives('R', { seq: 5 })
    expect(host.take()).toHaveLength(1)
    host.advance(500)
    host.arrives('S', { seq: 5 })
    expect(host.take()).toHaveLength(1)
  })

  test('no ACK bit: dropped', () => {
    const { host, c } = established()
    host.arrives('P', { seq: 1, length: 9 })
    expect([host.take(), c.rcv.queue.octets]).toEqual([[], 0])
  })

  test('a segment outside the window is acknowledged', () => {
    const { host } = established()
    host.arrives('.', { seq: 100_000, ack: 1, length: 9 })
    expect(host.take()).toEqual(['. 1:1(0) ack 1 win 65535'])
  })

  test('text that was received waits to be read after a RST, then the error, then nothing', () => {
    const { host, c } = established()
    host.arrives('.', { seq: 1, ack: 1, length: 9 })
    host.arrives('R', { seq: 10 })
    const target = new Uint8Array(100)
    expect(receive(c, target, 0, host.now)).toBe(9)
    expect(receive(c, target, 0, host.now)).toBe('ECONNRESET')
    expect(receive(c, target, 0, host.now)).toBe(0)
    expect(send(c, octets(1), 0, host.now)).toBe('EPIPE')
  })
})

describe('calls that come too late or too early', () => {
  test('SEND while closing: connection closing', () => {
    for (const state of ['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSING', 'LAST-ACK']) {
      const { host, c } = inState(state)
      expect(send(c, octets(1), 0, host.now)).toBe('EPIPE')
      expect(shutdownWrite(c, host.now)).toBeNull()
    }
  })

  test('calls on a connection that is CLOSED', () => {
    const { host, c } = established()
    abort(c, host.now)
    expect([shutdownWrite(c, host.now), shutdownRead(c, host.now)]).toEqual(['ENOTCONN', 'ENOTCONN'])
    abort(c, host.now)
    close(c, host.now)
    expect(host.history).toEqual(['CLOSED (ABORT)'])
  })
})
