import type { ControlMessage as LiveMessage, MessageResult, Outcome } from '../../socket/index.js'
import { Mismatch } from '../failure.js'
import type { Conversation } from '../packets/conversation.js'
import { pattern } from '../packets/conversation.js'
import { seconds } from '../timeline.js'
import type { CallHandler, Made } from './call-handler.js'
import { type ControlMessage, listOf, messageHeader, numberOf, structOf } from './syscalls-arguments.js'
import type { CallContext } from './syscalls-context.js'
import { connects } from './syscalls-sockets.js'
import { fieldOf, type Value, what } from './values.js'

/** Calls that send and receive text. */
export const TEXT_CALLS: Readonly<Record<string, CallHandler>> = {
  write(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    return sending(context, fd, words.number(2), words.at(1), (text) => context.calls.write(live, text))
  },

  send(words, context) {
    words.expectCount(4)
    const fd = words.number(0)
    const live = context.live(fd)
    const flags = words.number(3)
    return sending(context, fd, words.number(2), words.at(1), (text) => context.calls.send(live, text, flags), flags)
  },

  sendto(words, context) {
    words.expectCount(6)
    const fd = words.number(0)
    const live = context.live(fd)
    const flags = words.number(3)
    const given = words.at(4)
    // NULL: no address
    const to =
      given.kind === 'number' && given.number === 0 && !isUnspecified(context, words.at(5))
        ? null
        : context.address(given, context.packets.connectAddress)
    if (to !== null) connects(context, fd, to.family)
    return sending(
      context,
      fd,
      words.number(2),
      words.at(1),
      (text) => context.calls.sendto(live, text, flags, to),
      flags,
    )
  },

  writev(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    const length = partsOf(words.at(1)).reduce((sum, octets) => sum + octets, 0)
    return sending(context, fd, length, null, (text) => context.calls.write(live, text))
  },

  sendmsg(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    const flags = words.number(2)
    const header = messageHeader(words.at(1))
    const to = header.named
      ? context.address({ kind: 'any', position: words.at(1).position }, context.packets.connectAddress)
      : null
    if (to !== null) connects(context, fd, to.family)
    const length = header.parts.reduce((sum, octets) => sum + octets, 0)
    return sending(
      context,
      fd,
      length,
      null,
      (text) => context.calls.sendmsg(live, { text: text ?? new Uint8Array(0), to }, flags),
      flags,
    )
  },

  sendfile(words, context) {
    words.expectCount(4)
    const fd = words.number(0)
    const live = context.live(fd)
    const from = context.live(words.number(1))
    const conversation = context.conversation(fd)
    if (conversation !== null) conversation.patternBroken = true
    return { outcome: context.calls.sendfile(live, from, words.numberBehind(2), words.number(3)) }
  },

  read(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    return receiving(context, fd, words.number(2), 0, (target) => context.calls.read(live, target))
  },

  readv(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    const length = partsOf(words.at(1)).reduce((sum, octets) => sum + octets, 0)
    return receiving(context, fd, length, 0, (target) => context.calls.read(live, target))
  },

  recv(words, context) {
    words.expectCount(4)
    const fd = words.number(0)
    const live = context.live(fd)
    const flags = words.number(3)
    return receiving(context, fd, words.number(2), flags, (target) => context.calls.recv(live, target, flags))
  },

  recvfrom(words, context) {
    words.expectCount(6)
    const fd = words.number(0)
    const live = context.live(fd)
    const flags = words.number(3)
    return receiving(context, fd, words.number(2), flags, (target) => context.calls.recv(live, target, flags))
  },

  recvmsg(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    const flags = words.number(2)
    const header = messageHeader(words.at(1))
    const length = header.parts.reduce((sum, octets) => sum + octets, 0)
    const made = receiving(context, fd, length, flags, (target) => context.calls.recvmsg(live, target, flags))
    return {
      ...made,
      verify: (result) => {
        made.verify?.(result)
        const { flags: got = 0, control = [] } = result as MessageResult
        if (got !== header.flags) throw new Mismatch(`msg_flags: expected ${hex(header.flags)}, got ${hex(got)}`)
        controlDifferences(header.control, control, context)
      },
    }
  },
}

const hex = (number: number): string => `0x${number.toString(16)}`

const isUnspecified = (context: CallContext, length: Value): boolean =>
  length.kind === 'any' && context.number('AF_UNSPEC') === 0

/** The lengths of `[{..., 1000}, {..., 20}]`. */
function partsOf(value: Value): number[] {
  return listOf(value, 'iovec').map((part) => {
    const { fields } = structOf(part, 'iovec')
    const length = fields.at(-1)
    if (length === undefined) throw new Mismatch('iovec: expected {..., length}')
    return numberOf(length.value, 'iov_len')
  })
}

