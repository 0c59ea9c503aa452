export type { SocketAddress } from './address.js'
export { type Alive, ProcessAlive } from './alive.js'
export { type AddressResult, Calls, type OptionResult, type ValueResult } from './calls.js'
export type { EpollResult, PipeResult, PollResult } from './calls-events.js'
export type { MessageResult, OutgoingMessage } from './calls-text.js'
export type { ControlMessage } from './control-message.js'
export { type CreateHostOptions, createHost, realTime } from './create-host.js'
export type { EpollEvent } from './epoll.js'
export { type Errno, errnoName, errnoNumber, errnoText } from './errno.js'
export type { HeldSocket } from './held-sockets.js'
export { LiveHost, type LiveHostOptions } from './live-host.js'
export type { FindAddresses } from './names.js'
export { Poll } from './open-file.js'
export { checkOptionNames } from './option-names.js'
export type { OptionValue } from './option-value.js'
export { FREEBSD, LINUX, type Personality, POSIX, personality } from './personality.js'
export type { PollEntry } from './poll-call.js'
export { isPending, type Outcome, type Pending, type Result } from './result.js'
export { TcpSocket } from './socket.js'
export {
  type ConnectAddress,
  type ConnectOptions,
  type HostAndPort,
  type ListenOptions,
  SocketError,
  type SocketInfo,
  type WebConnection,
  type WebListener,
} from './web/index.js'
