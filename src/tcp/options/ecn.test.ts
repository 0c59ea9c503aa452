import { describe, expect, test } from 'vitest'
import { ACK, AE, CE, CWR, ECE, ECT0, ECT1, NOT_ECT, PSH, Segment, SYN } from '../../wire/index.js'
import { emitAck } from '../send/emit.js'
import { profile } from '../settings/profiles/index.js'
import { arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'
import { aceFlags, OptionSeen } from './accecn.js'
import {
  acceptEcn,
  ecnOfSyn,
  ecnOfSynAck,
  ecnOfSynAgain,
  synAckEcnFlags,
  synAckHasAccEcnOption,
  synEcnFlags,
} from './ecn.js'

const settings = (ecn: 0 | 1 | 2 | 3 | 4 | 5) => Object.assign(profile('linux'), { ecn })
function syn(flags: number, field: number = NOT_ECT): Segment {
  const seg = new Segment()
  seg.flags = SYN | flags
  seg.ecn = field
  return seg
}
const ACCURATE = AE | CWR | ECE
const CLASSIC = CWR | ECE

describe('the handshake', () => {
  test('a SYN asks for what the setting says, and gives up asking when nothing answers [RFC 9768 3.1.4.1]', () => {
    expect([0, 1, 2].map((n) => synEcnFlags(settings(3), n))).toEqual([ACCURATE, ACCURATE, 0])
    expect([0, 1].map((n) => synEcnFlags(settings(1), n))).toEqual([CLASSIC, 0])
    expect(synEcnFlags(settings(4), 0)).toBe(CLASSIC)
    for (const ecn of [0, 2, 5] as const) expect(synEcnFlags(settings(ecn), 0)).toBe(0)
  })
  test('FreeBSD asks once more [ecn.maxretries]', () => {
    const s = Object.assign(profile('freebsd'), { ecn: 1 as const })
    expect([0, 1, 2].map((n) => synEcnFlags(s, n))).toEqual([CLASSIC, CLASSIC, 0])
  })
  test.each([
    [NOT_ECT, CWR],
    [ECT1, CWR | ECE],
    [ECT0, AE],
    [CE, AE | CWR],
  ])('a SYN-ACK reflects the ECN field of the SYN, %i [RFC 9768 table 2]', (field, flags) => {
    const agreed = ecnOfSyn(settings(3), syn(ACCURATE, field))
    expect(synAckEcnFlags(settings(3), agreed, 0)).toBe(flags)
    expect(synAckHasAccEcnOption(settings(3), agreed, 0)).toBe(true)
    expect(synAckHasAccEcnOption(settings(3), agreed, 1)).toBe(false)
    expect(synAckEcnFlags(settings(3), agreed, 1)).toBe(flags)
    expect(synAckEcnFlags(settings(3), agreed, 2)).toBe(0)
  })
  test('a host without AccECN answers as RFC 3168 says', () => {
    for (const asked of [ACCURATE, CLASSIC])
      expect(synAckEcnFlags(settings(1), ecnOfSyn(settings(1), syn(asked)), 0)).toBe(ECE)
    expect(synAckEcnFlags(settings(3), ecnOfSyn(settings(3), syn(CLASSIC)), 0)).toBe(ECE)
    expect(ecnOfSyn(settings(0), syn(ACCURATE))).toBe(0)
    expect(ecnOfSyn(settings(2), syn(0))).toBe(0)
  })
  test.each([
    ['no ECN', 0, 'none'],
    ['all flags reflected by a broken host', ACCURATE, 'none'],
    ['RFC 3168', ECE, 'classic'],
    ['AccECN', CWR, 'accurate'],
    ['AccECN, SYN arrived with CE', AE | CWR, 'accurate'],
  ])('a SYN-ACK of %s', (_what, flags, expected) => {
    const host = new LoneHost('linux', { ecn: 3 })
    const c = establishedConnection(host)
    ecnOfSynAck(c, syn(ACK | flags))
    expect(c.ecn === null ? 'none' : c.ecn.accurate ? 'accurate' : 'classic').toBe(expected)
  })
})

function accurate(changes = {}, opened = {}) {
  const host = new LoneHost('linux', { ecn: 3, ...changes })
  const c = establishedConnection(host, { sack: true, ...opened })
  const third = syn(0)
  third.flags = ACK | CWR
  acceptEcn(c, ecnOfSyn(host.settings, syn(ACCURATE)), third)
  return { host, c, ecn: c.ecn! }
}

describe('AccECN, receiving [RFC 9768 3.2.2]', () => {
  test('every CE mark moves the ACE field on by one, modulo 8, from 5', () => {
    const { host, c } = accurate()
    const aces: number[] = []
    for (let i = 0; i < 5; i++) {
      arrives(host, c, { seq: 1 + i * 1000, length: 1000, ecn: CE })
      aces.push((host.out.flags >>> 6) & 7)
      host.advance(50)
    }
    expect(aces).toEqual([6, 7, 0, 1, 2])
  })
  test('a cleared third ACK means that the path clears the field: no more ECT', () => {
    const { host, c, ecn } = accurate()
    ecn.aceBroken = true
    emitAck(c, host.now)
    expect(host.out.ecn).toBe(NOT_ECT)
    expect(host.out.flags & ACCURATE).toBe(aceFlags(5))
  })
  test('a SYN whose field was cleared when it came again', () => {
    const agreed = ecnOfSynAgain(ecnOfSyn(settings(3), syn(ACCURATE, ECT0)), syn(0))
    const host = new LoneHost('linux', { ecn: 3 })
    const c = establishedConnection(host)
    acceptEcn(c, agreed, Object.assign(syn(0), { flags: ACK | CWR }))
    expect(c.ecn!.aceBroken).toBe(true)
  })
  test('the option is sent once the peer has sent one, and gives way or makes room for SACK blocks', () => {
    const { host, c, ecn } = accurate({}, { timestamps: true })
    arrives(host, c, { seq: 1001, length: 1000, ecn: ECT1 })
    expect(host.take()[0]).toMatch(/<nop,nop,TS val \d+ ecr 100,nop,nop,sack 1001:2001>$/)
    ecn.optionSeen = OptionSeen.Counters
    arrives(host, c, { seq: 3001, length: 1000, ecn: ECT1 })
    expect(host.take()[0]).toContain('ECN e1b 2001 ceb 0,nop,nop,sack 3001:4001 1001:2001>')
    arrives(host, c, { seq: 5001, length: 1000, ecn: CE })
    expect(host.take()[0]).toContain('ECN e1b 2001 ceb 1000,nop,nop,sack 5001:6001 3001:4001>')
    arrives(host, c, { seq: 6001, length: 1000, ecn: ECT0 })
    expect(host.take()[0]).toMatch(/ecr 100,nop,nop,sack 5001:7001 3001:4001 1001:2001>$/)
  })
  test('options stop when ACKs with them seem to be lost', () => {
    const { host, c, ecn } = accurate()
    ecn.optionSeen = OptionSeen.Counters
    arrives(host, c, { seq: 1, length: 1000, ecn: ECT0 })
    arrives(host, c, { seq: 1, length: 1000, ecn: ECT0 })
    expect(host.take().every((line) => line.includes('ECN'))).toBe(true)
    arrives(host, c, { seq: 1, length: 1000, ecn: ECT0 })
    expect(host.take()[0]).toMatch(/<nop,nop,sack 1:1001>$/)
  })
})

describe('RFC 3168', () => {
  function classic() {
    const host = new LoneHost('linux', { ecn: 1 })
    const c = establishedConnection(host, { sack: true })
    acceptEcn(c, ecnOfSyn(host.settings, syn(CLASSIC)), syn(ACK))
    return { host, c }
  }
  test('CE is echoed by ECE on every ACK until CWR [6.1.3]', () => {
    const { host, c } = classic()
    arrives(host, c, { seq: 1, length: 1000, ecn: CE, flags: ACK | PSH })
    arrives(host, c, { seq: 1001, length: 1000, ecn: ECT0, flags: ACK | PSH })
    expect(host.take().map((line) => line.slice(0, 2))).toEqual(['E.', 'E.'])
    arrives(host, c, { seq: 2001, length: 1000, ecn: ECT0, flags: ACK | PSH | CWR })
    expect(host.take()[0]!.slice(0, 2)).toBe('. ')
  })
  test('a pure ACK is not ECT [6.1.4]', () => {
    const { host, c } = classic()
    emitAck(c, host.now)
    expect(host.out.ecn).toBe(NOT_ECT)
  })
})
