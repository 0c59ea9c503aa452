import { Connection, type Observed } from '../tcp/index.js'

/** Names and values of variables of a TCB, sequence numbers unsigned. */
export type Variables = Record<string, number>

/**
 * The variables of RFC 9293 3.3.1 of a connection, by the RFC's names in lower case. null for what is no TCB: a listener,
 * an entry of a SYN queue, a TIME-WAIT record.
 */
export function connectionVariables(endpoint: Observed): Variables | null {
  if (!(endpoint instanceof Connection)) return null
  const { snd, rcv } = endpoint
  return {
    'snd.una': snd.una >>> 0,
    'snd.nxt': snd.nxt >>> 0,
    'snd.wnd': snd.wnd,
    'snd.mss': snd.mss,
    'rcv.nxt': rcv.nxt >>> 0,
    'rcv.wnd': rcv.wnd,
    'snd.retransmits': snd.retransmits,
    'snd.backoff': snd.backoff,
  }
}
