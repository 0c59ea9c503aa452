import { expect, test } from 'vitest'
import { ReceiveSlab } from '../src/link/tun-slab.js'
import type { System } from '../src/link/tun-system.js'
import { ReceiveQueue } from '../src/tcp/receive/receive-queue.js'
import type { Frame } from '../src/wire/index.js'

const system = { addressOf: () => 0 } as unknown as System

/** As a device reads a packet of `length` octets, all of them `value`. */
function read(slab: ReceiveSlab, length: number, value: number): Frame {
  const start = slab.at + 12
  slab.view().fill(value, 0, 12 + length)
  return slab.cut(start, start + length)
}

function lending(): ReceiveSlab {
  const slab = new ReceiveSlab(system, 0)
  slab.lends = true
  // the first was opened before it was known who gets the frames
  const first = slab.bytes
  while (slab.bytes === first) read(slab, 60_000, 0)
  return slab
}

test('memory serves again when every frame cut from it was given back', () => {
  const slab = lending()
  const used = new Set<Uint8Array>()
  for (let i = 0; i < 100; i++) {
    used.add(slab.bytes)
    read(slab, 60_000, i).release()
  }
  // one is read into while the frames of the other come back
  expect(used.size).toBe(2)
})

test('memory that a frame still has is not read into', () => {
  const slab = lending()
  const kept: Frame[] = []
  for (let i = 0; i < 100; i++) {
    const frame = read(slab, 60_000, i)
    if (i % 10 === 0) kept.push(frame)
    else frame.release()
  }
  expect(kept.map(({ bytes, start, end }) => [bytes[start], bytes[end - 1]])).toEqual(
    kept.map((_, i) => [i * 10, i * 10]),
  )
})

test('text that was taken as it lies there stays as it is, whatever is read afterwards', () => {
  const slab = lending()
  const queue = new ReceiveQueue()
  const views: Uint8Array[] = []
  const target = new Uint8Array(60_000)
  for (let i = 0; i < 200; i++) {
    const frame = read(slab, 60_000, i)
    queue.append(frame.bytes, frame.start, frame.length, frame.length, 1 << 22, frame.slab)
    frame.release()
    if (i % 7 === 0) views.push(queue.readChunk(60_000)!)
    else expect(queue.read(target, 60_000)).toBe(60_000)
  }
  for (const [i, view] of views.entries()) expect(view.every((octet) => octet === i * 7)).toBe(true)
  expect(views).toHaveLength(29)
})

test('where frames are not given back, each has memory of its own for good', () => {
  const slab = new ReceiveSlab(system, 14)
  const frames = Array.from({ length: 50 }, (_, i) => read(slab, 60_000, i))
  for (const frame of frames) frame.release()
  for (let i = 0; i < 50; i++) read(slab, 60_000, 255)
  for (const [i, { bytes, start, end }] of frames.entries()) {
    expect([bytes[start], bytes[end - 1]]).toEqual([i, i])
    expect((start + 14) % 4).toBe(0)
  }
})
