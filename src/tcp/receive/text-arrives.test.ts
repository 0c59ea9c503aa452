import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ACK, FIN } from '../../wire/index.js'
import { receive } from '../calls.js'
import { State } from '../states/state-name.js'
import { arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'

const octets = (from: number, length: number) => Array.from({ length }, (_, i) => (from + i) & 255)

describe.each(['rfc9293', 'freebsd', 'linux'] as const)('%s', (name) => {
  test('text in any order and overlap is read as sent, and the FIN at its end ends it [SHLD-31]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9000), fc.integer({ min: 1, max: 1460 })), { maxLength: 40 }),
        fc.array(fc.nat(4000), { minLength: 1, maxLength: 10 }),
        fc.nat(39),
        (segments, reads, finAt) => {
          const host = new LoneHost(name)
          const c = establishedConnection(host, { sack: true })
          const last = 10_460
          const read: number[] = []
          const target = new Uint8Array(last)
          const take = (n: number) => {
            const taken = receive(c, target.subarray(0, n), 0, host.now)
            if (typeof taken === 'number') read.push(...target.subarray(0, taken))
          }
          for (const [i, [offset, length]] of segments.entries()) {
            arrives(host, c, { seq: 1 + offset, length })
            if (i === finAt) arrives(host, c, { seq: 1 + last, flags: ACK | FIN })
            take(reads[i % reads.length]!)
            host.advance(1)
          }
          for (let seq = 1; seq <= last; seq += 1000) {
            arrives(host, c, { seq, length: Math.min(1000, last + 1 - seq) })
            take(last)
          }
          arrives(host, c, { seq: 1 + last, flags: ACK | FIN })
          take(last)
          expect(read).toEqual(octets(1, last))
          expect(c.state).toBe(State.CloseWait)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('[MUST-66] at a zero window the ACK of a segment is processed though its text is not', () => {
    const host = new LoneHost(name, { autotuneReceiveBuffer: false })
    const c = establishedConnection(host, { buffer: 4000 })
    arrives(host, c, { seq: 1, length: 500 })
    host.advance(500)
    c.rcv.buffer = c.rcv.queue.octets
    c.rcv.wnd = 0
    c.rcv.wup = c.rcv.nxt
    c.rcv.maxEdge = (c.rcv.nxt + 100) | 0
    const before = c.rcv.nxt
    const { nxt } = c.snd
    c.snd.nxt = (nxt + 100) | 0
    host.take()
    arrives(host, c, { seq: (before - c.rcv.irs) | 0, length: 100, window: 1234 })
    expect(c.rcv.nxt).toBe(before)
    expect(c.snd.wnd).toBe(1234)
    expect(host.take().length).toBeGreaterThan(0)
  })

  test('an old duplicate is acknowledged and reported as such [RFC 2883]', () => {
    const host = new LoneHost(name)
    const c = establishedConnection(host, { sack: true })
    arrives(host, c, { seq: 1, length: 1000 })
    host.advance(500)
    host.take()
    arrives(host, c, { seq: 1, length: 1000 })
    expect(host.take()[0]).toMatch(/ack 1001 win \d+ <nop,nop,sack 1:1001>$/)
  })

  test('what overlaps text out of order is reported once', () => {
    const host = new LoneHost(name)
    const c = establishedConnection(host, { sack: true })
    for (const seq of [200, 400, 600]) arrives(host, c, { seq, length: 100 })
    host.take()
    arrives(host, c, { seq: 250, length: 150 })
    expect(host.take()[0]).toMatch(/<nop,nop,sack 250:300 200:500 600:700>$/)
    arrives(host, c, { seq: 700, length: 10 })
    expect(host.take()[0]).toMatch(/<nop,nop,sack 600:710 200:500>$/)
  })
})

test('a FIN out of order waits for the text before it', () => {
  const host = new LoneHost('freebsd')
  const c = establishedConnection(host, { sack: true })
  arrives(host, c, { seq: 16, length: 16 })
  arrives(host, c, { seq: 32, flags: ACK | FIN })
  arrives(host, c, { seq: 1, length: 15 })
  expect(host.take().map((line) => line.replace(/ win \d+/, ''))).toEqual([
    '. 1:1(0) ack 1 <nop,nop,sack 16:32>',
    '. 1:1(0) ack 1 <nop,nop,sack 16:32>',
    '. 1:1(0) ack 33',
  ])
  expect(c.state).toBe(State.CloseWait)
})

test('text beyond the window is trimmed [RFC 9293 3.10.7.4]', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host, { buffer: 1000 })
  arrives(host, c, { seq: 1, length: 1400 })
  expect(c.rcv.queue.octets).toBe(1000)
  expect(host.take()).toEqual(['. 1:1(0) ack 1001 win 0'])
})

test('text after the end of reading is acknowledged and thrown away', () => {
  const host = new LoneHost('freebsd')
  const c = establishedConnection(host)
  c.rcv.shutdown = true
  arrives(host, c, { seq: 1, length: 1000 })
  arrives(host, c, { seq: 1001, length: 1000 })
  expect(c.rcv.queue.octets).toBe(0)
  expect(host.take()[0]).toContain('ack 2001 win 65535')
})
