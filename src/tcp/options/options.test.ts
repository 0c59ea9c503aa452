import { describe, expect, test } from 'vitest'
import { optionsText, Segment, summarizeSent } from '../../wire/index.js'
import { SynOffer } from '../open/syn-offer.js'
import { emitAck } from '../send/emit.js'
import { profile } from '../settings/profiles/index.js'
import { establishedConnection, LoneHost } from '../testing/lone-host.js'
import { userTimeoutArrives, userTimeoutOf, userTimeoutValue, writeSynOptions } from './options.js'

function layout(system: 'linux' | 'freebsd', set: Partial<SynOffer>): string {
  const offer = Object.assign(new SynOffer(), set)
  const out = new Segment()
  writeSynOptions(out, offer, profile(system))
  const { options } = summarizeSent(out)
  expect(options.length).toBeLessThanOrEqual(40)
  return optionsText(options, 0, options.length)
}

const all = { mss: 1460, windowScale: 8, sackPermitted: true, timestamps: true, tsVal: 100 }

describe('a SYN as Linux lays it out', () => {
  test('SACK-permitted fills the two octets before the timestamps', () => {
    expect(layout('linux', all)).toBe('mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8')
  })
  test('without timestamps', () => {
    expect(layout('linux', { ...all, timestamps: false })).toBe('mss 1460,nop,nop,sackOK,nop,wscale 8')
  })
  test('without SACK', () => {
    expect(layout('linux', { ...all, sackPermitted: false })).toBe('mss 1460,nop,nop,TS val 100 ecr 0,nop,wscale 8')
  })
  test('fast open: a request, a cookie, the experimental option [RFC 7413]', () => {
    const base = { ...all, timestamps: false }
    const cookie = Uint8Array.of(0xab, 0xcd, 0x12, 0x34)
    const rest = 'mss 1460,nop,nop,sackOK,nop,wscale 8'
    expect(layout('linux', { ...base, fastOpenCookie: new Uint8Array(0) })).toBe(`${rest},FO,nop,nop`)
    expect(layout('linux', { ...base, fastOpenCookie: cookie })).toBe(`${rest},FO abcd1234,nop,nop`)
    expect(layout('linux', { ...base, fastOpenCookie: cookie, fastOpenExperimental: true })).toBe(
      `${rest},FOEXP abcd1234`,
    )
  })
  test('AccECN counters, sharing words with what follows [RFC 9768 3.2.3.2]', () => {
    const counters = 'ECN e1b 1 ceb 0 e0b 1'
    expect(layout('linux', { ...all, accEcn: true })).toBe(
      `mss 1460,sackOK,TS val 100 ecr 0,${counters},nop,nop,wscale 8`,
    )
    expect(layout('linux', { ...all, timestamps: false, accEcn: true })).toBe(
      `mss 1460,${counters},nop,nop,nop,sackOK,nop,wscale 8`,
    )
  })
  test('an MD5 digest comes first', () => {
    const text = layout('linux', { ...all, timestamps: false, md5Key: Uint8Array.of(1) })
    expect(text).toMatch(/^nop,nop,md5 0{32},mss 1460,nop,nop,sackOK,nop,wscale 8$/)
  })
})

describe('a SYN as FreeBSD lays it out', () => {
  const base = { ...all, windowScale: 6 }
  test('all options, in the order of their RFCs', () => {
    expect(layout('freebsd', base)).toBe('mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0')
  })
  test('padding is EOL [MUST-69]', () => {
    expect(layout('freebsd', { mss: 1460, sackPermitted: true })).toBe('mss 1460,sackOK,eol,eol')
    expect(layout('freebsd', { ...base, fastOpenCookie: new Uint8Array(0) })).toBe(
      'mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0,FO,eol,eol',
    )
  })
  test('without SACK', () => {
    expect(layout('freebsd', { ...base, sackPermitted: false })).toBe('mss 1460,nop,wscale 6,nop,nop,TS val 100 ecr 0')
  })
  test('with an MD5 digest', () => {
    const key = Uint8Array.of(1)
    expect(layout('freebsd', { ...base, md5Key: key })).toMatch(/,TS val 100 ecr 0,nop,nop,md5 0{32}$/)
    expect(layout('freebsd', { mss: 1460, sackPermitted: true, md5Key: key })).toMatch(/^mss 1460,sackOK,md5 0{32}$/)
  })
  test('no options at all', () => {
    expect(layout('freebsd', {})).toBe('')
  })
})

test('a user time-out is told in seconds, or in minutes when it is long [RFC 5482 3]', () => {
  expect(userTimeoutOf(userTimeoutValue(30_000))).toBe(30_000)
  expect(userTimeoutValue(40_000_000) & 0x8000).toBe(0x8000)
  expect(userTimeoutOf(userTimeoutValue(40_020_000))).toBe(40_020_000)
})

test("the peer is told the time-out that the program chose; without one, the peer's is taken [RFC 5482 3.1]", () => {
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host)
  const seg = new Segment()
  seg.userTimeout = 300
  userTimeoutArrives(c, seg)
  expect(c.options.userTimeout).toBe(300_000)
  emitAck(c, host.now)
  expect(host.take()[0]).not.toContain('uto')
  const chosen = establishedConnection(host)
  chosen.ask({ userTimeout: 20_000 })
  userTimeoutArrives(chosen, seg)
  emitAck(chosen, host.now)
  expect(chosen.options.userTimeout).toBe(20_000)
  expect(host.take()[0]).toContain('<uto 20s>')
})
