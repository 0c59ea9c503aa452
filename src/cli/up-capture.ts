import { closeSync, openSync, writevSync } from 'node:fs'
import { copyFrame, finishChecksum } from '../link/index.js'
import { interfaceBlock, LINKTYPE_RAW, packetBlock, sectionHeaderBlock } from '../trace/index.js'
import type { Frame } from '../wire/index.js'
import { Complaint } from './up-complaint.js'

/** Octets gathered before they are written, and how long they may wait, ms. */
const ENOUGH = 256 * 1024
const LONGEST_WAIT = 200

/** A pcapng file that grows while packets pass. Checksums that are left to the device are filled in, as it does. */
export class CaptureFile {
  readonly #fd: number
  readonly #blocks: Uint8Array[] = []
  #octets = 0
  #timer: NodeJS.Timeout | null = null

  constructor(path: string, interfaceName: string) {
    try {
      this.#fd = openSync(path, 'w')
    } catch (error) {
      throw new Complaint(`The capture cannot be written to ${path}: ${(error as Error).message}.`, 1)
    }
    this.#add(sectionHeaderBlock('estab'))
    this.#add(interfaceBlock(interfaceName, LINKTYPE_RAW, 0))
    this.#flush()
  }

  write(frame: Frame, direction: 'in' | 'out'): void {
    const copy = copyFrame(frame)
    if (copy.checksumPartial) finishChecksum(copy)
    const octets = copy.view()
    this.#add(
      packetBlock({
        interfaceId: 0,
        nanoseconds: BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
        octets,
        originalLength: octets.length,
        direction: direction === 'in' ? 'inbound' : 'outbound',
        comments: [],
      }),
    )
    if (this.#octets >= ENOUGH) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), LONGEST_WAIT)
  }

  close(): void {
    this.#flush()
    closeSync(this.#fd)
  }

  #add(block: Uint8Array): void {
    this.#blocks.push(block)
    this.#octets += block.length
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#octets === 0) return
    writevSync(this.#fd, [Buffer.concat(this.#blocks, this.#octets)])
    this.#blocks.length = 0
    this.#octets = 0
  }
}
