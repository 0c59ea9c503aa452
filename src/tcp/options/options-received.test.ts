import { expect, test } from 'vitest'
import { ACK, FIN, parseTcp, Segment, SYN } from '../../wire/index.js'
import { State } from '../states/state-name.js'
import { establishedConnection, LoneHost } from '../testing/lone-host.js'

/** A segment as it comes off the wire, with these octets as options. */
function withOptions(
  c: { rcv: { irs: number }; snd: { iss: number } },
  options: number[],
  flags: number,
  text: number,
): Segment {
  const padded = [...options]
  while (padded.length % 4 !== 0) padded.push(0)
  const bytes = new Uint8Array(20 + padded.length + text)
  const view = new DataView(bytes.buffer)
  view.setInt32(4, c.rcv.irs + 1)
  view.setInt32(8, c.snd.iss + 1)
  view.setUint16(12, (((20 + padded.length) / 4) << 12) | flags)
  view.setUint16(14, 65535)
  bytes.set(padded, 20)
  const seg = new Segment()
  expect(parseTcp(bytes, 0, bytes.length, seg, false)).toBeNull()
  return seg
}

const MSS = [2, 4, 0x05, 0xb4]
const UNKNOWN = [253, 6, 1, 2, 3, 4]
const TIMESTAMPS = [8, 10, 0, 0, 0, 200, 0, 0, 0, 0]

test('[MUST-4] end of list, no-operation and MSS are understood', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host)
  const seg = withOptions(c, [1, 1, ...MSS, 0, 99, 99], SYN, 0)
  expect(seg.mss).toBe(1460)
})

test('[MUST-5] an option in any segment does no harm', () => {
  for (const flags of [ACK, ACK | FIN]) {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host)
    c.segmentArrives(withOptions(c, [...MSS, 3, 3, 7, 4, 2], flags, 100), host.now)
    expect(c.rcv.queue.octets).toBe(100)
    expect(c.snd.wscale).toBe(0)
    expect(c.state).toBe(flags & FIN ? State.CloseWait : State.Established)
  }
})

test('[MUST-6] [MUST-68] an option that is not known is passed over by its length', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host, { timestamps: true })
  c.segmentArrives(withOptions(c, [...UNKNOWN, ...TIMESTAMPS], ACK, 100), host.now)
  expect(c.rcv.queue.octets).toBe(100)
  expect(c.rcv.tsRecent).toBe(200)
})

test('[MUST-64] an option need not begin on a word boundary', () => {
  for (let shift = 0; shift < 4; shift++) {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host, { timestamps: true })
    const nops = new Array<number>(shift).fill(1)
    c.segmentArrives(withOptions(c, [...nops, ...TIMESTAMPS], ACK, 100), host.now)
    expect(c.rcv.tsRecent).toBe(200)
  }
})

test('[MUST-7] an illegal length is survived, and the connection with it', () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host)
  for (const options of [[5, 0], [5, 1], [5, 40, 1, 1], [8]]) {
    c.segmentArrives(withOptions(c, options, ACK, 0), host.now)
    expect(c.state).toBe(State.Established)
  }
})
