/** Ports to a page: few hosts use all of them. */
const PAGE_BITS = 10

/** How many endpoints have each local port: 4 octets for a port, in pages that are made when one of theirs is first used. */
export class PortCounts {
  readonly #pages = new Array<Uint32Array | null>(0x1_0000 >> PAGE_BITS).fill(null)

  of(port: number): number {
    const page = this.#pages[port >> PAGE_BITS] ?? null
    return page === null ? 0 : page[port & ((1 << PAGE_BITS) - 1)]!
  }

  add(port: number, more: 1 | -1): void {
    const at = port >> PAGE_BITS
    let page = this.#pages[at] ?? null
    if (page === null) this.#pages[at] = page = new Uint32Array(1 << PAGE_BITS)
    page[port & ((1 << PAGE_BITS) - 1)]! += more
  }

  clear(): void {
    this.#pages.fill(null)
  }
}
