import type { Personality } from './personality.js'

/** MSG_ flags as this room knows them; the numbers are Linux's. */
export const Message = {
  OutOfBand: 0x1,
  Peek: 0x2,
  DontRoute: 0x4,
  ControlTruncated: 0x8,
  Truncate: 0x20,
  DontWait: 0x40,
  EndOfRecord: 0x80,
  WaitAll: 0x100,
  ErrorQueue: 0x2000,
  NoSignal: 0x4000,
  More: 0x8000,
  ZeroCopy: 0x4000000,
  FastOpen: 0x20000000,
} as const

const NAMES: readonly (readonly [string, number])[] = [
  ['MSG_OOB', Message.OutOfBand],
  ['MSG_PEEK', Message.Peek],
  ['MSG_DONTROUTE', Message.DontRoute],
  ['MSG_CTRUNC', Message.ControlTruncated],
  ['MSG_TRUNC', Message.Truncate],
  ['MSG_DONTWAIT', Message.DontWait],
  ['MSG_EOR', Message.EndOfRecord],
  ['MSG_WAITALL', Message.WaitAll],
  ['MSG_ERRQUEUE', Message.ErrorQueue],
  ['MSG_NOSIGNAL', Message.NoSignal],
  ['MSG_MORE', Message.More],
  ['MSG_ZEROCOPY', Message.ZeroCopy],
  ['MSG_FASTOPEN', Message.FastOpen],
]

/** A system's flags as `Message` flags. Flags it does not have cannot be said. */
export function takeMessageFlags(flags: number, personality: Personality): number {
  if (personality.system === 'linux' || flags === 0) return flags
  return NAMES.reduce((all, [name, bit]) => (flags & (personality.numbers[name] ?? 0) ? all | bit : all), 0)
}

/** `Message` flags as a system's. */
export function giveMessageFlags(flags: number, personality: Personality): number {
  if (personality.system === 'linux' || flags === 0) return flags
  return NAMES.reduce((all, [name, bit]) => (flags & bit ? all | (personality.numbers[name] ?? 0) : all), 0)
}
