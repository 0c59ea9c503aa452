import type { AddressResult, Outcome } from '../../socket/index.js'
import { Mismatch } from '../failure.js'
import type { CallHandler, Made } from './call-handler.js'
import type { CallContext } from './syscalls-context.js'
import { evaluated } from './values.js'

/** Calls that make, connect and end sockets. */
export const SOCKET_CALLS: Readonly<Record<string, CallHandler>> = {
  socket(words, context, call) {
    words.expectCount(3)
    const domain = words.isAny(0) ? context.family : words.number(0)
    const protocol = words.number(2)
    return givesFd(context, call.result, context.calls.socket(domain, words.number(1), protocol), (script, live) =>
      context.packets.socketMade(script, live, protocolName(context, protocol)),
    )
  },

  bind(words, context) {
    words.expectCount(3)
    const to = context.address(words.at(1), context.packets.bindAddress)
    return { outcome: context.calls.bind(context.live(words.number(0)), to) }
  },

  listen(words, context) {
    words.expectCount(2)
    const fd = words.number(0)
    return {
      outcome: context.calls.listen(context.live(fd), words.number(1)),
      verify: ({ result }) => {
        const conversation = context.conversation(fd)
        if (result === 0 && conversation !== null) context.packets.listening(conversation)
      },
    }
  },

  accept(words, context, call) {
    words.expectCount(3)
    return accept(context, call.result, context.calls.accept(context.live(words.number(0))))
  },

  accept4(words, context, call) {
    words.expectCount(4)
    return accept(context, call.result, context.calls.accept(context.live(words.number(0)), words.number(3)))
  },

  connect(words, context) {
    words.expectCount(3)
    const fd = words.number(0)
    const live = context.live(fd)
    const to = context.address(words.at(1), context.packets.connectAddress)
    connects(context, fd, to.family)
    return { outcome: context.calls.connect(live, to) }
  },

  shutdown(words, context) {
    words.expectCount(2)
    return { outcome: context.calls.shutdown(context.live(words.number(0)), words.number(1)) }
  },

  close(words, context) {
    words.expectCount(1)
    const fd = words.number(0)
    return { outcome: context.calls.close(context.live(fd)), verify: () => context.closed(fd) }
  },
}

/** Tells the packets that a call connects a socket, or takes a connection apart. */
export function connects(context: CallContext, fd: number, family: number): void {
  const conversation = context.conversation(fd)
  if (conversation === null) return
  if (family === context.number('AF_UNSPEC')) {
    conversation.takenApart = true
    return
  }
  if (conversation.takenApart) conversation.startAnew()
  context.packets.connecting(conversation)
}

function accept(
  context: CallContext,
  expected: Parameters<CallHandler>[2]['result'],
  outcome: Outcome<AddressResult>,
): Made {
  return {
    outcome,
    givesFd: true,
    verify: (result) => {
      if (result.result < 0) return
      const script = scriptNumber(context, expected)
      const { address } = result as AddressResult
      context.packets.accepted(script, result.result, address?.port ?? 0)
      context.accepted(script, result.result)
    },
  }
}

/** A call whose result is a new descriptor. */
export function givesFd(
  context: CallContext,
  expected: Parameters<CallHandler>[2]['result'],
  outcome: Outcome,
  made: (script: number, live: number) => void,
): Made {
  return {
    outcome,
    givesFd: true,
    verify: ({ result }) => {
      if (result < 0) return
      const script = scriptNumber(context, expected)
      context.opened(script, result)
      made(script, result)
    },
  }
}

function scriptNumber(context: CallContext, expected: Parameters<CallHandler>[2]['result']): number {
  const value = evaluated(expected, context.symbols)
  if (value.kind === 'number' && value.number >= 0) return value.number
  throw new Mismatch('the script does not say which number the new descriptor has')
}

function protocolName(context: CallContext, protocol: number): 'tcp' | 'udp' | 'icmp' {
  if (protocol === context.number('IPPROTO_UDP')) return 'udp'
  return protocol === context.number('IPPROTO_ICMP') || protocol === context.number('IPPROTO_ICMPV6') ? 'icmp' : 'tcp'
}
