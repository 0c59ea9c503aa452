import type { BoundSocket, ErrorName, Instant } from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import type { Host } from './host.js'

export interface BindOptions {
  /** SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY. */
  readonly reuseAddress?: boolean
  readonly reusePort?: boolean
  readonly ipv6Only?: boolean
}

/** One socket's hold on a local port. */
export class Binding {
  readonly address: IpAddress
  readonly port: number
  readonly reuseAddress: boolean
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  /** Set by `PortTable.listen`. */
  listening = false
  /** What a RST from this port carries while the socket is neither listening nor connected (FreeBSD); null: nothing special. */
  socket: BoundSocket | null = null

  constructor(address: IpAddress, port: number, options: BindOptions) {
    this.address = address
    this.port = port
    this.reuseAddress = options.reuseAddress ?? false
    this.reusePort = options.reusePort ?? false
    this.ipv6Only = options.ipv6Only ?? false
  }
}

/** The local ports of a host: who is bound to which, and which one a connection gets. */
export declare class PortTable {
  constructor(host: Host)
  /** bind: port 0 takes a free ephemeral one. EADDRNOTAVAIL: not our address, or no port is free; EADDRINUSE. */
  bind(address: IpAddress, port: number, options: BindOptions): Binding | ErrorName
  /** listen on a binding: EADDRINUSE when another that shares the port listens already. */
  listen(binding: Binding): ErrorName | null
  release(binding: Binding): void
  /** The port for a connection that was not bound, whose tuple is free; 0: none is (EADDRNOTAVAIL). */
  forConnection(local: IpAddress, remote: IpAddress, remotePort: number, now: Instant): number
  /** connect of a bound socket: may this tuple be used? (A record in TIME-WAIT may give way.) */
  tupleIsFree(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number, now: Instant): boolean
  /** The binding a segment for nobody was sent to. */
  boundTo(local: IpAddress, port: number): Binding | null
  clear(): void
}
