/** Congestion control of one connection; windows in segments. */
export declare abstract class CongestionControl {
  abstract readonly name: string
  /** cwnd, segments. */
  cwnd: number
  /** ssthresh, segments; 0x7fffffff: none yet. */
  ssthresh: number
}
