import { expect, test } from 'vitest'
import { ACK, URG } from '../../wire/index.js'
import { receive } from '../calls.js'
import { Ready } from '../connection.js'
import { arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'
import { atMark, readable, readUrgent } from './urgent.js'

function open(inline: boolean) {
  const told: number[] = []
  const host = new LoneHost('rfc9293')
  const c = establishedConnection(host, { user: { notify: (_c, ready) => told.push(ready) } })
  c.ask({ oobInline: inline })
  return { host, c, told, target: new Uint8Array(100) }
}

test('[MUST-30] [MUST-32] the program is told at once of urgent text, though it is still on its way [RFC 6093]', () => {
  const { host, c, told } = open(true)
  arrives(host, c, { seq: 1, length: 10, flags: ACK | URG, urgentPointer: 500 })
  expect(told).toContain(Ready.Urgent)
  expect(readUrgent(c, false)).toBe('EINVAL')
})

test('[MUST-62] the pointer is to the octet after the urgent ones', () => {
  const { host, c, target } = open(false)
  arrives(host, c, { seq: 1, length: 5, flags: ACK | URG, urgentPointer: 3 })
  expect(readUrgent(c, true)).toBe(3)
  expect(readUrgent(c, false)).toBe(3)
  expect(readUrgent(c, false)).toBe('EINVAL')
  expect(readable(c)).toBe(2)
  expect(receive(c, target, 0, 0)).toBe(2)
  expect(atMark(c)).toBe(true)
  expect(receive(c, target, 0, 0)).toBe(2)
  expect(Array.from(target.subarray(0, 2))).toEqual([4, 5])
})

test('[MUST-33] in line, reading stops at the mark and the program can see it', () => {
  const { host, c, target } = open(true)
  arrives(host, c, { seq: 1, length: 5, flags: ACK | URG, urgentPointer: 3 })
  expect(receive(c, target, 0, 0)).toBe(2)
  expect(atMark(c)).toBe(true)
  expect(receive(c, target, 0, 0)).toBe(3)
  expect(Array.from(target.subarray(0, 3))).toEqual([3, 4, 5])
  expect(atMark(c)).toBe(false)
})

test('[MUST-31] urgent text may be of any length', () => {
  const { host, c } = open(true)
  arrives(host, c, { seq: 1, length: 1, flags: ACK | URG, urgentPointer: 60_000 })
  for (let seq = 2; seq < 59_000; seq += 1000)
    arrives(host, c, { seq, length: 1000, flags: ACK | URG, urgentPointer: 60_001 - seq })
  expect(c.rcv.urgent).toBe(true)
  expect((c.rcv.up - c.rcv.irs) | 0).toBe(60_001)
})

test('a pointer that was seen before tells nothing new', () => {
  const { host, c, told } = open(false)
  arrives(host, c, { seq: 1, length: 5, flags: ACK | URG, urgentPointer: 3 })
  told.length = 0
  arrives(host, c, { seq: 1, length: 5, flags: ACK | URG, urgentPointer: 3 })
  expect(told).not.toContain(Ready.Urgent)
})

test('announced but not arrived: EAGAIN', () => {
  const { host, c } = open(false)
  arrives(host, c, { seq: 1, length: 1, flags: ACK | URG, urgentPointer: 100 })
  expect(readUrgent(c, false)).toBe('EAGAIN')
})
