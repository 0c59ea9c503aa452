import { expect, test } from 'vitest'
import { echoRequest, TestLink, testHost } from '../../test/fixtures/test-host.js'
import { type FrameReceiver, parseInterfaceAddress, Random, RealTime } from '../ip/index.js'
import type { Frame } from '../wire/index.js'
import { Capture, FaultInjection, memoryPipe } from './index.js'

class Sink implements FrameReceiver {
  readonly frames: Frame[] = []
  receive(frames: readonly Frame[], count: number): void {
    for (let i = 0; i < count; i++) this.frames.push(frames[i]!)
  }
}

const frame = () => echoRequest('10.0.0.1', '10.0.0.2', 10)

test('a memory pipe delivers later, the same frames, as one batch', () => {
  const soon: (() => void)[] = []
  const [a, b] = memoryPipe({ soon: (deliver) => soon.push(() => deliver(5)) })
  const sink = new Sink()
  b.receiver = sink
  const frames = [frame(), frame()]
  a.transmit(frames, 2, 0)
  a.transmit([frames[0]!], 1, 0)
  expect(sink.frames).toEqual([])
  expect(soon).toHaveLength(1)
  soon[0]!()
  expect(sink.frames).toHaveLength(3)
  expect(sink.frames[1]).toBe(frames[1])
})

test('a capture shows what passes in both directions', () => {
  const inner = new TestLink()
  const seen: string[] = []
  const capture = new Capture(inner, (f, direction, now) => seen.push(`${direction} ${f.length} ${now}`))
  const sink = new Sink()
  capture.receiver = sink
  capture.transmit([frame()], 1, 3)
  inner.receiver!.receive([frame(), frame()], 2, 4)
  expect(seen).toEqual(['out 38 3', 'in 38 4', 'in 38 4'])
  expect([inner.sent.length, sink.frames.length]).toEqual([1, 2])
})

test('faults happen as often as they are said to, and spoil no frame of anybody else', () => {
  const inner = new TestLink()
  const faults = new FaultInjection(inner, { loss: 0.2, duplication: 0.1, corruption: 0.3 }, new Random(1))
  const original = frame()
  const before = original.view().slice()
  for (let i = 0; i < 5000; i++) faults.transmit([original], 1, 0)
  expect(original.view()).toEqual(before)
  expect(Math.abs(faults.lost / 5000 - 0.2)).toBeLessThan(0.02)
  expect(inner.sent).toHaveLength(5000 - faults.lost + faults.duplicated)
  const spoiled = inner.sent.filter((f) => Buffer.compare(f.view(), before) !== 0)
  expect(spoiled).toHaveLength(faults.corrupted)
})

test('with the same seed the nth frame of a direction has the same fate, however many pass in the other', () => {
  const fates = (answersEach: number): boolean[] => {
    const inner = new TestLink()
    const faults = new FaultInjection(inner, { loss: 0.3 }, new Random(7))
    faults.receiver = new Sink()
    return Array.from({ length: 100 }, () => {
      const lost = faults.lost
      faults.transmit([frame()], 1, 0)
      const fate = faults.lost > lost
      for (let i = 0; i < answersEach; i++) faults.receive([frame()], 1, 0)
      return fate
    })
  }
  expect(fates(3)).toEqual(fates(0))
})

test('two hosts live in real time over a memory pipe', async () => {
  const time = new RealTime()
  const [a, b] = memoryPipe({ soon: (deliver) => time.soon(deliver) })
  const left = testHost()
  const right = testHost()
  const seen: string[] = []
  left.attach(new Capture(a, (_, direction) => seen.push(direction)), {
    addresses: [parseInterfaceAddress('10.0.0.1/24')],
  })
  right.attach(b, { addresses: [parseInterfaceAddress('10.0.0.2/24')] })
  time.drive(left)
  time.drive(right)
  left.interfaces[1]!.link.transmit([frame()], 1, time.now)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(seen).toEqual(['out', 'in'])
})

test('real time wakes a host at its deadline, once', async () => {
  let now = 0
  const timers: { at: number; callback: () => void }[] = []
  const soon: (() => void)[] = []
  const time = new RealTime({
    now: () => now,
    setTimeout: (callback, delay) => {
      const timer = { at: now + delay, callback }
      timers.push(timer)
      return timer
    },
    clearTimeout: (timer) => timers.splice(timers.indexOf(timer as (typeof timers)[number]), 1),
    soon: (callback) => soon.push(callback),
  })
  const host = testHost()
  time.drive(host)
  let woken = 0
  const sleeper = {
    deadline: 100.5,
    wheelSlot: -1,
    deadlineReached() {
      this.deadline = Number.POSITIVE_INFINITY
      woken++
    },
  }
  host.schedule(sleeper)
  for (const callback of soon.splice(0)) callback()
  expect(timers.map((t) => t.at)).toEqual([101])
  now = 101
  timers.shift()!.callback()
  for (const callback of soon.splice(0)) callback()
  expect(woken).toBe(1)
  for (const callback of soon.splice(0)) callback()
  expect(timers).toEqual([])
})
