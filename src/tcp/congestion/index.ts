import type { CongestionControl } from './controller.js'
import { Cubic } from './cubic.js'
import { Dctcp } from './dctcp.js'
import { NewReno } from './new-reno.js'

const ALGORITHMS: Readonly<Record<string, new (cwnd: number) => CongestionControl>> = {
  cubic: Cubic,
  reno: NewReno,
  newreno: NewReno,
  dctcp: Dctcp,
}

/** Names that TCP_CONGESTION and `tcp_congestion_control` take. */
export const CONGESTION_CONTROLS = Object.keys(ALGORITHMS)

/** The algorithm of a name, or CUBIC for one that is not there. */
export function congestionControl(name: string, cwnd: number): CongestionControl {
  return new (ALGORITHMS[name] ?? Cubic)(cwnd)
}
