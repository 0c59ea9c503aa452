/**
 * The options of a SYN or SYN-ACK about to be sent, whoever sends it: a connection (handshake.ts), an entry of the SYN
 * queue or a SYN cookie (syn-queue.ts), which have no TCB. `options.ts: writeSynOptions(out, offer, settings)` lays them
 * out as the settings say. One object is reused for all.
 */
export class SynOffer {
  /** True: SYN-ACK. */
  answer = false
  /** MSS option, octets; 0: none (FreeBSD TCP_NOOPT). */
  mss = 0
  /** Window scale shift; -1: not offered. */
  windowScale = -1
  sackPermitted = false
  timestamps = false
  tsVal = 0
  tsEcr = 0
  /** Fast-open cookie; of no octets: a request; null: no such option. */
  fastOpenCookie: Uint8Array | null = null
  fastOpenExperimental = false
  /** AccECN option with the counters of a connection's beginning. */
  accEcn = false
  md5Key: Uint8Array | null = null

  reset(): void {
    this.answer = false
    this.mss = 0
    this.windowScale = -1
    this.sackPermitted = false
    this.timestamps = false
    this.tsVal = 0
    this.tsEcr = 0
    this.fastOpenCookie = null
    this.fastOpenExperimental = false
    this.accEcn = false
    this.md5Key = null
  }
}
