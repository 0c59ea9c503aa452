import { provideNet } from '../node-net.js'
import { createNet } from './net.js'

export type { Alive } from '../alive.js'
export type { Lookup, TimerSource } from './context.js'
export { replaceNodeNet } from './install.js'
export type { Hosts } from './lookup.js'
export type { Net, NetOptions } from './net.js'
export type { NetServer } from './net-server.js'
export type { NetSocket } from './net-socket.js'
export { nodeTime } from './node-time.js'
export { createNet }

// `host.net` of live hosts
provideNet(createNet)
