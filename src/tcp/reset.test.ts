import { describe, expect, test } from 'vitest'
import { Segment } from '../wire/index.js'
import { segmentForNobody } from './reset.js'
import { Exchange, HERE, PEER } from './testing/exchange.js'

describe('a segment for no connection (RFC 9293 3.10.7.1)', () => {
  test.each([
    ['.', { seq: 3, ack: 7 }, ['R 7:7(0) win 0']],
    ['S.', { seq: 3, ack: 7 }, ['R 7:7(0) win 0']],
    ['FP.', { seq: 3, ack: 7, length: 10 }, ['R 7:7(0) win 0']],
    ['S', { seq: 3 }, ['R. 0:0(0) ack 4 win 0']],
    ['SF', { seq: 3, length: 10 }, ['R. 0:0(0) ack 15 win 0']],
    ['P', { seq: 3, length: 10 }, ['R. 0:0(0) ack 13 win 0']],
    ['R', { seq: 3 }, []],
    ['R.', { seq: 3, ack: 7 }, []],
  ])('%s %o', (flags, what, answer) => {
    const host = new Exchange()
    host.arrives(flags, what)
    expect(host.take()).toEqual(answer)
  })

  test('a black hole swallows SYNs, or everything', () => {
    for (const [blackhole, answers] of [
      [1, 1],
      [2, 0],
    ] as const) {
      const host = new Exchange('freebsd', { blackhole })
      host.arrives('S')
      host.arrives('.', { ack: 1 })
      expect(host.take()).toHaveLength(answers)
    }
  })

  test('FreeBSD sends at most 200 RST a second', () => {
    const host = new Exchange('freebsd')
    for (let i = 0; i < 300; i++) host.arrives('.', { ack: 1 })
    expect(host.take()).toHaveLength(200)
    host.advance(1000)
    host.arrives('.', { ack: 1 })
    expect(host.take()).toHaveLength(1)
  })

  test('SYN and FIN together, where that is dropped', () => {
    const host = new Exchange('freebsd', { dropSynFin: true })
    host.arrives('SF')
    expect(host.take()).toEqual([])
    host.listen()
    host.arrives('SF')
    expect(host.take()).toEqual([])
  })

  test('what a socket bound to the port asks of its packets, the RST has; its key signs it', () => {
    const host = new Exchange()
    const seg = new Segment()
    seg.source = PEER
    seg.destination = HERE
    seg.flags = 0x10
    segmentForNobody(host, seg, 0, false, { ttl: 4, dscp: 8, md5Key: new Uint8Array(4) })
    expect([host.out.ttl, host.out.dscp, host.out.md5At, host.out.optionBytesLength]).toEqual([4, 8, 4, 20])
  })
})
