import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { md5, siphash } from './index.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (s: string) => new TextEncoder().encode(s)

describe('MD5', () => {
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('RFC 1321 A.5: MD5 ("%s")', (message, digest) => {
    expect(hex(md5(text(message)))).toBe(digest)
  })

  test('as Node computes it, for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        expect(hex(md5(octets))).toBe(createHash('md5').update(octets).digest('hex'))
      }),
    )
  })
})

describe('SipHash-2-4', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)
  const hash = (length: number) => {
    const { hi, lo } = siphash(
      key,
      Uint8Array.from({ length }, (_, i) => i),
    )
    return (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0')
  }

  // appendix A of the paper gives the one of 15 octets; the others are from the authors' reference vectors
  test.each([
    [0, '726fdb47dd0e0e31'],
    [1, '74f839c593dc67fd'],
    [8, '93f5f5799a932462'],
    [15, 'a129ca6149be45e5'],
  ])('of the octets 0 … of length %d', (length, expected) => {
    expect(hash(length)).toBe(expected)
  })
})
