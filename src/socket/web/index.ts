export { SocketError } from './socket-error.js'
export {
  type ConnectAddress,
  type ConnectOptions,
  createWeb,
  type ListenOptions,
  type Web,
  type WebHost,
} from './web.js'
export type { HostAndPort, SocketInfo, WebConnection } from './web-connection.js'
export type { WebListener } from './web-listener.js'
