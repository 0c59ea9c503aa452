import { expect, test } from 'vitest'
import { packetCost, tailroomOfLastCharge } from './receive-memory.js'

test('a packet of less than a page costs the power of two that holds it, and its record', () => {
  expect(packetCost(1040)).toBe(2048 + 256)
  expect(tailroomOfLastCharge()).toBe(2048 - 320 - 64 - 1040)
  expect(packetCost(41)).toBe(704 + 256)
})

test('a larger packet costs a page and the blocks of pages that its rest fills', () => {
  expect(packetCost(9040)).toBe(4096 + 256 + 8192)
  expect(packetCost(20040)).toBe(4096 + 256 + 16384)
  expect(packetCost(60040)).toBe(4096 + 256 + 32768 + 16384 + 8192)
})
