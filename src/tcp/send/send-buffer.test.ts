import { describe, expect, test } from 'vitest'
import { Ready } from '../connection.js'
import { Sender } from '../testing/sender.js'
import { KEEP_CHUNK } from './append-text.js'
import { setSendBuffer, writable } from './send-buffer.js'
import { SendQueue } from './send-queue.js'

/** A program that notes what it is told. */
function listening(profile: 'rfc9293' | 'linux', changes = {}) {
  const told: number[] = []
  const s = new Sender(profile, changes, { user: { notify: (_c, ready) => void told.push(ready) } })
  return { s, told: () => told.splice(0).reduce((a, b) => a | b, 0) }
}

describe('the send buffer', () => {
  test('takes what fits, and the rest when there is room again', () => {
    const { s, told } = listening('rfc9293', { autotuneSendBuffer: false })
    setSendBuffer(s.c, 20_000)
    expect(s.write(30_000)).toBe(20_000)
    expect(s.write(1)).toBe(0)
    expect(writable(s.c)).toBe(false)
    told()
    s.ack(5001)
    expect(told() & Ready.Writable).toBe(0)
    s.ack(10_001)
    expect(told() & Ready.Writable).toBe(Ready.Writable)
    expect(s.write(30_000)).toBe(10_000)
  })
  test('Linux charges overhead and takes whole records', () => {
    const { s } = listening('linux', { autotuneSendBuffer: false })
    setSendBuffer(s.c, 50_000)
    const taken = s.write(200_000)
    expect(taken).toBeGreaterThanOrEqual(50_000)
    expect(taken % 1000).toBe(0)
    expect(s.write(1)).toBe(0)
  })
  test('grows with the congestion window unless the program fixed it', () => {
    const { s } = listening('linux')
    const before = s.c.snd.buffer
    s.write(1_000_000)
    for (let i = 1; i <= 40; i++) s.ack(i * 1000 + 1)
    expect(s.c.snd.buffer).toBeGreaterThan(before)
    const fixed = listening('linux').s
    setSendBuffer(fixed.c, 30_000)
    fixed.write(1_000_000)
    for (let i = 1; i <= 20; i++) fixed.ack(i * 1000 + 1)
    expect(fixed.c.snd.buffer).toBe(30_000)
  })
  test('TCP_NOTSENT_LOWAT: no more than that waits unsent', () => {
    const { s, told } = listening('linux', {})
    s.c.ask({ notSentLowat: 4000 })
    s.write(10_000)
    const taken = s.write(100_000)
    expect(taken).toBeLessThan(70_000)
    expect(s.write(100)).toBe(0)
    told()
    s.ack(2001)
    expect(told() & Ready.Writable).toBe(0)
  })
})

describe('the text', () => {
  const text = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => (from + i) & 255)
  test('is copied out by sequence number, across blocks and past 2^32', () => {
    const queue = new SendQueue(-100_000, 0)
    queue.append(0)
    for (let i = 0; i < 300; i++) queue.appendText(text(i * 700, 700), 0, 700, i % 7 === 0)
    expect(queue.writeSeq).toBe(110_000)
    const target = new Uint8Array(3000)
    for (const at of [0, 650, 99_990, 100_000, 207_000, 12_345]) {
      queue.copyText((-100_000 + at) | 0, 3000, target, 0)
      expect([...target.slice(0, 3000)]).toEqual([...text(at, 3000)])
    }
    queue.release((-100_000 + 70_000) | 0)
    queue.copyText((-100_000 + 70_000) | 0, 100, target, 7)
    expect([...target.slice(7, 107)]).toEqual([...text(70_000, 100)])
  })
  test('a chunk the program gave away is not copied', () => {
    const s = new Sender('linux')
    const chunk = text(0, 500)
    expect(s.write(0)).toBe(0)
    s.c.ask({ noDelay: true })
    expect(s.write(500, KEEP_CHUNK)).toBe(500)
    const target = new Uint8Array(500)
    s.c.snd.queue.copyText((s.c.snd.iss + 1) | 0, 500, target, 0)
    expect(target).toEqual(chunk)
  })
  test('the program may change a chunk as soon as it was taken', () => {
    const s = new Sender('rfc9293', { initialWindow: 1 })
    const chunk = text(0, 2000)
    s.c.snd.queue.append(0)
    s.c.snd.queue.appendText(chunk, 0, 2000, false)
    chunk.fill(0)
    const target = new Uint8Array(2000)
    s.c.snd.queue.copyText((s.c.snd.iss + 1) | 0, 2000, target, 0)
    expect(target).toEqual(text(0, 2000))
  })
})
