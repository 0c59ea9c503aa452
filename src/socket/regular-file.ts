import { OpenFile, Poll } from './open-file.js'

/** What a file of the simulated host holds; files have names only in `Descriptors.files`. */
export interface FileContents {
  octets: Uint8Array
}

/** An open file: enough of one for sendfile and for scripts that read what they wrote. */
export class RegularFile extends OpenFile {
  readonly kind = 'file'
  readonly contents: FileContents
  position = 0

  constructor(contents: FileContents, accessMode: number) {
    super()
    this.contents = contents
    this.accessMode = accessMode
  }

  poll(): number {
    return Poll.In | Poll.ReadNormal | Poll.Out | Poll.WriteNormal
  }

  read(target: Uint8Array): number {
    const n = this.copy(target, this.position)
    this.position += n
    return n
  }

  /** Copies from `at` on; the position stays. */
  copy(target: Uint8Array, at: number): number {
    const part = this.contents.octets.subarray(at, at + target.length)
    target.set(part)
    return part.length
  }

  write(text: Uint8Array): number {
    const at = this.append ? this.contents.octets.length : this.position
    const end = at + text.length
    if (end > this.contents.octets.length) {
      const longer = new Uint8Array(end)
      longer.set(this.contents.octets)
      this.contents.octets = longer
    }
    this.contents.octets.set(text, at)
    this.position = end
    return text.length
  }
}
