import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Endpoint, NEVER, State } from '../tcp/index.js'
import { ANY_IPV4, ANY_IPV6, type IpAddress, parseIpAddress } from '../wire/index.js'
import { ConnectionTable } from './connection-table.js'

let ids = 0
function endpoint(
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
  state: State,
  ipv6Only = false,
): Endpoint {
  return {
    id: ++ids,
    local,
    localPort,
    remote,
    remotePort,
    state,
    ipv6Only,
    deadline: NEVER,
    wheelSlot: -1,
    tableNext: null,
    segmentArrives() {},
    errorArrives() {},
    deadlineReached() {},
  }
}

const ip = parseIpAddress
const listener = (local: IpAddress, port: number, ipv6Only = false) =>
  endpoint(local, port, ANY_IPV4, 0, State.Listen, ipv6Only)

test('what is registered is found by its addresses and ports, and by nothing else', () => {
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2').map(ip)
  const port = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(fc.array(fc.tuple(address, port, address, port, fc.boolean()), { maxLength: 300 }), (steps) => {
      const table = new ConnectionTable(0x1234567)
      const model = new Map<string, Endpoint>()
      for (const [local, localPort, remote, remotePort, add] of steps) {
        const key = `${local} ${localPort} ${remote} ${remotePort}`
        const known = model.get(key)
        expect(table.find(local, localPort, remote, remotePort)).toBe(known ?? null)
        if (known !== undefined && add) {
          const next = endpoint(local, localPort, remote, remotePort, State.TimeWait)
          table.replace(known, next)
          model.set(key, next)
        } else if (known !== undefined) {
          table.unregister(known)
          model.delete(key)
        } else {
          const made = endpoint(local, localPort, remote, remotePort, State.Established)
          table.register(made)
          model.set(key, made)
        }
        const onPort = [...model.values()].filter((e) => e.localPort === localPort).length
        expect(table.onPort(localPort)).toBe(onPort)
      }
      expect(new Set(table)).toEqual(new Set(model.values()))
      expect(table.size).toBe(model.size)
    }),
  )
})

test('a listener for one address comes before one for all, and one of the family before one for both', () => {
  const table = new ConnectionTable(1)
  const find = (local: string) => table.findListener(ip(local), 80, ip('192.0.2.9'), 1000)
  const both = listener(ANY_IPV6, 80)
  table.register(both)
  expect(find('10.0.0.1')).toBe(both)
  expect(find('fd00::1')).toBe(both)
  const anyIPv4 = listener(ANY_IPV4, 80)
  table.register(anyIPv4)
  expect(find('10.0.0.1')).toBe(anyIPv4)
  expect(find('fd00::1')).toBe(both)
  const one = listener(ip('10.0.0.1'), 80)
  table.register(one)
  expect(find('10.0.0.1')).toBe(one)
  expect(find('10.0.0.2')).toBe(anyIPv4)
  expect(table.findListener(ip('10.0.0.1'), 81, ip('192.0.2.9'), 1000)).toBeNull()
  table.unregister(one)
  expect(find('10.0.0.1')).toBe(anyIPv4)
})

test('a listener at :: with IPV6_V6ONLY does not take IPv4', () => {
  const table = new ConnectionTable(1)
  table.register(listener(ANY_IPV6, 80, true))
  expect(table.findListener(ip('10.0.0.1'), 80, ip('192.0.2.9'), 1000)).toBeNull()
  expect(table.findListener(ip('fd00::1'), 80, ip('fd00::9'), 1000)).not.toBeNull()
})

test('of listeners that share a port each connection has one, always the same, and each listener has some', () => {
  const table = new ConnectionTable(77)
  const shared = [listener(ANY_IPV4, 80), listener(ANY_IPV4, 80), listener(ANY_IPV4, 80)]
  for (const l of shared) table.register(l)
  const chosen = Array.from({ length: 200 }, (_, i) => table.findListener(ip('10.0.0.1'), 80, ip('10.0.0.2'), 1000 + i))
  expect(new Set(chosen)).toEqual(new Set(shared))
  expect(table.findListener(ip('10.0.0.1'), 80, ip('10.0.0.2'), 1007)).toBe(chosen[7])
})

test('a listener whose state changed since is still found to be taken out', () => {
  const table = new ConnectionTable(1)
  const l = listener(ANY_IPV4, 80) as { -readonly [K in keyof Endpoint]: Endpoint[K] }
  table.register(l)
  l.state = State.Closed
  table.unregister(l)
  expect(table.size).toBe(0)
})
