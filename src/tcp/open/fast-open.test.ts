import { describe, expect, test } from 'vitest'
import { parseIpAddress } from '../../wire/index.js'
import { close, receive, send } from '../calls.js'
import type { ProgramOptions } from '../settings/program-options.js'
import type { Settings } from '../settings/settings.js'
import { Exchange, HERE, octets, PEER } from '../testing/exchange.js'
import { fastOpenCookie } from './fast-open.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

test('cookies are those of a Linux server with the same key', () => {
  const key = bytes('a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4')
  const cookie = (client: string, server: string): string =>
    hex(fastOpenCookie(key, parseIpAddress(client), parseIpAddress(server)))
  expect(cookie('192.0.2.1', '192.168.0.1')).toBe('3021b9d889017eeb')
  expect(cookie('fd3d:fa7b:d17d::1', 'fd3d:0a0b:17d6::1')).toBe('c1d1e9742a47a9bc')
})

describe('client (RFC 7413 4.2.1)', () => {
  const text = (host: Exchange, length: number, options: Partial<ProgramOptions> = {}) =>
    host.open(options, { fastOpenText: octets(length) })

  /** A connection after which the host has a cookie. */
  function withCookie(changes: Partial<Settings> = {}, profile: 'linux' | 'freebsd' = 'linux', mss = 1460) {
    const host = new Exchange(profile, changes)
    const c = text(host, 0)
    expect(host.take()[0]).toContain('FO')
    host.arrives('S.', { ack: 1, mss, cookie: bytes('abcd1234') })
    close(c, host.now)
    host.arrives('R', { seq: 1 })
    host.take()
    return host
  }

  test('without a cookie one is asked for, and text waits', () => {
    const host = new Exchange('linux')
    const c = text(host, 100)
    expect(host.take()).toEqual(['S 0:0(0) win 64240 <mss 1460,FO,nop,nop>'])
    expect(c.openTaken).toBe(0)
    host.arrives('S.', { ack: 1, mss: 1460, cookie: bytes('abcd1234') })
    expect([hex(c.path.fastOpenCookie!), c.path.fastOpenMss]).toEqual(['abcd1234', 1460])
  })

  test('with a cookie the SYN carries text', () => {
    const host = withCookie()
    const c = text(host, 100)
    expect(host.take()).toEqual(['S 0:100(100) win 64240 <mss 1460,FO abcd1234,nop,nop>'])
    host.arrives('S.', { ack: 101, mss: 1460 })
    expect(host.take()).toEqual(['. 101:101(0) ack 1 win 64240'])
    expect([c.openTaken, c.fastOpen!.synTextAcknowledged]).toEqual([100, true])
  })

  test('as much as the server takes, less room for options', () => {
    const host = withCookie({}, 'linux', 940)
    expect(text(host, 5000).openTaken).toBe(900)
    const limited = withCookie()
    expect(text(limited, 5000, { maxSegment: 1040 }).openTaken).toBe(1000)
  })

  test('text that the SYN,ACK does not acknowledge goes again at once, what it acknowledges in part from there', () => {
    const host = withCookie()
    const c = text(host, 100)
    host.take()
    host.arrives('S.', { ack: 41, mss: 1460 })
    expect(host.take()).toEqual(['P. 41:101(60) ack 1 win 64240'])
    expect([c.fastOpen!.synTextAcknowledged, c.fastOpen!.failure]).toEqual([false, 2])
  })

  test('a SYN that is sent again has neither cookie nor text', () => {
    const host = withCookie()
    text(host, 100)
    host.take()
    host.advance(1000)
    expect(host.take()).toEqual(['S 0:0(0) win 64240 <mss 1460>'])
    host.arrives('S.', { ack: 1, mss: 1460 })
    expect(host.take()).toEqual(['P. 1:101(100) ack 1 win 64240'])
  })

  test('no cookie in the answer: the experimental option next, then the standard one again', () => {
    const host = new Exchange('linux')
    const tries: boolean[] = []
    for (let i = 0; i < 4; i++) {
      text(host, 0)
      tries.push(host.take()[0]!.includes('FOEXP'))
      host.arrives('S.', { ack: 1, mss: 1460 })
      host.arrives('R', { seq: 1 })
      host.take()
    }
    expect(tries).toEqual([false, true, false, false])
  })

  test('FreeBSD leaves the path alone for 15 minutes then, and queues the text', () => {
    const host = new Exchange('freebsd')
    const c = text(host, 100)
    expect(host.take()[0]).toContain('FO')
    expect(c.openTaken).toBe(100)
    host.arrives('S.', { ack: 1, mss: 1460 })
    expect(host.take()).toEqual(['P. 1:101(100) ack 1 win 65535'])
    host.arrives('R', { seq: 1 })
    text(host, 100)
    expect(host.take()[0]).not.toContain('FO')
    host.arrives('R.', { ack: 1 })
    host.advance(900_000)
    text(host, 100)
    expect(host.take()[0]).toContain('FO')
  })

  test('without cookies, where both ends do without', () => {
    const host = new Exchange('linux', { fastOpen: 0x5 })
    expect(text(host, 100).openTaken).toBe(100)
    expect(host.take()).toEqual(['S 0:100(100) win 64240 <mss 1460>'])
    const asked = new Exchange('linux')
    expect(text(asked, 100, { fastOpenNoCookie: true }).openTaken).toBe(100)
  })

  test('TCP_FASTOPEN_CONNECT: the SYN waits for the first SEND', () => {
    const host = withCookie()
    const c = host.open({}, { fastOpenDeferred: true })
    expect([host.take(), c.synDeferred]).toEqual([[], true])
    expect(send(c, octets(50), 0, host.now)).toBe(50)
    expect(host.take()[0]).toMatch(/^S 0:50\(50\)/)
    expect(c.synDeferred).toBe(false)
  })

  test('a router for which SYN and text are too large: the SYN goes again alone, the text after the handshake', () => {
    const host = withCookie()
    text(host, 1000)
    host.take()
    host.icmp('fragmentation-needed', 0, 700)
    expect(host.take()).toEqual(['S 0:0(0) win 64240 <mss 1460>'])
    host.arrives('S.', { ack: 1, mss: 1460 })
    expect(host.take()[0]).toMatch(/^P\. 1:1001\(1000\) ack 1 /)
    expect(host.out.gsoSize).toBe(660)
  })

  test('off: a plain SYN', () => {
    const host = new Exchange('linux', { fastOpen: 0 })
    text(host, 100)
    expect(host.take()).toEqual(['S 0:0(0) win 64240 <mss 1460>'])
  })

  test('SYNs with text that go unanswered turn it off for a while, where the settings say so', () => {
    const host = withCookie({ fastOpenBlackholeTimeout: 3_600_000 })
    text(host, 100, { synRetries: 1 })
    host.advance(10_000)
    host.take()
    text(host, 100)
    expect(host.take()).toEqual(['S 0:0(0) win 64240 <mss 1460>'])
    host.arrives('R.', { ack: 1 })
    host.advance(3_600_000)
    text(host, 100)
    expect(host.take().at(-1)).toContain('FO')
  })
})

