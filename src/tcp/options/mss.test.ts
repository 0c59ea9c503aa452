import { describe, expect, test } from 'vitest'
import { parseIpAddress, Segment } from '../../wire/index.js'
import { appendText } from '../send/append-text.js'
import { mssChanged } from '../send/output.js'
import { profile } from '../settings/profiles/index.js'
import { type Arrival, arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'
import { advertisedMss, agreeOptions, peerMss, sendMss } from './mss.js'

const v4 = parseIpAddress('192.0.2.1')
const v6 = parseIpAddress('2001:db8::1')
const rfc = profile('rfc9293')

function synWithMss(mss: number): Segment {
  const seg = new Segment()
  seg.mss = mss
  return seg
}

test('[MUST-67] [MUST-14] [SHLD-5] [MAY-3] the MSS advertised is what the IP layer takes less 20 octets of TCP header', () => {
  expect(advertisedMss(rfc, 1500, v4, 0)).toBe(1460)
  expect(advertisedMss(rfc, 1500, v6, 0)).toBe(1440)
  expect(advertisedMss(rfc, 9000, v4, 0)).toBe(8960)
})

test('an MSS is never larger than its option can say', () => {
  expect(advertisedMss(rfc, 70_000, v4, 0)).toBe(65_535)
})

test('a program may ask for less (TCP_MAXSEG)', () => {
  expect(advertisedMss(rfc, 1500, v4, 1100)).toBe(1100)
  expect(peerMss(rfc, synWithMss(1460), v4, 1100)).toBe(1100)
})

test('[MUST-15] a peer that says nothing takes 536 octets with IPv4, 1220 with IPv6', () => {
  expect(peerMss(rfc, synWithMss(-1), v4, 0)).toBe(536)
  expect(peerMss(rfc, synWithMss(-1), v6, 0)).toBe(1220)
  expect(peerMss(rfc, synWithMss(0), v4, 0)).toBe(536)
})

test('[MUST-14] the MSS that a peer sends is kept', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host, { mss: 900 })
  expect(c.snd.peerMss).toBe(900)
})

describe('[MUST-16] the effective send MSS', () => {
  test("is the smaller of the peer's and the path's", () => {
    expect(sendMss(rfc, 1460, 1500, v4)).toBe(1460)
    expect(sendMss(rfc, 1460, 1400, v4)).toBe(1360)
    expect(sendMss(rfc, 900, 1500, v4)).toBe(900)
  })
  test('is less by the options that a segment carries [RFC 6691]', () => {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host, { timestamps: true, sack: true })
    appendText(c, new Uint8Array(1448), 0, host.now)
    expect(host.take()[0]).toMatch(/^P?\. 1:1449\(1448\)/)
    // a SACK block takes another 12
    arrives(host, c, { seq: 1001, length: 10, ack: 1449 } satisfies Arrival)
    host.take()
    appendText(c, new Uint8Array(3000), 0, host.now)
    expect(host.take()[0]).toMatch(/1449:2885\(1436\)/)
  })
  test('follows the path', () => {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host)
    c.path.mtu = 1000
    mssChanged(c, host.now)
    expect(c.snd.mss).toBe(960)
  })
})

describe('what a SYN-ACK settles', () => {
  const all = { windowScaling: true, sack: true, timestamps: true }
  function settle(change: (seg: Segment) => void, offered = all) {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host)
    c.rcv.wscale = 6
    const seg = synWithMss(1460)
    change(seg)
    agreeOptions(c, seg, offered, host.now)
    return c
  }
  test('only what both sent is used [RFC 7323 1.3, RFC 2018 2]', () => {
    const both = (seg: Segment) => {
      seg.windowScale = 7
      seg.sackPermitted = true
      seg.hasTimestamps = true
      seg.tsVal = 5
    }
    expect(settle(both)).toMatchObject({
      snd: { wscaleOk: true, wscale: 7, sackOk: true, tsOk: true },
      rcv: { wscale: 6, tsRecent: 5 },
    })
    const none = { windowScaling: false, sack: false, timestamps: false }
    for (const c of [settle(() => {}), settle(both, none)])
      expect(c).toMatchObject({ snd: { wscaleOk: false, wscale: 0, sackOk: false, tsOk: false }, rcv: { wscale: 0 } })
  })
  test('a shift over 14 is used as 14 [RFC 7323 2.3]', () => {
    expect(settle((seg) => (seg.windowScale = 20)).snd.wscale).toBe(14)
  })
})
