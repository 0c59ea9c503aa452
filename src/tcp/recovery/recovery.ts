/** What loss recovery remembers of a connection. Windows and counts in segments. */
export declare class Recovery {
  /** Linux tcp_ca_state: 0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss. */
  state: number
  /** Segments sent and not acknowledged; of these: SACKed, marked lost, sent again. */
  packetsOut: number
  sackedOut: number
  lostOut: number
  retransOut: number
}
