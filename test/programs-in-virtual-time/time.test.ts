import { createRequire } from 'node:module'
import timers, { setTimeout as laterNamed } from 'node:timers'
import { scheduler, setTimeout as sleep, setInterval as ticks } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'

// taken before any run began, in every way there is
const captured = { setTimeout, setInterval, clearTimeout, later: timers.setTimeout }
const { setTimeout: required } = createRequire(import.meta.url)('node:timers') as typeof timers

const HOUR = 3_600_000

/** How much virtual time passes until `wait` is over, ms. */
async function passes(wait: () => Promise<unknown>): Promise<number> {
  const sim = createNetwork()
  await sim.run(wait)
  return sim.now
}

const called = (set: (callback: () => void) => unknown): Promise<void> => new Promise((resolve) => set(resolve))

test.each<[string, () => Promise<unknown>]>([
  ['setTimeout', () => called((callback) => setTimeout(callback, HOUR))],
  ['setTimeout, captured', () => called((callback) => captured.setTimeout(callback, HOUR))],
  ['timers.setTimeout', () => called((callback) => timers.setTimeout(callback, HOUR))],
  ['timers.setTimeout, captured', () => called((callback) => captured.later(callback, HOUR))],
  ['timers.setTimeout, required', () => called((callback) => required(callback, HOUR))],
  ['import { setTimeout }', () => called((callback) => laterNamed(callback, HOUR))],
  ['timers/promises', () => sleep(HOUR)],
  ['scheduler.wait', () => scheduler.wait(HOUR)],
  ['promisify(setTimeout)', () => promisify(setTimeout)(HOUR)],
  ['an interval', () => called((callback) => untilTenth(callback, HOUR / 10))],
  ['an async interval', () => tenTicks(HOUR / 10)],
  ['AbortSignal.timeout', () => called((callback) => AbortSignal.timeout(HOUR).addEventListener('abort', callback))],
])('an hour takes an hour of virtual time: %s', async (_name, wait) => {
  const before = performance.now()
  expect(await passes(wait)).toBe(HOUR)
  expect(performance.now() - before).toBeLessThan(60_000)
})

function untilTenth(done: () => void, every: number): void {
  let count = 0
  const interval = captured.setInterval(() => {
    if (++count < 10) return
    clearInterval(interval)
    done()
  }, every)
}

async function tenTicks(every: number): Promise<void> {
  let count = 0
  for await (const _ of ticks(every)) if (++count === 10) return
}

test('whatever tells the time tells virtual time, inside; outside it is as ever', async () => {
  const before = Date.now()
  const sim = createNetwork()
  await sim.run(
    async () => {
      const monotonic = [performance.now(), process.hrtime(), process.hrtime.bigint(), process.uptime()] as const
      expect(new Date().toISOString()).toBe('2030-05-06T07:08:09.000Z')
      await sleep(1500.7)
      expect(Date.now()).toBe(Date.parse('2030-05-06T07:08:10.500Z'))
      expect(new Date()).toBeInstanceOf(Date)
      expect(Date()).toContain('2030')
      expect(new Intl.DateTimeFormat('en', { year: 'numeric', timeZone: 'UTC' }).format()).toBe('2030')
      expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z')
      expect(performance.now() - monotonic[0]).toBe(1500)
      expect(process.hrtime(monotonic[1])).toEqual([1, 500_000_000])
      expect(process.hrtime.bigint() - monotonic[2]).toBe(1_500_000_000n)
      expect(process.uptime() - monotonic[3]).toBe(1.5)
    },
    { date: '2030-05-06T07:08:09Z' },
  )
  expect(Math.abs(Date.now() - before)).toBeLessThan(HOUR)
})

test('a cleared timer does not come, nor does time pass for it; a refreshed one comes later', async () => {
  const heard: string[] = []
  const passed = await passes(async () => {
    const cleared = setTimeout(() => heard.push('cleared'), 50)
    const number = Number(setTimeout(() => heard.push('cleared by number'), 60))
    const refreshed = setTimeout(() => heard.push(`refreshed ${performance.now()}`), 100)
    clearTimeout(cleared)
    clearTimeout(number)
    await sleep(80)
    refreshed.refresh()
    await sleep(150)
    // once more, after it came
    refreshed.refresh()
    await sleep(100)
  })
  expect(heard).toEqual(['refreshed 180', 'refreshed 330'])
  expect(passed).toBe(330)
})

test('timers come in order, and between two of them everything runs that was left for later', async () => {
  const heard: string[] = []
  await passes(async () => {
    for (const name of ['a', 'b']) {
      setTimeout(() => {
        heard.push(name)
        process.nextTick(() => heard.push(`${name} tick`))
        void Promise.resolve().then(() => heard.push(`${name} promise`))
        setImmediate(() => heard.push(`${name} immediate`))
      }, 10)
    }
    setTimeout(() => heard.push('earlier'), 9)
    await sleep(20)
  })
  const both = ['a', 'b'].flatMap((name) => [name, `${name} tick`, `${name} promise`, `${name} immediate`])
  expect(heard).toEqual(['earlier', ...both])
})

test('who loops over immediates does not stop time', async () => {
  let turns = 0
  const passed = await passes(async () => {
    let done = false
    setTimeout(() => {
      done = true
    }, 1000)
    while (!done) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  expect(passed).toBe(1000)
  expect(turns).toBeGreaterThan(10)
})

test('real timers outside are untouched', async () => {
  const order: string[] = []
  const outside = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push('outside')
      resolve()
    }, 1)
  })
  const began = Date.now()
  const sim = createNetwork()
  await sim.run(async () => {
    await sleep(HOUR)
    // the code of this callback was begun outside, and lives there
    await outside
    order.push('inside')
    expect(Date.now() - began).not.toBe(0)
  })
  expect(order).toEqual(['outside', 'inside'])
  expect(sim.now).toBe(HOUR)
})
