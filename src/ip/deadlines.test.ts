import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NEVER, type Timed } from '../tcp/index.js'
import { Deadlines } from './deadlines.js'

class Sleeper implements Timed {
  deadline = NEVER
  wheelSlot = -1
  deadlineReached(): void {
    this.deadline = NEVER
  }
}

const step = fc.oneof(
  fc.record({ who: fc.nat(19), at: fc.constantFrom(NEVER, ...Array.from({ length: 8 }, (_, i) => i * 700.25)) }),
  fc.record({ who: fc.nat(19), at: fc.double({ min: 0, max: 1e7, noNaN: true }) }),
  fc.record({ advance: fc.double({ min: 0, max: 5000, noNaN: true }) }),
)

test('whatever is scheduled, moved and cancelled, everybody is woken in order of the deadlines, as by a sorted list', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const deadlines = new Deadlines()
      const sleepers = Array.from({ length: 20 }, () => new Sleeper())
      const expected = () => Math.min(...sleepers.map((s) => s.deadline))
      let now = 0
      for (const s of steps) {
        if ('who' in s) {
          const sleeper = sleepers[s.who]!
          sleeper.deadline = s.at === NEVER ? NEVER : now + s.at
          deadlines.schedule(sleeper)
        } else {
          now += s.advance
          deadlines.now = now
          for (let last = 0; ; ) {
            const next = expected()
            const due = deadlines.take(now)
            if (due === null) {
              expect(next).toBeGreaterThan(now)
              break
            }
            expect(due.deadline).toBe(next)
            expect(due.deadline).toBeGreaterThanOrEqual(last)
            last = due.deadline
            due.deadlineReached(now)
          }
        }
        expect(deadlines.next()).toBe(expected())
      }
    }),
  )
})

test('of equal deadlines the one set first comes first', () => {
  const deadlines = new Deadlines()
  const sleepers = Array.from({ length: 100 }, () => new Sleeper())
  for (const s of sleepers) {
    s.deadline = 5
    deadlines.schedule(s)
  }
  const woken: Timed[] = []
  for (let s = deadlines.take(5); s !== null; s = deadlines.take(5)) {
    s.deadlineReached(5)
    woken.push(s)
  }
  expect(woken.every((s, i) => s === sleepers[i])).toBe(true)
})

test('a deadline that moves later stays where it is until its turn comes, and one cancelled far ahead is let go', () => {
  const deadlines = new Deadlines()
  deadlines.now = 0
  const s = new Sleeper()
  for (let at = 200; at < 10_000; at += 100) {
    s.deadline = at
    deadlines.schedule(s)
  }
  expect(deadlines.size).toBe(1)
  expect(deadlines.next()).toBe(9900)
  s.deadline = NEVER
  deadlines.schedule(s)
  expect(deadlines.size).toBe(0)
})
