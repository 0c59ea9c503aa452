import type { ProfileName } from '../../tcp/index.js'

/** Numbers by name. */
export type Symbols = Readonly<Record<string, number>>

/** Whose names and numbers the scripts of a profile use. */
export type SystemFamily = 'linux' | 'freebsd'
export const familyOf = (profile: ProfileName): SystemFamily => (profile === 'freebsd' ? 'freebsd' : 'linux')

/** Names that scripts use and no header of sockets has. */
export const EXTRA_SYMBOLS: Symbols = { NULL: 0, TRUE: 1, FALSE: 0 }

/** The states in the order in which FreeBSD numbers them. */
const FREEBSD_STATES = [
  'CLOSED',
  'LISTEN',
  'SYN_SENT',
  'SYN_RECEIVED',
  'ESTABLISHED',
  'CLOSE_WAIT',
  'FIN_WAIT_1',
  'CLOSING',
  'LAST_ACK',
  'FIN_WAIT_2',
  'TIME_WAIT',
]

/** Names that `%{ }%` code may use, beside the fields of tcp_info. */
export const CODE_CONSTANTS: Readonly<Record<SystemFamily, Symbols>> = {
  linux: {
    TCP_ESTABLISHED: 1,
    TCP_SYN_SENT: 2,
    TCP_SYN_RECV: 3,
    TCP_FIN_WAIT1: 4,
    TCP_FIN_WAIT2: 5,
    TCP_TIME_WAIT: 6,
    TCP_CLOSE: 7,
    TCP_CLOSE_WAIT: 8,
    TCP_LAST_ACK: 9,
    TCP_LISTEN: 10,
    TCP_CLOSING: 11,
    TCP_CA_Open: 0,
    TCP_CA_Disorder: 1,
    TCP_CA_CWR: 2,
    TCP_CA_Recovery: 3,
    TCP_CA_Loss: 4,
    TCPI_OPT_TIMESTAMPS: 1,
    TCPI_OPT_SACK: 2,
    TCPI_OPT_WSCALE: 4,
    TCPI_OPT_ECN: 8,
    TCPI_OPT_ECN_SEEN: 16,
    TCPI_OPT_SYN_DATA: 32,
    TCPI_OPT_USEC_TS: 64,
    TCPI_OPT_TFO_CHILD: 128,
  },
  freebsd: {
    ...Object.fromEntries(FREEBSD_STATES.flatMap((name, i) => [`TCPI_${name}`, `TCPS_${name}`].map((key) => [key, i]))),
    TCPI_OPT_TIMESTAMPS: 1,
    TCPI_OPT_SACK: 2,
    TCPI_OPT_WSCALE: 4,
    TCPI_OPT_ECN: 8,
    TCPI_OPT_TOE: 16,
    TCPI_OPT_TFO: 32,
  },
}
