export { type TunHost, type TunHostOptions, tunHost } from './tun-host.js'
export { checkFree, type WireEnds, wireEnds } from './wire-ends.js'
