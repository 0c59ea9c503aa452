export type { Clock } from './clock.js'
export { ConnectionTable } from './connection-table.js'
export { Deadlines } from './deadlines.js'
export { Deliveries } from './deliveries.js'
export { type AttachOptions, type Driver, Host, type HostOptions, type Program } from './host.js'
export {
  type FrameReceiver,
  type InterfaceAddress,
  type Link,
  NetworkInterface,
} from './network-interface.js'
export { Path, PathTable } from './path-table.js'
export { Binding, type BindOptions, PortTable } from './ports.js'
export { Random } from './random.js'
export { backgroundTime, platformTime, RealTime, type RealTimeSources } from './real-time.js'
export { parseInterfaceAddress, type Route, RouteTable, samePrefix } from './routes.js'
export { type EndpointSnapshot, snapshot } from './snapshot.js'
