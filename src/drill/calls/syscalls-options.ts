import type { OptionValue } from '../../socket/index.js'
import { Mismatch } from '../failure.js'
import type { CallHandler } from './call-handler.js'
import { listOf, numberOf } from './syscalls-arguments.js'
import { fieldOf, type Value, what } from './values.js'

/** Calls that set and look at options. */
export const OPTION_CALLS: Readonly<Record<string, CallHandler>> = {
  setsockopt(words, context) {
    words.expectCount(5)
    const live = context.live(words.number(0))
    const length = words.number(4)
    const value = givenValue(words.at(3))
    return { outcome: context.calls.setsockopt(live, words.number(1), words.number(2), value, length) }
  },

  getsockopt(words, context) {
    words.expectCount(5)
    const live = context.live(words.number(0))
    const length = words.numberBehind(4)
    const expected = words.at(3)
    const outcome = context.calls.getsockopt(live, words.number(1), words.number(2), length)
    return {
      outcome,
      verify: () => {
        if (outcome.result < 0 || outcome.value === undefined) return
        const got = outcome.length ?? lengthOf(outcome.value, length)
        if (got !== length) throw new Mismatch(`expected an option of ${length} octets, got one of ${got}`)
        const problem = valueDifference(expected, outcome.value)
        if (problem !== null) throw new Mismatch(problem)
      },
    }
  },

  fcntl(words, context) {
    words.expectCount(2, 3)
    const live = context.live(words.number(0))
    return { outcome: context.calls.fcntl(live, words.number(1), words.count === 3 ? words.number(2) : 0) }
  },

  ioctl(words, context) {
    words.expectCount(2, 3)
    const live = context.live(words.number(0))
    const request = words.number(1)
    if (words.count === 2) return { outcome: context.calls.ioctl(live, request) }
    const expected = words.at(2)
    // what is written here is what comes back, but for requests that bring a value
    const given = expected.kind === 'list' ? words.numberBehind(2) : 0
    const outcome = context.calls.ioctl(live, request, given)
    return {
      outcome,
      verify: () => {
        const { value } = outcome
        if (value === undefined || expected.kind === 'any') return
        if (value !== given) throw new Mismatch(`expected ioctl to give [${given}], it gave [${value}]`)
      },
    }
  },
}

/** A struct that a script writes, as the socket room takes it. */
function givenValue(value: Value): OptionValue {
  switch (value.kind) {
    case 'number':
      return value.number
    case 'text':
      return latin1(value.text)
    case 'list': {
      const items = listOf(value, 'option value')
      if (items.length === 1 && items[0]!.kind === 'struct') return givenValue(items[0]!)
      const numbers = items.map((item) => numberOf(item, 'option value'))
      return numbers.length === 1 ? numbers[0]! : numbers
    }
    case 'struct':
      return structValue(value)
    default:
      throw new Mismatch(`expected the value of an option, found ${what(value)}`)
  }
}

function structValue(value: Value & { readonly kind: 'struct' }): OptionValue {
  const number = (name: string) => {
    const field = fieldOf(value, name)
    return field === undefined ? null : numberOf(field, name)
  }
  const onOff = number('onoff') ?? number('l_onoff')
  if (onOff !== null) return { on: onOff !== 0, seconds: number('linger') ?? number('l_linger') ?? 0 }
  const seconds = number('tv_sec')
  if (seconds !== null) return { seconds, microseconds: number('tv_usec') ?? 0 }
  const name = fieldOf(value, 'function_set_name')
  if (name?.kind === 'text') return { name: name.text, sharers: number('pcbcnt') ?? 0 }
  throw new Mismatch('the struct of this option is not known')
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** Octets of the value as a system hands it out, when the program has room for `room`. */
function lengthOf(value: OptionValue, room: number): number {
  if (typeof value === 'number') return Math.min(4, room)
  if (value instanceof Uint8Array) return Math.min(value.length, room)
  if (typeof value === 'object' && 'on' in value && 'seconds' in value) return Math.min(8, room)
  return room
}

/** What differs between the value a script expects and the live one; null: nothing. */
function valueDifference(expected: Value, live: OptionValue): string | null {
  if (expected.kind === 'any') return null
  const wrong = `expected the option to be ${shown(expected)}, it is ${liveText(live)}`
  if (expected.kind === 'text') {
    const octets = typeof live === 'string' ? latin1(live) : live
    const wanted = latin1(expected.text)
    if (!(octets instanceof Uint8Array)) return wrong
    return wanted.every((octet, i) => octet === (octets[i] ?? 0)) ? null : wrong
  }
  if (expected.kind === 'list' && expected.items.length === 1) {
    const [item] = expected.items
    if (item!.kind === 'any') return null
    if (item!.kind === 'struct') return valueDifference(item!, live)
    const int = typeof live === 'number' ? live : null
    if (item!.kind === 'range') return int !== null && int >= item!.from && int <= item!.to ? null : wrong
    return int !== null && (int | 0) === (numberOf(item!, 'option value') | 0) ? null : wrong
  }
  if (expected.kind === 'struct') {
    const wanted = structValue(expected) as Readonly<Record<string, unknown>>
    if (typeof live !== 'object') return wrong
    const have = live as Readonly<Record<string, unknown>>
    return Object.keys(wanted).every((name) => wanted[name] === have[name]) ? null : wrong
  }
  return wrong
}

function shown(value: Value): string {
  if (value.kind === 'list') return `[${value.items.map(shown).join(', ')}]`
  return what(value)
}

function liveText(value: OptionValue): string {
  if (typeof value === 'number') return `[${value}]`
  if (typeof value === 'string') return `"${value}"`
  if (value instanceof Uint8Array) return `"${String.fromCharCode(...value)}"`
  return JSON.stringify(value)
}
