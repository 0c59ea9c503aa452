export {
  type ActiveOpen,
  abort,
  type ConnectionStatus,
  close,
  openActive,
  openActiveFrom,
  ReceiveFlag,
  receive,
  receiveChunk,
  receiveInPlace,
  SendFlag,
  send,
  setOptions,
  shutdownRead,
  shutdownWrite,
  status,
} from './calls.js'
export { CONGESTION_CONTROLS } from './congestion/index.js'
export { Connection, type ConnectionUser, type ErrorName, Ready } from './connection.js'
export { Counters } from './counters.js'
export type { Endpoint, Environment, IcmpError, PathMetrics, Secrets } from './environment.js'
export { HostWide } from './host-wide.js'
export type { Observed, Observer } from './observer.js'
export { Listener, type PassiveOpen } from './open/listener.js'
export { acknowledgeOwing, setQuickAck } from './receive/acknowledge.js'
export { atMark, readable } from './receive/urgent.js'
export { type BoundSocket, segmentForNobody, segmentOverUdp } from './reset.js'
export { writable } from './send/send-buffer.js'
export { after, atOrAfter, atOrBefore, before, between, type Sequence, seqAdd, seqDiff } from './sequence.js'
export { freebsd, linux, PROFILE_NAMES, type ProfileName, profile, rfc9293 } from './settings/profiles/index.js'
export { type Md5Key, type ProgramOptions, sharedOptions } from './settings/program-options.js'
export type { SettingName, Settings } from './settings/settings.js'
export { getSysctl, listSysctls, type SysctlFamily, setSysctl } from './settings/sysctl.js'
export { STATE_NAMES, State, type StateName, stateName } from './states/state-name.js'
export { checkEdges, EDGES, type Edge, edgesTaken } from './states/states.js'
export { statesAscii, statesMermaid, statesSvg, statesTable } from './states/states-drawn.js'
export { type TcpInfo, tcpInfo } from './tcp-info.js'
export { type Instant, type Millis, NEVER } from './time.js'
export { TimeWait } from './time-wait.js'
export { TIMER_NAMES, type Timed, Timer, type TimerName, type Timers } from './timers.js'
