export { NetworkError } from './network-error.js'
export { type ConnectOptions, createWeb, type ListenOptions, type Web, type WebOptions } from './web.js'
export type { Ends, WebConnection } from './web-connection.js'
export type { WebListener } from './web-listener.js'
