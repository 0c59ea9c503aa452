export { ClockEvent, VirtualClock } from './clock.js'
export { type Duration, milliseconds } from './duration.js'
