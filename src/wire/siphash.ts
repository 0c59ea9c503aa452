/** A 64-bit number in two halves, each a signed 32-bit integer. */
export interface Word64 {
  readonly hi: number
  readonly lo: number
}

/**
 * SipHash-2-4 (Aumasson, Bernstein 2012): the keyed hash behind initial sequence numbers (RFC 6528), SYN cookies and
 * fast-open cookies. In halves of 64 bits, since BigInt is slow.
 */
class SipHash {
  // v0 .. v3, each as hi and lo
  v0h = 0
  v0l = 0
  v1h = 0
  v1l = 0
  v2h = 0
  v2l = 0
  v3h = 0
  v3l = 0

  start(k0h: number, k0l: number, k1h: number, k1l: number): void {
    this.v0h = k0h ^ 0x736f6d65
    this.v0l = k0l ^ 0x70736575
    this.v1h = k1h ^ 0x646f7261
    this.v1l = k1l ^ 0x6e646f6d
    this.v2h = k0h ^ 0x6c796765
    this.v2l = k0l ^ 0x6e657261
    this.v3h = k1h ^ 0x74656462
    this.v3l = k1l ^ 0x79746573
  }

  compress(hi: number, lo: number): void {
    this.v3h ^= hi
    this.v3l ^= lo
    this.round()
    this.round()
    this.v0h ^= hi
    this.v0l ^= lo
  }

  finish(): Word64 {
    this.v2l ^= 0xff
    for (let i = 0; i < 4; i++) this.round()
    return { hi: this.v0h ^ this.v1h ^ this.v2h ^ this.v3h, lo: this.v0l ^ this.v1l ^ this.v2l ^ this.v3l }
  }

  round(): void {
    let { v0h, v0l, v1h, v1l, v2h, v2l, v3h, v3l } = this
    let t: number
    let l: number
    // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
    l = (v0l >>> 0) + (v1l >>> 0)
    v0h = (v0h + v1h + (l > 0xffffffff ? 1 : 0)) | 0
    v0l = l | 0
    t = (v1h << 13) | (v1l >>> 19)
    v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l
    v1h = t ^ v0h
    t = v0h
    v0h = v0l
    v0l = t
    // v2 += v3; v3 <<<= 16; v3 ^= v2
    l = (v2l >>> 0) + (v3l >>> 0)
    v2h = (v2h + v3h + (l > 0xffffffff ? 1 : 0)) | 0
    v2l = l | 0
    t = (v3h << 16) | (v3l >>> 16)
    v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l
    v3h = t ^ v2h
    // v0 += v3; v3 <<<= 21; v3 ^= v0
    l = (v0l >>> 0) + (v3l >>> 0)
    v0h = (v0h + v3h + (l > 0xffffffff ? 1 : 0)) | 0
    v0l = l | 0
    t = (v3h << 21) | (v3l >>> 11)
    v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l
    v3h = t ^ v0h
    // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
    l = (v2l >>> 0) + (v1l >>> 0)
    v2h = (v2h + v1h + (l > 0xffffffff ? 1 : 0)) | 0
    v2l = l | 0
    t = (v1h << 17) | (v1l >>> 15)
    v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l
    v1h = t ^ v2h
    t = v2h
    v2h = v2l
    v2l = t
    this.v0h = v0h
    this.v0l = v0l
    this.v1h = v1h
    this.v1l = v1l
    this.v2h = v2h
    this.v2l = v2l
    this.v3h = v3h
    this.v3l = v3l
  }
}

const state = new SipHash()

/** The 64-bit SipHash-2-4 of `bytes` under a key of 16 octets. */
export function siphash(key: Uint8Array, bytes: Uint8Array): Word64 {
  state.start(little(key, 4), little(key, 0), little(key, 12), little(key, 8))
  const whole = bytes.length & ~7
  for (let i = 0; i < whole; i += 8) state.compress(little(bytes, i + 4), little(bytes, i))
  const last = new Uint8Array(8)
  for (let i = whole; i < bytes.length; i++) last[i - whole] = bytes[i]!
  last[7] = bytes.length
  state.compress(little(last, 4), little(last, 0))
  return state.finish()
}

function little(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
