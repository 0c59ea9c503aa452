import { describe, expect, test } from 'vitest'
import { ACK, PSH } from '../../wire/index.js'
import { receive } from '../calls.js'
import { profile } from '../settings/profiles/index.js'
import { arrives, establishedConnection, LoneHost } from '../testing/lone-host.js'
import { firstWindow, receiveWindow } from './receive-window.js'

describe('the window of a SYN', () => {
  test('is all that the buffer allows (Linux), and the shift reaches the largest buffer [RFC 7323 2.2]', () => {
    const settings = profile('linux')
    settings.receiveBuffer = [4096, 540000, 15728640]
    expect(firstWindow(settings, 540000, false, 0, 1460, true)).toMatchObject({ window: 268640, shift: 8 })
    settings.receiveBuffer = [4096, 131072, 33554432]
    expect(firstWindow(settings, 131072, false, 0, 1460, true)).toMatchObject({ window: 64240, shift: 10 })
  })
  test('a buffer that the program fixed limits it, in whole segments (Linux)', () => {
    expect(firstWindow(profile('linux'), 40000, true, 0, 1460, true)).toMatchObject({ window: 18980, shift: 0 })
    expect(firstWindow(profile('linux'), 2000000, true, 0, 1460, true)).toMatchObject({ window: 998640, shift: 4 })
  })
  test('FreeBSD: 65535 and shift 6', () => {
    expect(firstWindow(profile('freebsd'), 65536, false, 0, 1460, true)).toMatchObject({ window: 65535, shift: 6 })
  })
  test('RFC 9293: all of the buffer', () => {
    expect(firstWindow(profile('rfc9293'), 4096, true, 0, 1460, false)).toMatchObject({ window: 4096, shift: 0 })
  })
})

describe('FreeBSD', () => {
  test('the buffer holds whole segments, and the window is what is free of it', () => {
    const host = new LoneHost('freebsd')
    const c = establishedConnection(host)
    expect(c.rcv.buffer).toBe(65700)
    arrives(host, c, { seq: 1, length: 1000 })
    arrives(host, c, { seq: 1001, length: 1000 })
    expect(host.take()).toEqual(['. 1:1(0) ack 2001 win 63700'])
    arrives(host, c, { seq: 3001, length: 1000 })
    // what is out of order lies in the window and does not make it smaller
    expect(host.take()).toEqual(['. 1:1(0) ack 2001 win 63700'])
  })
  test('a read that frees much is told to the peer, one that frees little is not [MUST-39]', () => {
    const host = new LoneHost('freebsd')
    const c = establishedConnection(host)
    for (let seq = 1; seq < 40000; seq += 2000) arrives(host, c, { seq, length: 2000, gsoSize: 1000 })
    host.take()
    receive(c, new Uint8Array(500), 0, host.now)
    expect(host.take()).toEqual([])
    receive(c, new Uint8Array(36000), 0, host.now)
    expect(host.take()).toEqual(['. 1:1(0) ack 40001 win 62200'])
  })
})

describe('RFC 9293', () => {
  test('[MUST-39] the right edge moves in steps of a segment or half the buffer', () => {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host, { buffer: 8000 })
    for (let seq = 1; seq < 8000; seq += 1000) arrives(host, c, { seq, length: 1000 })
    expect(host.take().at(-1)).toBe('. 1:1(0) ack 8001 win 0')
    receive(c, new Uint8Array(1000), 0, host.now)
    arrives(host, c, { seq: 8000, length: 0 })
    expect(host.take()).toEqual(['. 1:1(0) ack 8001 win 0'])
    receive(c, new Uint8Array(3100), 0, host.now)
    expect(host.take()).toEqual(['. 1:1(0) ack 8001 win 4100'])
  })
  test('[SHLD-14] the right edge never moves left when the buffer becomes smaller', () => {
    const host = new LoneHost('rfc9293')
    const c = establishedConnection(host, { buffer: 20000 })
    c.rcv.buffer = 5000
    arrives(host, c, { seq: 1, length: 1000 })
    arrives(host, c, { seq: 1001, length: 1000 })
    expect(host.take()).toEqual(['. 1:1(0) ack 2001 win 18000'])
    expect(receiveWindow(c)).toBe(18000)
  })
})

describe('Linux', () => {
  test('memory that text costs, headers and all, makes the window', () => {
    const host = new LoneHost('linux')
    const c = establishedConnection(host, { buffer: 20000, mss: 1000 })
    arrives(host, c, { seq: 1, length: 4000, gsoSize: 1000, flags: ACK | PSH })
    expect(host.take()).toEqual(['. 1:1(0) ack 4001 win 5000'])
  })
  test('the window slow-starts with what arrives, and does not shrink', () => {
    const host = new LoneHost('linux')
    const c = establishedConnection(host, { mss: 1000, windowScale: 7, sack: true })
    arrives(host, c, { seq: 2001, length: 9000, gsoSize: 1000 })
    expect(host.take()).toEqual(['. 1:1(0) ack 1 win 81 <nop,nop,sack 2001:11001>'])
    arrives(host, c, { seq: 11001, length: 10000, gsoSize: 1000 })
    expect(host.take()).toEqual(['. 1:1(0) ack 1 win 81 <nop,nop,sack 2001:21001>'])
  })
})
