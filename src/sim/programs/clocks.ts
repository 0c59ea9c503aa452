import { type Clock, createClock } from '@sinonjs/fake-timers'
import { put, putValue, type Undo } from './put.js'
import type { Run } from './run.js'
import { here } from './scope.js'

type Function = (...args: never[]) => unknown
type FakeClock = Clock & { Date: DateConstructor; Intl: typeof Intl; hrtime: typeof process.hrtime }

/** Whatever tells the time tells virtual time, to programs on simulated hosts. */
export function tellVirtualTime({ network, date }: Run): Undo {
  const fake = createClock(date) as FakeClock
  let told = 0

  /** The clock at the virtual time there is. */
  function clock(): FakeClock {
    const passed = network.now - told
    if (passed > 0) {
      told = network.now
      fake.tick(passed)
    }
    return fake
  }

  /** `nodes` outside, what `simulated` gives on a simulated host. */
  const either = <F extends Function>(nodes: F, simulated: () => F): F =>
    new Proxy(nodes, {
      apply: (_nodes, it, args) => Reflect.apply(here() === undefined ? nodes : simulated(), it, args),
      construct: (_nodes, args, made) =>
        Reflect.construct(here() === undefined ? nodes : (simulated() as Function), args, made) as object,
    })

  const RealDate = Date
  const VirtualDate: DateConstructor = new Proxy(RealDate, {
    apply: (real, it, args) => (here() === undefined ? Reflect.apply(real, it, args) : new VirtualDate().toString()),
    construct: (real, args, made) => {
      const isNow = args.length === 0 && here() !== undefined
      return Reflect.construct(real, isNow ? [clock().Date.now()] : args, made === VirtualDate ? real : made)
    },
  })
  const { now } = performance
  const hrtime = either(process.hrtime, () => clock().hrtime) as typeof process.hrtime
  const bigint = either(process.hrtime.bigint, () => clock().hrtime.bigint)
  const undo = [
    putValue(globalThis, 'Date', VirtualDate),
    putValue(
      RealDate,
      'now',
      either(RealDate.now, () => clock().Date.now),
    ),
    putValue(RealDate.prototype, 'constructor', VirtualDate),
    putValue(
      Intl,
      'DateTimeFormat',
      either(Intl.DateTimeFormat as never, () => clock().Intl.DateTimeFormat as never),
    ),
    putValue(performance, 'now', () => (here() === undefined ? now.call(performance) : network.now)),
    put(performance, 'timeOrigin', { get: () => (here() === undefined ? timeOrigin : date) }),
    putValue(
      process,
      'uptime',
      either(process.uptime, () => () => network.now / 1000),
    ),
    putValue(
      process,
      'hrtime',
      new Proxy(hrtime, { get: (real, name, it) => (name === 'bigint' ? bigint : Reflect.get(real, name, it)) }),
    ),
  ]
  return () => {
    for (const back of undo.reverse()) back()
  }
}

const { timeOrigin } = performance
