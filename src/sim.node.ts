/** The door `estab/sim` in Node, Bun and Deno: with Node's face of hosts, `host.net`. */
import './socket/net/index.js'

export * from './sim/index.js'
