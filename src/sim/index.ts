export { ClockEvent, VirtualClock } from './clock.js'
export { type Duration, milliseconds } from './duration.js'
export { type LinkOptions, type PacketFate, Port, SimulatedLink } from './link.js'
export {
  type CapturedPacket,
  createNetwork,
  Network,
  type NetworkOptions,
  Partition,
  type SimulatedHostOptions,
} from './network.js'
export { bitsPerSecond, type Rate } from './options.js'
export { End, type Pair, type PairOptions, pair, type SentSegment } from './pair.js'
export type { RunOptions } from './programs/index.js'
export {
  type Action,
  ActiveRule,
  corrupt,
  delay,
  drop,
  duplicate,
  type PacketMatch,
  type PacketOnTheWay,
  pass,
  type Rule,
  replace,
} from './rules.js'
