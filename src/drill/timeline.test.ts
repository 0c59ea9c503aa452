import { expect, test } from 'vitest'
import type { Action, EventTime } from './language/ast.js'
import { parseScript } from './language/parser.js'
import { Timeline } from './timeline.js'

/** The events of a script with one line for each time. */
function events(...lines: string[]): { time: EventTime; action: Action }[] {
  return [...parseScript('t.pkt', lines.join('\n')).events]
}

const timeline = () => new Timeline({ micros: 4000, percent: 12.5 })

test('a relative time counts from when the event before was over', () => {
  const [, late, next] = events('0 close(3) = 0', '+.1 > . 1:1(0) ack 1', '+.1 close(3) = 0')
  const t = timeline()
  t.place({ kind: 'absolute', at: 0 }, late!.action, 0)
  expect(t.place(late!.time, late!.action, 0).at).toBe(100_000)
  // the packet came 3 ms late
  expect(t.place(next!.time, next!.action, 103_000).at).toBe(203_000)
})

test('from packet to packet that the script sends it counts from the script', () => {
  const [first, second] = events('+.1 < . 1:1(0) ack 1', '+.1 < . 1:1(0) ack 1')
  const t = timeline()
  expect(t.place(first!.time, first!.action, 0).at).toBe(100_000)
  expect(t.place(second!.time, second!.action, 104_000).at).toBe(200_000)
})

test('the tolerance is 4 ms, or 12.5 % of the time since the event before', () => {
  const [near, far] = events('+.01 > . 1:1(0) ack 1', '+1 > . 1:1(0) ack 1')
  const t = timeline()
  const first = t.place(near!.time, near!.action, 0)
  expect(t.objection(first, 14_000, 'it')).toBeNull()
  expect(t.objection(first, 14_100, 'it')).toContain('late')
  const second = t.place(far!.time, far!.action, 10_000)
  expect(t.objection(second, 1_010_000 + 125_000, 'it')).toBeNull()
  expect(t.objection(second, 1_010_000 - 126_000, 'it')).toContain('early')
})

test('a range widens by the tolerance, and any time is in time', () => {
  const [range, any] = events('+.1~+.2 > . 1:1(0) ack 1', '* > . 1:1(0) ack 1')
  const t = timeline()
  const moment = t.place(range!.time, range!.action, 0)
  expect(t.objection(moment, 96_000, 'it')).toBeNull()
  expect(t.objection(moment, 204_000, 'it')).toBeNull()
  expect(t.objection(moment, 204_600, 'it')).not.toBeNull()
  expect(t.objection(t.place(any!.time, any!.action, 0), 9e9, 'it')).toBeNull()
})
