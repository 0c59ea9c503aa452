import { expect, test } from 'vitest'
import { VirtualClock } from './clock.js'
import { milliseconds } from './duration.js'

test('what is due at the same time happens in the order it was asked for', () => {
  const clock = new VirtualClock()
  const happened: string[] = []
  clock.at(20, () => happened.push('c'))
  clock.at(10, () => happened.push('a'))
  clock.at(10, () => {
    happened.push('b')
    clock.at(10, () => happened.push('b, then'))
  })
  clock.run()
  expect(happened).toEqual(['a', 'b', 'b, then', 'c'])
  expect(clock.now).toBe(20)
})

test('advance lets happen what is due at its end, and nothing behind it', () => {
  const clock = new VirtualClock()
  const happened: number[] = []
  for (const at of [999, 1000, 1001]) clock.at(at, () => happened.push(clock.now))
  clock.advance('1s')
  expect(happened).toEqual([999, 1000])
  expect(clock.now).toBe(1000)
})

test('an event that is cancelled does not happen and does not move the clock', () => {
  const clock = new VirtualClock()
  clock.after('2h', () => {}).cancel()
  clock.run()
  expect(clock.now).toBe(0)
})

test('runUntil stops when it holds, and says so when it does not', () => {
  const clock = new VirtualClock()
  let ticks = 0
  const tick = (): void => {
    ticks++
    clock.after(10, tick)
  }
  tick()
  expect(clock.runUntil(() => ticks === 5)).toBe(true)
  expect(clock.now).toBe(40)
  expect(clock.runUntil(() => false, '1s')).toBe(false)
})

test('durations', () => {
  expect(['1.5s', '75s', '2h', '250us', '.5ms', '1d'].map(milliseconds)).toEqual([
    1500, 75_000, 7_200_000, 0.25, 0.5, 86_400_000,
  ])
  expect(milliseconds(12.5)).toBe(12.5)
  for (const wrong of ['', '5', '1 week', '-1s', -1, Number.NaN])
    expect(() => milliseconds(wrong)).toThrow(/not a duration/)
})
