/** The door `estab` in Node, Bun and Deno: with Node's face of hosts, `host.net`. */
import './socket/net/index.js'

export * from './index.js'
