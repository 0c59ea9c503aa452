/** A 64-bit number in two halves, each a signed 32-bit integer. */
export interface Word64 {
  hi: number
  lo: number
}

const result: Word64 = { hi: 0, lo: 0 }

/**
 * SipHash-2-4 (Aumasson, Bernstein 2012) of `bytes` under a key of 16 octets: the keyed hash behind initial sequence
 * numbers (RFC 6528), timestamp offsets, SYN cookies and fast-open cookies. In halves of 64 bits, since BigInt is slow,
 * and with everything in local variables, since it is computed for each connection. The result is good until the next call.
 */
export function siphash(key: Uint8Array, bytes: Uint8Array): Readonly<Word64> {
  const k0l = little(key, 0)
  const k0h = little(key, 4)
  const k1l = little(key, 8)
  const k1h = little(key, 12)
  // v0 .. v3, each as high and low half
  let v0h = k0h ^ 0x736f6d65
  let v0l = k0l ^ 0x70736575
  let v1h = k1h ^ 0x646f7261
  let v1l = k1l ^ 0x6e646f6d
  let v2h = k0h ^ 0x6c796765
  let v2l = k0l ^ 0x6e657261
  let v3h = k1h ^ 0x74656462
  let v3l = k1l ^ 0x79746573
  const { length } = bytes
  const blocks = (length >> 3) + 1
  // the last turn is the finalization: no word of the message, four rounds in place of two
  for (let block = 0; block <= blocks; block++) {
    let hi = 0
    let lo = 0
    let rounds = 2
    if (block < blocks - 1) {
      lo = little(bytes, block * 8)
      hi = little(bytes, block * 8 + 4)
    } else if (block < blocks) {
      hi = (length & 0xff) << 24
      for (let i = block * 8; i < length; i++) {
        const shift = (i & 3) * 8
        if ((i & 7) < 4) lo |= bytes[i]! << shift
        else hi |= bytes[i]! << shift
      }
    } else {
      v2l ^= 0xff
      rounds = 4
    }
    v3h ^= hi
    v3l ^= lo
    for (; rounds > 0; rounds--) {
      // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
      let sum = (v0l + v1l) | 0
      let high = (v0h + v1h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0
      let turned = (v1h << 13) | (v1l >>> 19)
      v1l = ((v1l << 13) | (v1h >>> 19)) ^ sum
      v1h = turned ^ high
      v0h = sum
      v0l = high
      // v2 += v3; v3 <<<= 16; v3 ^= v2
      sum = (v2l + v3l) | 0
      v2h = (v2h + v3h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0
      v2l = sum
      turned = (v3h << 16) | (v3l >>> 16)
      v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l
      v3h = turned ^ v2h
      // v0 += v3; v3 <<<= 21; v3 ^= v0
      sum = (v0l + v3l) | 0
      v0h = (v0h + v3h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0
      v0l = sum
      turned = (v3h << 21) | (v3l >>> 11)
      v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l
      v3h = turned ^ v0h
      // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
      sum = (v2l + v1l) | 0
      high = (v2h + v1h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0
      turned = (v1h << 17) | (v1l >>> 15)
      v1l = ((v1l << 17) | (v1h >>> 15)) ^ sum
      v1h = turned ^ high
      v2h = sum
      v2l = high
    }
    v0h ^= hi
    v0l ^= lo
  }
  result.hi = v0h ^ v1h ^ v2h ^ v3h
  result.lo = v0l ^ v1l ^ v2l ^ v3l
  return result
}

function little(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
