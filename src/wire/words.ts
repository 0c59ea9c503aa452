/** True where the first octet of a word in memory is its lowest. */
export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

const wordsOf = new WeakMap<ArrayBufferLike, Uint32Array<ArrayBuffer>>()
let lastBuffer: ArrayBufferLike | null = null
let lastWords = new Uint32Array(0)
let previousBuffer: ArrayBufferLike | null = null
let previousWords = lastWords

/** A buffer as 32-bit words, in the order of this machine. Frames are cut from few slabs: the two seen last are at hand. */
export function wordsIn(buffer: ArrayBufferLike): Uint32Array {
  if (buffer === lastBuffer) return lastWords
  let words: Uint32Array<ArrayBuffer> | undefined
  if (buffer === previousBuffer) words = previousWords
  else {
    words = wordsOf.get(buffer)
    if (words === undefined) {
      words = new Uint32Array(buffer as ArrayBuffer, 0, buffer.byteLength >>> 2)
      wordsOf.set(buffer, words)
    }
  }
  previousBuffer = lastBuffer
  previousWords = lastWords
  lastBuffer = buffer
  lastWords = words
  return words
}
