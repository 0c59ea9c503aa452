export type { SocketAddress } from './address.js'
export {
  type AddressResult,
  Calls,
  type MessageResult,
  type OptionResult,
  type OutgoingMessage,
  type ValueResult,
} from './calls.js'
export type { EpollResult, PipeResult, PollResult } from './calls-events.js'
export type { ControlMessage } from './control-message.js'
export type { EpollEvent } from './epoll.js'
export { type Errno, errnoName, errnoNumber, errnoText } from './errno.js'
export type { HeldSocket } from './held-sockets.js'
export { Poll } from './open-file.js'
export type { OptionValue } from './option-value.js'
export { FREEBSD, LINUX, type Personality, POSIX, personality } from './personality.js'
export type { PollEntry } from './poll-call.js'
export { isPending, type Outcome, type Pending, type Result } from './result.js'
export { TcpSocket } from './socket.js'
