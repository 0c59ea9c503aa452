import type { EpollResult, PollResult } from '../../socket/index.js'
import { Mismatch } from '../failure.js'
import type { CallHandler } from './call-handler.js'
import { listOf, numberOf, structOf } from './syscalls-arguments.js'
import type { CallContext } from './syscalls-context.js'
import { givesFd } from './syscalls-sockets.js'
import { type Field, fieldOf, type Value } from './values.js'

/** poll and epoll. */
export const EVENT_CALLS: Readonly<Record<string, CallHandler>> = {
  poll(words, context) {
    words.expectCount(3)
    const wanted = listOf(words.at(0), 'poll').map((entry) => pollEntry(entry))
    if (wanted.length !== words.number(1)) {
      throw new Mismatch(`poll: the second argument is ${words.number(1)}, the list has ${wanted.length} entries`)
    }
    const entries = wanted.map(({ fd, events }) => ({ fd: context.live(fd), events }))
    return {
      outcome: context.calls.poll(entries, words.number(2)),
      verify: (result) => {
        const { entries: polled } = result as PollResult
        for (const [i, { fd, revents }] of wanted.entries()) {
          const live = polled[i]!.revents
          if (revents !== null && revents !== live) {
            throw new Mismatch(
              `poll: revents of fd ${fd}: expected ${bits(revents, context)}, got ${bits(live, context)}`,
            )
          }
        }
      },
    }
  },

  epoll_create: (words, context, call) => {
    words.expectCount(1)
    return givesFd(context, call.result, context.calls.epoll_create(words.number(0)), () => {})
  },

  epoll_create1: (words, context, call) => {
    words.expectCount(1)
    return givesFd(context, call.result, context.calls.epoll_create1(words.number(0)), () => {})
  },

  epoll_ctl(words, context) {
    words.expectCount(4)
    const epoll = context.live(words.number(0))
    const live = context.live(words.number(2))
    const { events, data } = epollEvent(words.at(3))
    return { outcome: context.calls.epoll_ctl(epoll, words.number(1), live, { events, data: data ?? 0 }) }
  },

  epoll_wait(words, context) {
    words.expectCount(4)
    const epoll = context.live(words.number(0))
    const expected = epollEvent(words.at(1))
    const outcome = context.calls.epoll_wait(epoll, words.number(2), words.number(3))
    return {
      outcome,
      verify: (result) => {
        const { events = [] } = result as EpollResult
        const first = events[0] ?? { events: 0, data: 0 }
        if (first.events >>> 0 !== expected.events >>> 0) {
          throw new Mismatch(
            `epoll_wait: expected ${bits(expected.events, context)}, got ${bits(first.events, context)}`,
          )
        }
        if (events.length > 0 && expected.data !== null && first.data !== expected.data) {
          throw new Mismatch(`epoll_wait: expected the data ${expected.data}, got ${first.data}`)
        }
      },
    }
  },
}

/** `{fd=4, events=POLLOUT, revents=POLLOUT}`, names left out or not. */
function pollEntry(value: Value): { fd: number; events: number; revents: number | null } {
  const { fields } = structOf(value, 'struct pollfd')
  const revents = place(fields, 'revents', 2)
  return {
    fd: numberAt(fields, 'fd', 0),
    events: numberAt(fields, 'events', 1),
    revents: revents === undefined || revents.kind === 'any' ? null : numberOf(revents, 'revents'),
  }
}

const place = (fields: readonly Field[], name: string, index: number): Value | undefined =>
  (fields.find((field) => field.name === name) ?? fields[index])?.value

function numberAt(fields: readonly Field[], name: string, index: number): number {
  const value = place(fields, name, index)
  if (value === undefined) throw new Mismatch(`struct pollfd: expected ${name}`)
  return numberOf(value, name)
}

/** `{events=EPOLLIN, fd=4}`; the data may be ptr, fd, u32 or u64: here it is the number that the script writes. */
function epollEvent(value: Value): { events: number; data: number | null } {
  const event = structOf(value, 'struct epoll_event')
  const events = fieldOf(event, 'events')
  if (events === undefined) throw new Mismatch('struct epoll_event: expected events')
  const data = ['ptr', 'fd', 'u32', 'u64'].map((name) => fieldOf(event, name)).find((field) => field !== undefined)
  return {
    events: numberOf(events, 'events'),
    data: data === undefined || data.kind === 'any' ? null : numberOf(data, 'data'),
  }
}

/** Bits of poll by name. */
function bits(value: number, { personality }: CallContext): string {
  const names = Object.entries(personality.numbers).filter(([name]) => /^POLL/.test(name))
  let rest = value >>> 0
  const found: string[] = []
  for (const [name, bit] of names) {
    if (bit === 0 || (rest & bit) !== bit) continue
    rest = (rest & ~bit) >>> 0
    found.push(name)
  }
  if (rest !== 0 || found.length === 0) found.push(`0x${rest.toString(16)}`)
  return found.join('|')
}
