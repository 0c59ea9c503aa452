import { expect, test } from 'vitest'
import { icmpNames, icmpNumbers } from './icmp.js'

test.each([
  [4, 'unreachable', 'frag_needed', { type: 3, code: 4 }],
  [4, 'unreachable', null, { type: 3, code: 0 }],
  [6, 'unreachable', 'port_unreachable', { type: 1, code: 4 }],
  [6, 'packet_too_big', null, { type: 2, code: 0 }],
  [6, 'parameter_problem', 'unknown_next_header', { type: 4, code: 1 }],
  [4, 13, 7, { type: 13, code: 7 }],
] as const)('in IPv%i %s %s has its numbers', (version, type, code, numbers) => {
  expect(icmpNumbers({ type, code }, version)).toEqual(numbers)
})

test('words of the other version are refused', () => {
  expect(() => icmpNumbers({ type: 'packet_too_big', code: null }, 4)).toThrow(
    `expected a type of ICMPv4, found 'packet_too_big'`,
  )
  expect(() => icmpNumbers({ type: 'unreachable', code: 'frag_needed' }, 6)).toThrow(
    `expected a code of ICMPv6 unreachable, found 'frag_needed'`,
  )
  expect(() => icmpNumbers({ type: 'unreachable', code: 'toString' }, 4)).toThrow('expected a code')
})

test('numbers have their words back', () => {
  expect(icmpNames(3, 4, 4)).toEqual({ type: 'unreachable', code: 'frag_needed' })
  expect(icmpNames(2, 0, 6)).toEqual({ type: 'packet_too_big', code: null })
  expect(icmpNames(200, 3, 4)).toEqual({ type: 200, code: 3 })
})
