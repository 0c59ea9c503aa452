import { expect, test } from 'vitest'
import { ACK, parseIpAddress, RST } from '../../wire/index.js'
import { arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'
import { timestampOffset } from './timestamps.js'

const open = (name: 'linux' | 'freebsd' | 'rfc9293' = 'rfc9293') => {
  const host = new LoneHost(name)
  host.now = 10_000
  return { host, c: establishedConnection(host, { timestamps: true }) }
}

test('an older timestamp than TS.Recent is dropped and acknowledged [RFC 7323 5.3 R1]', () => {
  const { host, c } = open()
  arrives(host, c, { seq: 1, length: 100, tsVal: 200 })
  arrives(host, c, { seq: 101, length: 100, tsVal: 201 })
  host.take()
  arrives(host, c, { seq: 201, length: 100, tsVal: 150 })
  expect(host.take()).toHaveLength(1)
  expect(c.rcv.queue.octets).toBe(200)
})

test('TS.Recent is taken from the segment that begins at or before Last.ACK.sent [RFC 7323 4.3]', () => {
  const { host, c } = open()
  arrives(host, c, { seq: 1, length: 100, tsVal: 200 })
  // not acknowledged yet: the delayed ACK echoes the first of the two
  arrives(host, c, { seq: 101, length: 100, tsVal: 300 })
  expect(host.take()[0]).toContain('ecr 200')
  arrives(host, c, { seq: 201, length: 100, tsVal: 400 })
  host.advance(500)
  expect(host.take()[0]).toContain('ecr 400')
})

test('an ACK of what was never sent does not change TS.Recent', () => {
  const { host, c } = open('linux')
  arrives(host, c, { seq: 1, ack: 9999, tsVal: 200_000 })
  arrives(host, c, { seq: 1, length: 1000, tsVal: 101 })
  expect(host.take().at(-1)).toContain('ecr 101')
})

test('text out of order does not change TS.Recent', () => {
  const { host, c } = open()
  arrives(host, c, { seq: 1001, length: 100, tsVal: 900 })
  expect(host.take()[0]).toContain('ecr 100')
})

test('a TS.Recent of 24 days ago says nothing [RFC 7323 5.5]', () => {
  const { host, c } = open()
  host.now += 25 * 24 * 3600 * 1000
  arrives(host, c, { seq: 1, length: 100, tsVal: 50 })
  expect(c.rcv.queue.octets).toBe(100)
  expect(c.rcv.tsRecent).toBe(50)
})

test('RST is exempt from PAWS [RFC 7323 5.2]', () => {
  const { host, c } = open()
  arrives(host, c, { seq: 1, flags: RST | ACK, tsVal: 1 })
  expect(c.state).toBe(0)
})

test('segments without the timestamps that were agreed: dropped, or tolerated as systems do [RFC 7323 3.2]', () => {
  for (const name of ['rfc9293', 'linux'] as const) {
    const { host, c } = open(name)
    c.snd.tsOk = false
    const arrive = () => arrives(host, c, { seq: 1, length: 100 })
    const segmentArrives = c.segmentArrives.bind(c)
    c.segmentArrives = (seg, now) => {
      c.snd.tsOk = true
      segmentArrives(seg, now)
    }
    arrive()
    expect(c.rcv.queue.octets).toBe(name === 'linux' ? 100 : 0)
  }
})

test('the clock of a pair of hosts has its own offset, the same for each connection [RFC 7323 7.1]', () => {
  const host = new LoneHost('linux', { timestamps: 1 })
  const [a, b, d] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((text) => parseIpAddress(text))
  expect(timestampOffset(host, a!, b!)).toBe(timestampOffset(host, a!, b!))
  expect(timestampOffset(host, a!, b!)).not.toBe(timestampOffset(host, a!, d!))
  host.settings.timestamps = 2
  expect(timestampOffset(host, a!, b!)).toBe(0)
})
