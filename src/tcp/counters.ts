import type { DropReason } from '../wire/index.js'

/**
 * The counters of a host by name: Linux's nstat names (`TcpActiveOpens`, `TcpExtTCPTimeouts`, `TcpExtTCPLossProbes` …)
 * and one per drop reason. Numbers only ever grow.
 */
export class Counters {
  readonly drops: Partial<Record<DropReason, number>> = {}
  /** What is counted for every segment, since `values` was last looked at: a number is cheaper to raise than a name to find. */
  segmentsIn = 0
  segmentsOut = 0
  segmentsRetransmitted = 0
  readonly #values: Record<string, number> = {}

  /** Every counter that is not zero, by name. */
  get values(): Readonly<Record<string, number>> {
    if (this.segmentsIn + this.segmentsOut > 0) this.#nameSegments()
    return this.#values
  }

  count(name: string, by = 1): void {
    this.#values[name] = (this.#values[name] ?? 0) + by
  }

  drop(reason: DropReason): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1
  }

  get(name: string): number {
    return this.values[name] ?? 0
  }

  #nameSegments(): void {
    const { segmentsIn, segmentsOut, segmentsRetransmitted } = this
    this.segmentsIn = this.segmentsOut = this.segmentsRetransmitted = 0
    this.count('TcpInSegs', segmentsIn)
    this.count('TcpOutSegs', segmentsOut)
    this.count('TcpRetransSegs', segmentsRetransmitted)
  }
}
