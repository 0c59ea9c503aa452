import { expect, test } from 'vitest'
import { parseIpAddress } from './ip-address.js'
import {
  areIPv4Options,
  firstHop,
  nextOfRoute,
  putIPv4Options,
  recordInRoute,
  returnRoute,
  routeIsComplete,
  sourceRouteAt,
} from './ipv4-options.js'

const LSRR = 131
const hops = (...addresses: string[]): number[] =>
  addresses.flatMap((address) => address.split('.').map((part) => Number(part)))

test('a route goes out with its first hop taken from it and the destination at its end', () => {
  const options = Uint8Array.of(1, LSRR, 11, 4, ...hops('10.0.0.1', '10.0.0.2'))
  expect(`${firstHop(options)}`).toBe('10.0.0.1')
  const bytes = new Uint8Array(16).fill(0xff)
  putIPv4Options(bytes, 2, options, parseIpAddress('10.0.0.9'))
  expect([...bytes]).toEqual([255, 255, 1, LSRR, 11, 4, ...hops('10.0.0.2', '10.0.0.9'), 255, 255])
})

test('routers record themselves, and the way back is the way reversed', () => {
  const bytes = Uint8Array.of(LSRR, 11, 4, ...hops('10.0.0.2', '10.0.0.9'), 0)
  const at = sourceRouteAt(bytes, 0, bytes.length)
  for (const [next, own] of [
    ['10.0.0.2', '10.1.0.1'],
    ['10.0.0.9', '10.2.0.1'],
  ] as const) {
    expect(routeIsComplete(bytes, at)).toBe(false)
    expect(`${nextOfRoute(bytes, at)}`).toBe(next)
    recordInRoute(bytes, at, parseIpAddress(own))
  }
  expect(routeIsComplete(bytes, at)).toBe(true)
  expect([...returnRoute(bytes, 0, bytes.length)!]).toEqual([LSRR, 11, 4, ...hops('10.2.0.1', '10.1.0.1')])
})

test('a route that is not complete, or none, has no way back', () => {
  expect(returnRoute(Uint8Array.of(LSRR, 7, 4, ...hops('10.0.0.2')), 0, 7)).toBeNull()
  expect(returnRoute(Uint8Array.of(1, 1, 1, 0), 0, 4)).toBeNull()
  expect(returnRoute(Uint8Array.of(), 0, 0)).toBeNull()
})

test('an unknown option is passed over, one that is cut short ends the options', () => {
  const route = [LSRR, 7, 8, ...hops('10.0.0.2')]
  expect(sourceRouteAt(Uint8Array.of(99, 4, 0, 0, ...route), 0, 11)).toBe(4)
  expect(sourceRouteAt(Uint8Array.of(99, 0, ...route), 0, 9)).toBe(-1)
  expect(sourceRouteAt(Uint8Array.of(99, 40, ...route), 0, 9)).toBe(-1)
  expect(sourceRouteAt(Uint8Array.of(LSRR, 6, 4, 1, 2, 3), 0, 6)).toBe(-1)
})

test('what a program may ask for', () => {
  const route = [LSRR, 7, 4, ...hops('10.0.0.2')]
  expect(areIPv4Options(Uint8Array.of())).toBe(true)
  expect(areIPv4Options(Uint8Array.of(...route, 1))).toBe(true)
  expect(areIPv4Options(Uint8Array.of(...route, ...route))).toBe(false)
  expect(areIPv4Options(Uint8Array.of(LSRR, 7, 8, ...hops('10.0.0.2')))).toBe(false)
  expect(areIPv4Options(Uint8Array.of(LSRR, 8, 4, ...hops('10.0.0.2')))).toBe(false)
  expect(areIPv4Options(new Uint8Array(44))).toBe(false)
})
