import type { DropReason } from '../wire/index.js'

/**
 * The counters of a host by name: Linux's nstat names (`TcpActiveOpens`, `TcpExtTCPTimeouts`, `TcpExtTCPLossProbes` …)
 * and one per drop reason. Numbers only ever grow.
 */
export class Counters {
  readonly values: Record<string, number> = {}
  readonly drops: Partial<Record<DropReason, number>> = {}

  count(name: string, by = 1): void {
    this.values[name] = (this.values[name] ?? 0) + by
  }

  drop(reason: DropReason): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1
  }

  get(name: string): number {
    return this.values[name] ?? 0
  }
}