/** A call that sends `length` octets of the stream's pattern. */
function sending(
  context: CallContext,
  fd: number,
  length: number,
  buffer: Value | null,
  make: (text: Uint8Array | null) => Outcome,
  flags = 0,
): Made {
  if (buffer !== null && buffer.kind !== 'any' && !(buffer.kind === 'number' && buffer.number === 0)) {
    throw new Mismatch(`expected ... or NULL as the buffer, found ${what(buffer)}`)
  }
  const conversation = context.conversation(fd)
  if ((flags & context.number('MSG_OOB')) !== 0 && conversation !== null) conversation.patternBroken = true
  const isNull = buffer?.kind === 'number' && length > 0
  const outcome = make(isNull ? null : pattern(conversation?.written ?? 0, length))
  return {
    outcome,
    always: ({ result }) => {
      if (conversation !== null && result > 0) conversation.written += result
    },
  }
}

/** A call that receives up to `length` octets, which must be the stream's next ones. */
function receiving(
  context: CallContext,
  fd: number,
  length: number,
  flags: number,
  make: (target: Uint8Array | null) => Outcome,
): Made {
  const target = new Uint8Array(Math.max(0, length))
  const conversation = context.conversation(fd)
  const other = context.number('MSG_OOB') | (context.number('MSG_ERRQUEUE') || 0)
  return {
    outcome: make(target),
    always: ({ result }) => {
      if (result <= 0 || conversation === null || (flags & other) !== 0) return
      const peeked = (flags & context.number('MSG_PEEK')) !== 0
      const thrownAway = (flags & context.number('MSG_TRUNC')) !== 0
      const start = conversation.read
      if (!peeked) conversation.read += result
      if (!thrownAway) verify(target, Math.min(result, length), start, conversation)
    },
  }
}

function verify(target: Uint8Array, length: number, start: number, conversation: Conversation): void {
  if (conversation.patternBroken) return
  const expected = pattern(start, length)
  for (let i = 0; i < length; i++) {
    if (target[i] !== expected[i]) {
      throw new Mismatch(`the text that was read is not what was sent, from octet ${start + i} of the stream on`)
    }
  }
}

/** Compares control messages in order. */
function controlDifferences(
  expected: readonly ControlMessage[],
  live: readonly LiveMessage[],
  context: CallContext,
): void {
  for (const [i, want] of expected.entries()) {
    const have = live[i]
    if (have === undefined) throw new Mismatch(`control message ${i + 1}: expected, none came`)
    if (have.level !== want.level || have.type !== want.type) {
      throw new Mismatch(
        `control message ${i + 1}: expected level ${want.level} type ${want.type}, got level ${have.level} type ${have.type}`,
      )
    }
    dataDifference(want.data, have.data, `control message ${i + 1}`, context)
  }
  if (live.length > expected.length) {
    const { level, type } = live[expected.length]!
    throw new Mismatch(`control message ${expected.length + 1}: expected none, got level ${level} type ${type}`)
  }
}

function dataDifference(want: Value, have: LiveMessage['data'], where: string, context: CallContext): void {
  if (want.kind === 'any') return
  if (want.kind === 'number') {
    const number = typeof have === 'number' ? have : Number.NaN
    if (number !== want.number) throw new Mismatch(`${where}: expected ${want.number}, got ${number}`)
    return
  }
  if (want.kind !== 'struct' || typeof have === 'number') throw new Mismatch(`${where}: expected ${what(want)}`)
  const stamp = fieldOf(want, 'scm_sec')
  if (stamp?.kind === 'number') return timeDifference(want, have, where, context)
  for (const { name, value } of want.fields) {
    if (name === null || value.kind === 'any') continue
    const expected = numberOf(fieldOf(want, name)!, `${where}: ${name}`)
    if (have[name] !== expected)
      throw new Mismatch(`${where}: ${name}: expected ${expected}, got ${have[name] ?? 'none'}`)
  }
}

/** SCM_TIMESTAMPING: scripts count from their start, and are not exact. */
function timeDifference(
  want: Value & { readonly kind: 'struct' },
  have: Readonly<Record<string, number>>,
  where: string,
  { packets, flags }: CallContext,
): void {
  const field = (name: string) => numberOf(fieldOf(want, name)!, `${where}: ${name}`)
  const expected = field('scm_sec') * 1e6 + field('scm_nsec') / 1e3
  const got = (have.scm_sec ?? 0) * 1e6 + (have.scm_nsec ?? 0) / 1e3 - packets.start * 1e3
  if (Math.abs(expected - got) <= flags.toleranceUsecs) return
  throw new Mismatch(`${where}: expected the time ${seconds(expected)} s, got ${seconds(got)} s`)
}
