import { expect, test } from 'vitest'
import { parseIpAddress } from '../../wire/index.js'
import { LoneHost } from '../testing/lone-host.js'
import { continueIsn, initialSequence } from './isn.js'

const a = parseIpAddress('192.0.2.1')
const b = parseIpAddress('192.0.2.2')
const six = parseIpAddress('2001:db8::1')

test('[MUST-8] the ISN of a pair of sockets grows by one every 4 microseconds', () => {
  const host = new LoneHost('rfc9293')
  const first = initialSequence(host, a, 1, b, 2, 0)
  expect((initialSequence(host, a, 1, b, 2, 0.004) - first) | 0).toBe(1)
  expect((initialSequence(host, a, 1, b, 2, 1000) - first) | 0).toBe(250_000)
  // the clock is modulo 2^32
  expect((initialSequence(host, a, 1, b, 2, 2 ** 32 / 250) - first) | 0).toBe(0)
})

test('[MUST-9] [SHLD-1] ISNs of other sockets, and of a host with another secret, tell nothing of it', () => {
  const host = new LoneHost('rfc9293')
  const other = new LoneHost('rfc9293')
  other.secrets.isn[0] = 9
  const all = [
    initialSequence(host, a, 1, b, 2, 0),
    initialSequence(host, a, 1, b, 3, 0),
    initialSequence(host, a, 2, b, 2, 0),
    initialSequence(host, b, 1, a, 2, 0),
    initialSequence(host, six, 1, six, 2, 0),
    initialSequence(other, a, 1, b, 2, 0),
  ]
  expect(new Set(all).size).toBe(all.length)
  for (const isn of all) expect(isn).toBe(isn | 0)
})

test('a connection that takes over the ports of TIME-WAIT begins beyond anything the old one sent', () => {
  expect(continueIsn(0x7fff_ffff)).toBe((0x7fff_ffff + 65537) | 0)
})
