import { expect, test } from 'vitest'
import { ReceiveQueue } from './receive-queue.js'

const text = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) & 255)

test('a long text is kept where the link put it, without a copy', () => {
  const frame = text(2000)
  const queue = new ReceiveQueue()
  queue.append(frame, 100, 1460, 1460, 65536)
  const chunk = queue.readChunk(5000)!
  expect(chunk.buffer).toBe(frame.buffer)
  expect(chunk.byteOffset).toBe(100)
  expect(chunk.length).toBe(1460)
})

test('short texts are gathered, so that few octets do not hold many buffers', () => {
  const queue = new ReceiveQueue()
  for (let i = 0; i < 50; i++) queue.append(text(256 * 1024), i, 1, 1, 65536)
  const chunk = queue.readChunk(100)!
  expect(chunk.buffer.byteLength).toBeLessThan(16_385)
  expect(Array.from(chunk)).toEqual(Array.from(text(50)))
})

test('a queue never holds many times its buffer in frames of others', () => {
  const queue = new ReceiveQueue()
  const slabs = Array.from({ length: 40 }, () => new Uint8Array(256 * 1024))
  for (const slab of slabs) queue.append(slab, 0, 1000, 1000, 65536)
  let held = 0
  for (let chunk = queue.readChunk(1000); chunk !== null; chunk = queue.readChunk(1000)) {
    if (slabs.some((slab) => slab.buffer === chunk!.buffer)) held += chunk.buffer.byteLength
  }
  expect(held).toBeLessThanOrEqual(4 * 65536)
})

test('peeking leaves the text, and can begin further on', () => {
  const queue = new ReceiveQueue()
  queue.append(text(600), 0, 600, 600, 65536)
  queue.append(text(600, 600), 0, 600, 600, 65536)
  const target = new Uint8Array(100)
  expect(queue.peek(target, 100, 550)).toBe(100)
  expect(Array.from(target)).toEqual(Array.from(text(100, 550)))
  expect(queue.octets).toBe(1200)
  expect(queue.octetAt(700)).toBe(700 & 255)
})

test('memory is given back when the last octet of a text is read, not before', () => {
  const queue = new ReceiveQueue()
  queue.append(text(1000), 0, 1000, 2304, 65536)
  const target = new Uint8Array(999)
  queue.read(target, 999)
  expect(queue.charged).toBe(2304)
  queue.read(target, 1)
  expect(queue.charged).toBe(0)
})

test('collapsing keeps the text and lowers its cost', () => {
  const queue = new ReceiveQueue()
  for (let i = 0; i < 10; i++) queue.append(text(600, i * 600), 0, 600, 2304, 1e6)
  queue.collapse((octets) => octets + 576)
  expect(queue.octets).toBe(6000)
  expect(queue.charged).toBe(6000 + 2 * 576)
  const target = new Uint8Array(6000)
  queue.read(target, 6000)
  expect(target).toEqual(text(6000))
})

test('text read in place is shown where it lies, stretch by stretch, and is gone then', () => {
  const queue = new ReceiveQueue()
  const frames = [text(1000), text(1000, 600)]
  for (const frame of frames) queue.append(frame, 100, 600, 600, 65536)
  const shown: [Uint8Array, number, number][] = []
  expect(queue.readInPlace(700, (bytes, start, end) => shown.push([bytes, start, end]))).toBe(700)
  expect(shown).toEqual([
    [frames[0], 100, 700],
    [frames[1], 100, 200],
  ])
  expect([queue.octets, queue.charged]).toEqual([500, 600])
})
