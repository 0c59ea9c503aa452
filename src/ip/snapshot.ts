import {
  Connection,
  type Endpoint,
  type Instant,
  Listener,
  NEVER,
  type StateName,
  stateName,
  TIMER_NAMES,
  type TimerName,
  TimeWait,
} from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import type { Host } from './host.js'

/** One endpoint as `ss` or /proc/net/tcp would show it: plain data. */
export interface EndpointSnapshot {
  readonly id: number
  readonly kind: 'listener' | 'syn-queue' | 'connection' | 'time-wait'
  readonly state: StateName
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
  /** Octets not read; of a listener, connections not accepted. */
  readonly receiveQueue: number
  /** Octets not acknowledged or not sent. */
  readonly sendQueue: number
  /** Armed timers in the order they will fire; `in`: ms from now. */
  readonly timers: readonly { readonly timer: TimerName; readonly in: number }[]
  /** Retransmissions in a row without an answer. */
  readonly retransmits: number
}

/** Every endpoint of a host, in the order they were made. */
export function snapshot(host: Host, now: Instant): EndpointSnapshot[] {
  return [...host.connections].map((endpoint) => snapshotOf(endpoint, now)).sort((a, b) => a.id - b.id)
}

function snapshotOf(endpoint: Endpoint, now: Instant): EndpointSnapshot {
  const { id, local, localPort, remote, remotePort } = endpoint
  const state = stateName(endpoint.state)
  const named = { id, state, local, localPort, remote, remotePort }
  const idle = { receiveQueue: 0, sendQueue: 0, timers: [], retransmits: 0 }
  if (endpoint instanceof Listener) return { ...named, ...idle, kind: 'listener', receiveQueue: endpoint.acceptable }
  if (endpoint instanceof Connection) {
    const { snd, rcv } = endpoint
    return {
      ...named,
      kind: 'connection',
      receiveQueue: rcv.queue.octets,
      sendQueue: (snd.queue.writeSeq - snd.una) >>> 0,
      timers: endpoint.timers
        .map((at, timer) => ({ timer: TIMER_NAMES[timer]!, in: at - now }))
        .filter((armed) => armed.in !== NEVER)
        .sort((a, b) => a.in - b.in),
      retransmits: snd.retransmits,
    }
  }
  const isTimeWait = endpoint instanceof TimeWait
  const timer: TimerName = !isTimeWait ? 'retransmit' : state === 'TIME-WAIT' ? 'time-wait' : 'fin-wait-2'
  return {
    ...named,
    ...idle,
    kind: isTimeWait ? 'time-wait' : 'syn-queue',
    timers: endpoint.deadline === NEVER ? [] : [{ timer, in: endpoint.deadline - now }],
  }
}
