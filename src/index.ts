/**
 * The machine and what it stands on: hosts, links, sockets, traces. Virtual networks are in `estab/sim`, packetdrill
 * scripts in `estab/drill`; each room has a door of its own (`estab/wire`, `estab/tcp` …) with everything it shows.
 */
export { type Clock, Host, type Link, platformTime, Random, RealTime } from './ip/index.js'
export { memoryPipe } from './link/index.js'
export {
  Calls,
  type ConnectOptions,
  type CreateHostOptions,
  createHost,
  isPending,
  type ListenOptions,
  LiveHost,
  SocketError,
  type SocketInfo,
  type WebConnection,
  type WebListener,
} from './socket/index.js'
export {
  abort,
  type Connection,
  type ConnectionUser,
  close,
  EDGES,
  freebsd,
  getSysctl,
  Listener,
  linux,
  openActive,
  profile,
  Ready,
  receive,
  receiveChunk,
  receiveInPlace,
  rfc9293,
  type Settings,
  type StateName,
  send,
  setSysctl,
  shutdownRead,
  shutdownWrite,
  stateName,
  statesAscii,
  statesMermaid,
  statesSvg,
  statesTable,
  status,
  type TcpInfo,
  tcpInfo,
} from './tcp/index.js'
export { jsonLines, ladder, pcapng, ss, TraceLog } from './trace/index.js'
export { type IpAddress, parseIpAddress } from './wire/index.js'
