/**
 * Every kind of segment in every state: one script for each, which says how the state is come by and what arrives. What is
 * sent and what the program then sees is not in the script: it is told by the run, a line for each cell.
 */
import type { RunResult } from '../../src/drill/index.js'
import type { ProfileName } from '../../src/tcp/index.js'

const SOCKET = '0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3'
const LISTEN = `${SOCKET}
+0 bind(3, ..., ...) = 0
+0 listen(3, 5) = 0`
const SYN_SENT = `${SOCKET}
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>`
const ESTABLISHED = `${SYN_SENT}
+.05 < S. 0:0(0) ack 1 win 65535 <mss 1460>`
const FIN_WAIT_1 = `${ESTABLISHED}
+.02 shutdown(3, SHUT_WR) = 0`
const FIN_WAIT_2 = `${FIN_WAIT_1}
+.02 < . 1:1(0) ack 2 win 65535`
const CLOSE_WAIT = `${ESTABLISHED}
+.02 < F. 1:1(0) ack 1 win 65535`

/** How a state is come by, the peer's next sequence number there, ours, and what the program asks afterwards. */
interface InState {
  readonly script: string
  readonly rcvNxt: number
  readonly sndUna: number
  readonly sndNxt: number
  readonly asks: string
}

const READ = 'read(3, ..., 1000) = ...'
const IN_STATE: Readonly<Record<string, InState>> = {
  LISTEN: { script: LISTEN, rcvNxt: 0, sndUna: 0, sndNxt: 0, asks: 'accept(3, ..., ...) = ...' },
  'SYN-SENT': { script: SYN_SENT, rcvNxt: 0, sndUna: 0, sndNxt: 1, asks: READ },
  'SYN-RECEIVED, passive': {
    script: `${LISTEN}\n+.05 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <...>`,
    rcvNxt: 1,
    sndUna: 0,
    sndNxt: 1,
    asks: 'accept(3, ..., ...) = ...',
  },
  'SYN-RECEIVED, simultaneous': {
    script: `${SYN_SENT}\n+.05 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <...>`,
    rcvNxt: 1,
    sndUna: 0,
    sndNxt: 1,
    asks: READ,
  },
  ESTABLISHED: { script: ESTABLISHED, rcvNxt: 1, sndUna: 1, sndNxt: 1, asks: READ },
  'FIN-WAIT-1': { script: FIN_WAIT_1, rcvNxt: 1, sndUna: 1, sndNxt: 2, asks: READ },
  'FIN-WAIT-2': { script: FIN_WAIT_2, rcvNxt: 1, sndUna: 2, sndNxt: 2, asks: READ },
  CLOSING: {
    script: `${FIN_WAIT_1}\n+.02 < F. 1:1(0) ack 1 win 65535`,
    rcvNxt: 2,
    sndUna: 1,
    sndNxt: 2,
    asks: READ,
  },
  'TIME-WAIT': {
    script: `${FIN_WAIT_2}\n+.02 < F. 1:1(0) ack 2 win 65535`,
    rcvNxt: 2,
    sndUna: 2,
    sndNxt: 2,
    asks: READ,
  },
  'CLOSE-WAIT': { script: CLOSE_WAIT, rcvNxt: 2, sndUna: 1, sndNxt: 1, asks: READ },
  'LAST-ACK': {
    script: `${CLOSE_WAIT}\n+.02 shutdown(3, SHUT_WR) = 0`,
    rcvNxt: 2,
    sndUna: 1,
    sndNxt: 2,
    asks: READ,
  },
}

/** Flags, and octets of text. */
const SEGMENTS = ['S', 'S.', 'SF', 'SF.', '.', 'P.10', 'F', 'F.', 'FP.10', 'R', 'R.', 'P10', '-']
/** Where the sequence number is: one before RCV.NXT, at it, in the window behind it, behind the window. */
const SEQUENCE: Readonly<Record<string, number>> = { old: -1, next: 0, ahead: 20, beyond: 200_000 }
/** What is acknowledged: something old, all of it, or what was never sent. */
const ACKNOWLEDGMENT: Readonly<Record<string, (s: InState) => number>> = {
  'ack old': ({ sndUna }) => sndUna,
  'ack all': ({ sndNxt }) => sndNxt,
  'ack future': ({ sndNxt }) => sndNxt + 1,
}

/** What arrives in what state. */
export interface Cell {
  readonly state: string
  readonly name: string
  readonly script: string
}

export function cells(state: string): Cell[] {
  const inState = IN_STATE[state]!
  const found: Cell[] = []
  for (const segment of SEGMENTS) {
    const flags = segment.replace(/\d+/, '')
    const text = Number(segment.match(/\d+/)?.[0] ?? 0)
    for (const [where, offset] of Object.entries(SEQUENCE)) {
      // before a SYN arrived there is no RCV.NXT: one number is as good as another
      if (where !== 'next' && inState.rcvNxt === 0) continue
      const seq = inState.rcvNxt + offset
      const at = `${seq}:${seq + text}(${text})`
      for (const [acknowledges, ack] of Object.entries(ACKNOWLEDGMENT)) {
        const hasAck = flags.includes('.')
        if (!hasAck && acknowledges !== 'ack all') continue
        if (acknowledges === 'ack old' && inState.sndUna === inState.sndNxt) continue
        const words = hasAck ? `${at} ack ${ack(inState)}` : at
        const options = flags.includes('S') ? ' <mss 1460>' : ''
        found.push({
          state,
          name: hasAck ? `${segment} ${where}, ${acknowledges}` : `${segment} ${where}`,
          script: `${inState.script}\n+.02 < ${flags} ${words} win 65535${options}\n+.06 ${inState.asks}\n`,
        })
      }
    }
  }
  return found
}

export const STATES = Object.keys(IN_STATE)

/** How a cell is run, so that `told` can tell of it. */
export const optionsOf = ({ state, name }: Cell, profile: ProfileName) =>
  ({ profile, file: `${state}: ${name}`, story: true }) as const

/** What arrived, what was sent, and what the program saw, as one line. */
export function told(cell: Cell, run: RunResult): string {
  const lines = cell.script.trimEnd().split('\n')
  const asked = lines.length
  const sent: string[] = []
  let saw = ''
  const moments = lines.slice(0, -1).map((line) => Number(line.match(/^\+?(\S+)/)![1]))
  /** When the segment arrived, µs from the start; a little earlier, for the clock of a kernel. */
  const arrival = 1e6 * moments.reduce((sum, after) => sum + after, 0) - 5000
  for (const { position, at, text } of run.story) {
    if (position === null && at >= arrival) sent.push(text)
    else if (position === null) continue
    else if (position.line === asked) saw = text
    else if (position.line === asked - 1) throw new Error(`${cell.state}, ${cell.name}: ${text}`)
  }
  if (saw === '')
    throw new Error(`${cell.state}, ${cell.name}: ${run.error?.message ?? 'the script did not end'}\n${cell.script}`)
  return `${cell.name}: ${sent.length === 0 ? 'nothing' : sent.join(' ')}; ${saw}`
}