describe('server (RFC 7413 4.2.2)', () => {
  const key = new Uint8Array(16).fill(5)
  const cookie = fastOpenCookie(key, PEER, HERE)

  function listening(options: Partial<ProgramOptions> = {}, fastOpen = 0x3) {
    const host = new Exchange('linux', { fastOpen })
    return { host, listener: host.listen({ fastOpenQueue: 2, ...options }) }
  }

  test('a request is answered with a cookie', () => {
    const { host } = listening()
    host.arrives('S', { mss: 1460, cookie: new Uint8Array(0) })
    expect(host.take()).toEqual([`S. 0:0(0) ack 1 win 64240 <mss 1460,FO ${hex(cookie)},nop,nop>`])
  })

  test('text with a good cookie is there before the handshake is complete, and may be answered', () => {
    const { host, listener } = listening()
    host.arrives('S', { mss: 1460, cookie, length: 10 })
    expect(host.take()).toEqual(['S. 0:0(0) ack 11 win 64240 <mss 1460>'])
    expect([host.state(), listener.acceptable]).toEqual(['SYN-RECEIVED', 1])
    const c = listener.accept(host.told, host.now)!
    expect(receive(c, new Uint8Array(100), 0, host.now)).toBe(10)
    expect(send(c, octets(5), 0, host.now)).toBe(5)
    expect(host.take().at(-1)).toMatch(/^P\. 1:6\(5\) ack 11 /)
    host.arrives('.', { seq: 11, ack: 6 })
    expect(host.history.at(-1)).toBe('ESTABLISHED (rcv ACK of SYN)')
    expect(listener.fastOpenQueued).toBe(0)
  })

  test('a cookie of an older key is good, and the new one is given', () => {
    const { host } = listening()
    host.secrets.fastOpen.unshift(new Uint8Array(16).fill(9))
    host.arrives('S', { mss: 1460, cookie, length: 10 })
    const fresh = hex(fastOpenCookie(host.secrets.fastOpen[0]!, PEER, HERE))
    expect(host.take()).toEqual([`S. 0:0(0) ack 11 win 64240 <mss 1460,FO ${fresh},nop,nop>`])
  })

  test("a wrong cookie: the SYN alone is acknowledged, with the right cookie; a listener's own keys come first", () => {
    const { host } = listening()
    host.arrives('S', { mss: 1460, cookie: new Uint8Array(8), length: 10 })
    expect(host.take()).toEqual([`S. 0:0(0) ack 1 win 64240 <mss 1460,FO ${hex(cookie)},nop,nop>`])
    const own = listening({ fastOpenKeys: [new Uint8Array(16).fill(7)] })
    own.host.arrives('S', { mss: 1460, cookie, length: 10 })
    expect(own.host.take()[0]).toMatch(/^S\. 0:0\(0\) ack 1 /)
  })

  test('no more than the queue holds, until their handshakes are complete', () => {
    const { host, listener } = listening({ fastOpenQueue: 1 })
    host.arrives('S', { mss: 1460, cookie, length: 10, port: 1 })
    host.arrives('S', { mss: 1460, cookie, length: 10, port: 2 })
    expect(host.take().map((line) => line.includes('ack 11'))).toEqual([true, false])
    host.arrives('.', { seq: 11, ack: 1, port: 1 })
    host.arrives('S', { mss: 1460, cookie, length: 10, port: 3 })
    expect(host.take()[0]).toContain('ack 11')
    expect(listener.acceptable).toBe(2)
  })

  test('every listener takes part where the settings say so; cookies may be not needed', () => {
    const host = new Exchange('linux', { fastOpen: 0x602 })
    host.listen()
    host.arrives('S', { mss: 1460, length: 10 })
    expect(host.take()).toEqual(['S. 0:0(0) ack 11 win 64240 <mss 1460>'])
  })

  test('RST before accept: the program still gets the text, then the error', () => {
    const { host, listener } = listening()
    host.arrives('S', { mss: 1460, cookie, length: 10 })
    host.arrives('R', { seq: 11 })
    const c = listener.accept(host.told, host.now)!
    const target = new Uint8Array(100)
    expect(receive(c, target, 0, host.now)).toBe(10)
    expect(receive(c, target, 0, host.now)).toBe('ECONNRESET')
    expect(listener.fastOpenQueued).toBe(0)
  })

  test('an ICMP error before accept ends it, later it does not', () => {
    for (const [early, state] of [
      [true, 'CLOSED'],
      [false, 'SYN-RECEIVED'],
    ] as const) {
      const { host, listener } = listening()
      host.arrives('S', { mss: 1460, cookie, length: 10 })
      if (!early) listener.accept(host.told, host.now)
      host.icmp('host-unreachable', 0)
      expect(host.state()).toBe(state)
    }
  })

  test('close before the handshake is complete: RST for unread text, else FIN-WAIT-1', () => {
    for (const read of [false, true]) {
      const { host, listener } = listening()
      host.arrives('S', { mss: 1460, cookie, length: 10 })
      const c = listener.accept(host.told, host.now)!
      if (read) receive(c, new Uint8Array(100), 0, host.now)
      host.take()
      close(c, host.now)
      if (!read) {
        expect(host.take()).toEqual(['R. 1:1(0) ack 11 win 64230'])
        expect(host.history.at(-1)).toBe('CLOSED (CLOSE with unread text)')
        continue
      }
      expect(host.take().at(-1)).toMatch(/^F\. 1:1\(0\) ack 11/)
      host.arrives('.', { seq: 11, ack: 2 })
      expect(host.history.at(-1)).toBe('FIN-WAIT-2 (rcv ACK of FIN)')
    }
  })

  test('SYN,ACK is sent again, once more than for others, then it fails', () => {
    const { host, listener } = listening()
    host.arrives('S', { mss: 1460, cookie, length: 10 })
    const c = listener.accept(host.told, host.now)!
    host.take()
    host.advance(1000)
    expect(host.take()).toEqual(['S. 0:0(0) ack 11 win 64240 <mss 1460>'])
    host.advance(200_000)
    expect([host.take().length, c.error]).toEqual([5, 'ETIMEDOUT'])
  })

  test('a closed listener resets those it holds', () => {
    const { host, listener } = listening()
    host.arrives('S', { mss: 1460, cookie, length: 10 })
    host.take()
    listener.close(host.now)
    expect(host.take()[0]).toMatch(/^R\. 1:1\(0\) ack 11/)
    expect(host.history.at(-1)).toBe('CLOSED (listener closed)')
  })
})
