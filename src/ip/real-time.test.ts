import { expect, test, vi } from 'vitest'
import { linux, type Timed } from '../tcp/index.js'
import { Host } from './host.js'
import { Random } from './random.js'
import { platformTime, RealTime } from './real-time.js'

/** A platform whose clock is turned by hand. */
function platform() {
  let timer: { callback: () => void; delay: number } | null = null
  const waiting: (() => void)[] = []
  const self = {
    now: 0,
    sources: {
      now: () => self.now,
      setTimeout: (callback: () => void, delay: number) => {
        timer = { callback, delay }
        return timer
      },
      clearTimeout: () => {
        timer = null
      },
      soon: (callback: () => void) => void waiting.push(callback),
    },
    settle: () => {
      for (let callback = waiting.shift(); callback !== undefined; callback = waiting.shift()) callback()
    },
    /** What waits now. */
    turn: () => {
      for (const callback of waiting.splice(0)) callback()
    },
    /** The timer fires, whatever time it is. */
    fire: () => {
      const due = timer
      timer = null
      due?.callback()
    },
    get waiting() {
      return waiting.length
    },
    get delay() {
      return timer?.delay ?? null
    },
  }
  return self
}

/** Something that is due once. */
const once = (deadline: number, reached: (now: number) => void): Timed => ({
  deadline,
  wheelSlot: -1,
  deadlineReached(now) {
    reached(now)
    this.deadline = Number.POSITIVE_INFINITY
  },
})

test('a timer that fires before its time is set once more', () => {
  const machine = platform()
  const time = new RealTime(machine.sources)
  const host = new Host({ settings: linux(), random: new Random(1) })
  time.drive(host)
  const reached: number[] = []
  const timed = once(200, (now) => reached.push(now))
  host.schedule(timed)
  machine.settle()
  expect(machine.delay).toBe(200)
  machine.now = 199.4
  machine.fire()
  machine.settle()
  expect(reached).toEqual([])
  expect(machine.delay).toBe(1)
  machine.now = 200.2
  machine.fire()
  machine.settle()
  expect(reached).toEqual([200.2])
  expect(machine.delay).toBeNull()
})

test('what arrived while the platform was busy is received before what is due meanwhile is done', () => {
  const machine = platform()
  const time = new RealTime(machine.sources)
  const host = new Host({ settings: linux(), random: new Random(1) })
  time.drive(host)
  machine.settle()
  const reached: number[] = []
  const timed = once(200, (now) => reached.push(now))
  host.schedule(timed)
  machine.settle()
  machine.now = 500
  machine.fire()
  // here the event loop reads; the segment that arrived sets the timer anew
  timed.deadline = 700
  machine.settle()
  expect(reached).toEqual([])
  expect(machine.delay).toBe(200)
  // nor is what is due at once done before a turn has passed
  machine.now = 1000
  time.deadlineChanged()
  machine.turn()
  expect(reached).toEqual([])
  machine.turn()
  expect(reached).toEqual([1000])
})

test('a deadline after the timer costs nothing, one before it sets the timer anew', () => {
  const machine = platform()
  const time = new RealTime(machine.sources)
  const host = new Host({ settings: linux(), random: new Random(1) })
  time.drive(host)
  machine.settle()
  const reached: string[] = []
  const timed = (name: string, deadline: number) => once(deadline, (now) => reached.push(`${name} at ${now}`))
  host.schedule(timed('second', 200))
  machine.settle()
  host.schedule(timed('third', 300))
  expect(machine.waiting).toBe(0)
  expect(machine.delay).toBe(200)
  host.schedule(timed('first', 100))
  machine.settle()
  expect(machine.delay).toBe(100)
  for (machine.now of [100, 200, 300]) {
    machine.fire()
    machine.settle()
  }
  expect(reached).toEqual(['first at 100', 'second at 200', 'third at 300'])
  expect(machine.delay).toBeNull()
})

test('a deadline that was given up may wake the host once, and is then forgotten', () => {
  const machine = platform()
  const time = new RealTime(machine.sources)
  const host = new Host({ settings: linux(), random: new Random(1) })
  time.drive(host)
  machine.settle()
  const timed: Timed = { deadline: 100, wheelSlot: -1, deadlineReached() {} }
  host.schedule(timed)
  machine.settle()
  timed.deadline = Number.POSITIVE_INFINITY
  host.schedule(timed)
  machine.settle()
  machine.now = 100
  machine.fire()
  machine.settle()
  expect(machine.delay).toBeNull()
})

test('what links deliver goes on without the event loop for a millisecond, and then the event loop has a turn', () => {
  const machine = platform()
  const next: (() => void)[] = []
  const time = new RealTime({ ...machine.sources, next: (callback) => void next.push(callback) })
  let delivered = 0
  const deliver = () => {
    delivered++
    time.soon(deliver)
  }
  time.soon(deliver)
  for (let turn = 1; turn <= 3; turn++) {
    for (let callback = next.shift(); callback !== undefined; callback = next.shift()) {
      machine.now += 0.125
      callback()
    }
    expect(delivered).toBe(turn * 9)
    // one that ends the turn, one that delivers in the next
    expect(machine.waiting).toBe(2)
    machine.turn()
  }
})

test('a delivery that throws does not keep others from being delivered later', () => {
  const machine = platform()
  const time = new RealTime(machine.sources)
  let delivered = 0
  time.soon(() => {
    throw new Error('a fault of ours')
  })
  time.soon(() => void delivered++)
  expect(() => machine.settle()).toThrow('a fault of ours')
  time.soon(() => void delivered++)
  machine.settle()
  expect(delivered).toBe(2)
})

test('where there is no setImmediate, as in browsers, others have their turn all the same', async () => {
  vi.stubGlobal('setImmediate', undefined)
  const { soon } = platformTime()
  vi.unstubAllGlobals()
  const happened: string[] = []
  const done = new Promise<void>((resolve) => {
    soon(() => {
      happened.push('soon')
      resolve()
    })
  })
  queueMicrotask(() => happened.push('what runs now'))
  await done
  expect(happened).toEqual(['what runs now', 'soon'])
})
