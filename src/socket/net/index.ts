import { provideNet } from '../node-net.js'
import { createNet } from './net.js'

export type { Alive } from '../alive.js'
export type { Lookup, LookupOptions, NetContext, TimerSource } from './context.js'
export { replaceNodeNet } from './install.js'
export { type Hosts, namesLookup } from './lookup.js'
export { contextOf, type Net, type NetOptions } from './net.js'
export type { NetServer } from './net-server.js'
export type { NetSocket } from './net-socket.js'
export { nodeTime } from './node-time.js'
export { closeLeftOpen, type Overlay, overlayNodeNet } from './overlay.js'
export { type Teller, Turns } from './turns.js'
export { createNet }

// `host.net` of live hosts
provideNet(createNet)
