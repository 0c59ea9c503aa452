/**
 * MD5 (RFC 1321), only because the TCP MD5 signature option (RFC 2385) and Linux's way to make initial sequence numbers
 * want it. Written here since the machine also runs where there is no node:crypto.
 */

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

/** RFC 1321 3.4: the integer part of 4294967296 times abs(sin(i)), i in radians. */
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x100000000) | 0)

export class Md5 {
  #a = 0x67452301
  #b = 0xefcdab89 | 0
  #c = 0x98badcfe | 0
  #d = 0x10325476
  readonly #block = new Uint8Array(64)
  readonly #words = new Int32Array(16)
  #used = 0
  #length = 0

  /** Adds the octets [start, end). */
  update(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.#length += end - start
    for (let i = start; i < end; i++) {
      this.#block[this.#used++] = bytes[i]!
      if (this.#used === 64) this.#transform()
    }
    return this
  }

  /** The 16 octets of the digest; nothing may be added afterwards. */
  digest(): Uint8Array {
    const bits = this.#length * 8
    const block = this.#block
    block[this.#used++] = 0x80
    if (this.#used > 56) {
      block.fill(0, this.#used)
      this.#transform()
    }
    block.fill(0, this.#used, 56)
    putLittleEndian(block, 56, bits | 0)
    putLittleEndian(block, 60, Math.floor(bits / 0x100000000))
    this.#transform()
    const out = new Uint8Array(16)
    putLittleEndian(out, 0, this.#a)
    putLittleEndian(out, 4, this.#b)
    putLittleEndian(out, 8, this.#c)
    putLittleEndian(out, 12, this.#d)
    return out
  }

  #transform(): void {
    const x = this.#words
    const block = this.#block
    for (let i = 0; i < 16; i++) {
      const p = i * 4
      x[i] = block[p]! | (block[p + 1]! << 8) | (block[p + 2]! << 16) | (block[p + 3]! << 24)
    }
    let a = this.#a
    let b = this.#b
    let c = this.#c
    let d = this.#d
    for (let i = 0; i < 64; i++) {
      const round = i >>> 4
      let f: number
      let k: number
      if (round === 0) {
        f = (b & c) | (~b & d)
        k = i
      } else if (round === 1) {
        f = (d & b) | (~d & c)
        k = (5 * i + 1) & 15
      } else if (round === 2) {
        f = b ^ c ^ d
        k = (3 * i + 5) & 15
      } else {
        f = c ^ (b | ~d)
        k = (7 * i) & 15
      }
      const t = (a + f + SINES[i]! + x[k]!) | 0
      const s = SHIFTS[round * 4 + (i & 3)]!
      a = d
      d = c
      c = b
      b = (b + ((t << s) | (t >>> (32 - s)))) | 0
    }
    this.#a = (this.#a + a) | 0
    this.#b = (this.#b + b) | 0
    this.#c = (this.#c + c) | 0
    this.#d = (this.#d + d) | 0
    this.#used = 0
  }
}

/** The MD5 digest of some octets. */
export function md5(bytes: Uint8Array): Uint8Array {
  return new Md5().update(bytes).digest()
}

function putLittleEndian(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
}
