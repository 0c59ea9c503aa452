import { expect, test } from 'vitest'
import { parseScript } from './parser.js'
import { ScriptError } from './source.js'

function failure(text: string): string {
  try {
    parseScript('a.pkt', text)
  } catch (error) {
    if (error instanceof ScriptError) return error.message
    throw error
  }
  throw new Error('the script was read')
}

const timeOf = (text: string) => parseScript('a.pkt', `${text} > . 1:1(0) ack 1`).events[0]!.time

test('a script has options, a command to set up, events and a command to clean up', () => {
  const script = parseScript('a.pkt', '--mtu=1400 --verbose\n`first`\n0 close(3) = 0\n+.5 `sleep 1`\n`last`\n')
  expect(script.options.map(({ name, value }) => [name, value])).toEqual([
    ['mtu', '1400'],
    ['verbose', null],
  ])
  expect(script.setUp?.text).toBe('first')
  expect(script.events.map((event) => event.action.kind)).toEqual(['call', 'command'])
  expect(script.cleanUp?.text).toBe('last')
})

test('an empty script is a script', () => {
  expect(parseScript('a.pkt', ' \n// nothing\n')).toEqual({
    file: 'a.pkt',
    options: [],
    setUp: null,
    events: [],
    cleanUp: null,
  })
})

test('events, actions and arguments know their line and column', () => {
  const [event] = parseScript('a.pkt', '\n  +0 close(3) = 0').events
  expect(event!.position).toEqual({ line: 2, column: 3 })
  expect(event!.action.position).toEqual({ line: 2, column: 6 })
  expect(event!.action.kind === 'call' && event!.action.arguments[0]!.position).toEqual({ line: 2, column: 12 })
})

test.each([
  ['1.5', { kind: 'absolute', at: 1_500_000 }],
  ['.000001', { kind: 'absolute', at: 1 }],
  ['+0', { kind: 'relative', after: 0 }],
  ['+ .1', { kind: 'relative', after: 100_000 }],
  ['*', { kind: 'any' }],
  ['1~2.5', { kind: 'absolute-range', from: 1_000_000, to: 2_500_000 }],
  ['+0~+.1', { kind: 'relative-range', from: 0, to: 100_000 }],
  ['+.3 ~ +1', { kind: 'relative-range', from: 300_000, to: 1_000_000 }],
])('the time %s', (text, time) => {
  expect(timeOf(text)).toEqual(time)
})

test.each([
  ['+0...0.3', 300_000],
  ['+0 ... .01', 10_000],
  ['1.00...6', 6_000_000],
  ['+0', null],
])('a call at %s returns at %s', (time, end) => {
  const { action } = parseScript('a.pkt', `${time} read(4, ..., 9) = 9`).events[0]!
  expect(action.kind === 'call' && action.end).toBe(end)
})

test('a command keeps its lines', () => {
  const { action } = parseScript('a.pkt', '0 `one \\\n  two # three\n // four`').events[0]!
  expect(action).toMatchObject({ kind: 'command', text: 'one \\\n  two # three\n // four' })
})

test('code keeps its text and where it starts', () => {
  const { action } = parseScript('a.pkt', '0 %{  assert a == 1 // 2\nb  }%').events[0]!
  expect(action).toMatchObject({ text: 'assert a == 1 // 2\nb', textPosition: { line: 1, column: 7 } })
})

test('after a result the next event may start with a star, a plus or a point', () => {
  const script = parseScript('a.pkt', '0 close(3) = 0\n* > . 1:1(0) ack 1\n.5 close(3) = 0\n+1 close(4) = 0')
  expect(script.events.map((event) => event.time.kind)).toEqual(['absolute', 'any', 'absolute', 'relative'])
})

test.each([
  [
    '0 close(3) = 0\n+0 frobnicate',
    `a.pkt:2:14: expected '(' and the arguments of 'frobnicate', found the end of the script`,
  ],
  ['soon close(3) = 0', `a.pkt:1:1: expected a time (0.1, +0.1, +0~+0.1 or *), found 'soon'`],
  ['+0 5', `a.pkt:1:4: expected a packet ('<' or '>'), a call, a command or code, found '5'`],
  ['+1~+.5 > . 1:1(0)', 'a.pkt:1:5: expected a range that ends after its begin'],
  ['+1~2 > . 1:1(0)', `a.pkt:1:4: expected '+' and the end of the range, found '2'`],
  ['* < . 1:1(0)', `a.pkt:1:1: expected one time, found '*': only an expected packet ('>') may come at any`],
  [
    '0~1 close(3) = 0',
    `a.pkt:1:1: expected one time, found a range of times: only an expected packet ('>') may come at any`,
  ],
  ['0 `sleep 1', `a.pkt:1:3: expected '\`' at the end of this command, found the end of the script`],
  ['0 %{ assert 1', `a.pkt:1:3: expected '}%' at the end of this code, found the end of the script`],
  ['`a`\n`b`\n0 close(3) = 0', `a.pkt:3:1: expected the end of the script after a command without a time, found '0'`],
  ['--frobs=1', `a.pkt:1:1: expected one of packetdrill's flags, found '--frobs'`],
  ['--mtu', `a.pkt:1:1: expected '--mtu=' and a value, found no value`],
  ['--mtu=\n0 close(3) = 0', `a.pkt:1:7: expected a value for '--mtu', found the end of the line`],
  ['--ip_version=ipv5', `a.pkt:1:1: expected ipv4, ipv6 or ipv4-mapped-ipv6 for '--ip_version', found 'ipv5'`],
  ['9e99 close(3) = 0', `a.pkt:1:1: expected a time up to 31536000000 seconds, found '9e99'`],
])('%j is refused with its place', (text, message) => {
  expect(failure(text)).toBe(message)
})

test('a message can be shown with the line and a caret', () => {
  try {
    parseScript('a.pkt', '+0 close(3) = 0\n\t+0 > S x')
    expect.unreachable()
  } catch (error) {
    expect((error as ScriptError).render().split('\n').slice(1)).toEqual(['  \t+0 > S x', '  \t       ^'])
  }
})
