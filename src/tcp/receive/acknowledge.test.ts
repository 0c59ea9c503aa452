import { describe, expect, test } from 'vitest'
import { receive } from '../calls.js'
import { arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'
import { acknowledgeOwing, setQuickAck } from './acknowledge.js'

describe.each(['rfc9293', 'freebsd'] as const)('%s', (name) => {
  test('[SHLD-18] [MUST-40] an ACK is delayed, but less than half a second', () => {
    const host = new LoneHost(name)
    const c = establishedConnection(host)
    arrives(host, c, { seq: 1, length: 1000 })
    expect(host.take()).toEqual([])
    host.advance(499)
    expect(host.take()).toHaveLength(1)
  })
  test('[SHLD-19] every second full segment is acknowledged at once', () => {
    const host = new LoneHost(name)
    const c = establishedConnection(host)
    arrives(host, c, { seq: 1, length: 1460 })
    arrives(host, c, { seq: 1461, length: 1460 })
    expect(host.take()).toHaveLength(1)
    arrives(host, c, { seq: 2921, length: 1460 })
    expect(host.take()).toEqual([])
    host.advance(499)
    expect(host.take()).toHaveLength(1)
  })
  test('text out of order, and text that fills a gap, is acknowledged at once [RFC 5681 4.2]', () => {
    const host = new LoneHost(name)
    const c = establishedConnection(host)
    arrives(host, c, { seq: 1001, length: 1000 })
    arrives(host, c, { seq: 3001, length: 1000 })
    expect(host.take()).toHaveLength(2)
    arrives(host, c, { seq: 1, length: 1000 })
    expect(host.take()[0]).toContain('ack 2001')
  })
})

describe('Linux', () => {
  test('the first segments are acknowledged at once, later ones after 40 ms', () => {
    const host = new LoneHost('linux')
    const c = establishedConnection(host)
    const target = new Uint8Array(5000)
    for (let i = 0; i < 16; i++) {
      arrives(host, c, { seq: 1 + i * 1000, length: 1000 })
      expect(host.take(), `segment ${i}`).toHaveLength(1)
      receive(c, target, 0, host.now)
      host.advance(5)
    }
    host.take()
    arrives(host, c, { seq: 16001, length: 1000 })
    expect(host.take()).toEqual([])
    host.advance(39)
    expect(host.take()).toEqual([])
    host.advance(2)
    expect(host.take()).toHaveLength(1)
  })
  test('a pause longer than the RTO brings quick ACKs back', () => {
    const host = new LoneHost('linux')
    const c = establishedConnection(host)
    const target = new Uint8Array(5000)
    for (let i = 0; i < 20; i++) {
      arrives(host, c, { seq: 1 + i * 1000, length: 1000 })
      receive(c, target, 0, host.now)
    }
    host.advance(5000)
    host.take()
    arrives(host, c, { seq: 20001, length: 1000 })
    expect(host.take()).toHaveLength(1)
  })
  test('TCP_QUICKACK 0 delays ACKs from now on', () => {
    const host = new LoneHost('linux')
    const c = establishedConnection(host)
    setQuickAck(c, false, host.now)
    arrives(host, c, { seq: 1, length: 1000 })
    expect(host.take()).toEqual([])
    host.advance(41)
    expect(host.take()).toHaveLength(1)
  })
  test('after three duplicates, ACKs for text out of order are compressed', () => {
    const host = new LoneHost('linux')
    const c = establishedConnection(host, { sack: true })
    c.rcv.rtt8 = 8 * 100
    const target = new Uint8Array(5000)
    for (let i = 0; i < 20; i++) {
      arrives(host, c, { seq: 1 + i * 1000, length: 1000 })
      receive(c, target, 0, host.now)
    }
    host.advance(100)
    host.take()
    for (let i = 0; i < 6; i++) arrives(host, c, { seq: 22001 + i * 1000, length: 1000 })
    const atOnce = host.take().length
    expect(atOnce).toBeLessThan(6)
    host.advance(2)
    expect(host.take()).toHaveLength(1)
  })
})

test('a read sends the ACK that waited for it (Linux)', () => {
  const host = new LoneHost('linux')
  const c = establishedConnection(host, { buffer: 40000 })
  arrives(host, c, { seq: 1, length: 16000, gsoSize: 1000 })
  host.take()
  c.rcv.quick = 0
  arrives(host, c, { seq: 16001, length: 2000, gsoSize: 1000 })
  receive(c, new Uint8Array(20000), 0, host.now)
  expect(host.take().length).toBeGreaterThan(0)
})

test('[MUST-58] [MUST-59] segments that arrive together are processed before one ACK is sent for all', () => {
  for (const name of ['rfc9293', 'freebsd', 'linux'] as const) {
    const host = new LoneHost(name)
    const c = establishedConnection(host)
    host.moreArriving = true
    for (let i = 0; i < 10; i++) arrives(host, c, { seq: 1 + i * 1460, length: 1460 })
    expect(host.take()).toEqual([])
    host.moreArriving = false
    acknowledgeOwing(host, host.now)
    expect(host.take()).toHaveLength(1)
  }
})

test('duplicate ACKs are not among them: the sender counts them [RFC 5681 3.2]', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host)
  host.moreArriving = true
  for (let i = 1; i < 5; i++) arrives(host, c, { seq: 1 + i * 1460, length: 1460 })
  expect(host.take()).toHaveLength(4)
})
