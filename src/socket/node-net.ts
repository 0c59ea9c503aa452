import type { LiveHost } from './live-host.js'
import type { Net } from './net/index.js'

type MakeNet = (host: LiveHost) => Net

let makeNet: MakeNet | null = null

/**
 * How `host.net` comes by Node's face without a browser loading Node's streams: `estab/net` puts it here when it is
 * loaded. In Node, Bun and Deno the doors `estab` and `estab/sim` load it, by the condition `node` of package.json.
 */
export function provideNet(make: MakeNet): void {
  makeNet = make
}

/** @throws Error where Node's face is not loaded */
export function netOf(host: LiveHost): Net {
  if (makeNet !== null) return makeNet(host)
  throw new Error(
    'host.net is the node:net API, on the streams of Node, Bun and Deno: there, import estab/net once. ' +
      'In a browser use host.connect and host.listen, which are web streams.',
  )
}
