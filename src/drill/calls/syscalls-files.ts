import { Mismatch } from '../failure.js'
import type { CallHandler } from './call-handler.js'
import { listOf, numberOf } from './syscalls-arguments.js'
import { givesFd } from './syscalls-sockets.js'

/** Calls on files and pipes, as far as scripts need them beside sockets. */
export const FILE_CALLS: Readonly<Record<string, CallHandler>> = {
  open(words, context, call) {
    words.expectCount(2, 3)
    const path = words.at(0)
    if (path.kind !== 'text') throw new Mismatch('open: expected a path')
    return givesFd(context, call.result, context.calls.open(path.text, words.number(1)), () => {})
  },

  dup(words, context, call) {
    words.expectCount(1)
    return givesFd(context, call.result, context.calls.dup(context.live(words.number(0))), () => {})
  },

  pipe(words, context) {
    words.expectCount(1)
    const scripts = listOf(words.at(0), 'pipe').map((item) => numberOf(item, 'pipe'))
    const outcome = context.calls.pipe()
    return {
      outcome,
      verify: () => {
        const ends = outcome.fds ?? []
        for (const [i, script] of scripts.entries()) context.opened(script, ends[i] ?? -1)
      },
    }
  },

  splice(words, context) {
    words.expectCount(6)
    const from = context.live(words.number(0))
    const to = context.live(words.number(2))
    return { outcome: context.calls.splice(from, to, words.number(4), words.number(5)) }
  },

  cap_set(words) {
    words.expectCount(3)
    return { outcome: { result: 0 } }
  },
}
