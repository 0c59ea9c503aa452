/** The eleven states of RFC 9293 3.3.2, as the RFC prints them. */
export const STATE_NAMES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const

export type StateName = (typeof STATE_NAMES)[number]

/** States as small integers in the order of STATE_NAMES, so that the machine compares numbers. */
export const State = {
  Closed: 0,
  Listen: 1,
  SynSent: 2,
  SynReceived: 3,
  Established: 4,
  FinWait1: 5,
  FinWait2: 6,
  CloseWait: 7,
  Closing: 8,
  LastAck: 9,
  TimeWait: 10,
} as const

export type State = (typeof State)[keyof typeof State]

export const stateName = (state: State): StateName => STATE_NAMES[state]
