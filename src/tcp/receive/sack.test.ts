import { expect, test } from 'vitest'
import { SackList } from './sack.js'

const blocks = (list: SackList): number[] => Array.from(list.edges.subarray(0, list.count * 2))

test('the block with the segment received last comes first, the others by age [RFC 2018 4]', () => {
  const list = new SackList()
  list.received(200, 300)
  list.received(400, 500)
  list.received(600, 700)
  expect(blocks(list)).toEqual([600, 700, 400, 500, 200, 300])
  list.received(200, 350)
  expect(blocks(list)).toEqual([200, 350, 600, 700, 400, 500])
})

test('a block that swallows others takes their place', () => {
  const list = new SackList()
  list.received(200, 300)
  list.received(400, 500)
  list.received(600, 700)
  list.received(200, 550)
  expect(blocks(list)).toEqual([200, 550, 600, 700])
})

test('a fifth block drives out the oldest', () => {
  const list = new SackList()
  for (const left of [100, 300, 500, 700, 900]) list.received(left, left + 100)
  expect(blocks(list)).toEqual([900, 1000, 700, 800, 500, 600, 300, 400])
})

test('blocks below RCV.NXT are gone', () => {
  const list = new SackList()
  list.received(200, 300)
  list.received(400, 500)
  list.acknowledged(300)
  expect(blocks(list)).toEqual([400, 500])
})

test('of duplicates since the last ACK the first is reported, with what adjoins it [RFC 2883 4]', () => {
  const list = new SackList()
  list.receivedTwice(100, 200)
  list.receivedTwice(200, 250)
  list.receivedTwice(400, 500)
  expect([list.duplicateLeft, list.duplicateRight]).toEqual([100, 250])
})
