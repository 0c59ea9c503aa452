import type { Instant } from '../tcp/index.js'
import type { Errno } from './errno.js'
import { OpenFile, Poll } from './open-file.js'

/** Octets a pipe holds. */
const CAPACITY = 65_536

/** The octets between the two ends of a pipe. */
class PipeBuffer {
  readonly chunks: Uint8Array[] = []
  octets = 0
  readers = 1
  writers = 1
}

/** One end of a pipe. */
export class PipeEnd extends OpenFile {
  readonly kind = 'pipe'
  readonly reading: boolean
  readonly #buffer: PipeBuffer
  #other: PipeEnd | null = null

  private constructor(buffer: PipeBuffer, reading: boolean) {
    super()
    this.#buffer = buffer
    this.reading = reading
    this.accessMode = reading ? 0 : 1
  }

  /** pipe(2): the end to read from, the end to write to. */
  static pair(): [PipeEnd, PipeEnd] {
    const buffer = new PipeBuffer()
    const reader = new PipeEnd(buffer, true)
    const writer = new PipeEnd(buffer, false)
    reader.#other = writer
    writer.#other = reader
    return [reader, writer]
  }

  get octets(): number {
    return this.#buffer.octets
  }

  get room(): number {
    return CAPACITY - this.#buffer.octets
  }

  poll(_now: Instant): number {
    const { octets, writers, readers } = this.#buffer
    if (this.reading) return (octets > 0 ? Poll.In | Poll.ReadNormal : 0) | (writers === 0 ? Poll.HangUp : 0)
    return (octets < CAPACITY ? Poll.Out | Poll.WriteNormal : 0) | (readers === 0 ? Poll.Error : 0)
  }

  /** Octets read into `target`; 0: nobody writes any more; null: nothing there yet. */
  read(target: Uint8Array, now: Instant): number | Errno | null {
    if (!this.reading) return 'EBADF'
    const buffer = this.#buffer
    if (buffer.octets === 0) return buffer.writers === 0 ? 0 : null
    let taken = 0
    while (taken < target.length && buffer.chunks.length > 0) {
      const chunk = buffer.chunks[0]!
      const n = Math.min(chunk.length, target.length - taken)
      target.set(chunk.subarray(0, n), taken)
      taken += n
      if (n === chunk.length) buffer.chunks.shift()
      else buffer.chunks[0] = chunk.subarray(n)
    }
    buffer.octets -= taken
    this.#other?.wake(Poll.Out | Poll.WriteNormal, now)
    return taken
  }

  /** Octets taken of `text`; null: no room. */
  write(text: Uint8Array, now: Instant): number | Errno | null {
    if (this.reading) return 'EBADF'
    const buffer = this.#buffer
    if (buffer.readers === 0) return 'EPIPE'
    const n = Math.min(text.length, CAPACITY - buffer.octets)
    if (n === 0 && text.length > 0) return null
    buffer.chunks.push(text.slice(0, n))
    buffer.octets += n
    this.#other?.wake(Poll.In | Poll.ReadNormal, now)
    return n
  }

  close(now: Instant): void {
    if (this.reading) this.#buffer.readers--
    else this.#buffer.writers--
    this.#other?.wake(0, now)
  }
}
