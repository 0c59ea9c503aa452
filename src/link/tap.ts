import { EthernetLink, type EthernetOptions } from './ethernet-link.js'
import type { TunCounters, TunDevice } from './tun.js'
import type { TunPort } from './tun-port.js'

/** A TAP device: the Ethernet of this link, over the device as the carrier of its frames. */
export class TapDevice extends EthernetLink implements TunDevice {
  readonly #port: TunPort

  constructor(port: TunPort, options: EthernetOptions) {
    super(port, options)
    this.#port = port
  }

  get name(): string {
    return this.#port.name
  }

  get counters(): TunCounters {
    return this.#port.counters
  }

  get closed(): Promise<Error | null> {
    return this.#port.closed
  }

  close(): Promise<void> {
    return this.#port.close()
  }

  unref(): void {
    this.#port.unref()
  }
}
