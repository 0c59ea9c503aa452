import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksum, checksumAdd, checksumFold, parseIpAddress, pseudoHeaderSum } from './index.js'

/** RFC 1071 4.1 word by word, as plain as can be. */
function plain(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0
  for (let i = start; i < end; i += 2) {
    sum += bytes[i]! * 256 + (i + 1 < end ? bytes[i + 1]! : 0)
    if (sum > 0xffff) sum -= 0xffff
  }
  return ~sum & 0xffff
}

describe('Internet checksum', () => {
  test('the example of RFC 1071 3', () => {
    const bytes = Uint8Array.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])
    expect(checksum(bytes, 0, 8)).toBe(~0xddf2 & 0xffff)
  })

  test('any range of any view of a buffer', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 400 }),
        fc.nat(7),
        fc.nat(200),
        fc.nat(200),
        (octets, offset, a, b) => {
          const view = new Uint8Array(new ArrayBuffer(octets.length + offset), offset)
          view.set(octets)
          const start = Math.min(a, b, octets.length)
          const end = Math.min(Math.max(a, b) + 100, octets.length)
          expect(checksum(view, start, end)).toBe(plain(view, start, end))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('long ranges, which are summed with vectors, at any offset', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 37 + (i >>> 8)) & 0xff)
    for (const start of [0, 1, 2, 3, 17]) {
      for (const length of [399, 400, 401, 447, 448, 449, 1460, 1461, 65_535, 65_536, 65_537]) {
        expect(checksum(bytes, start, start + length), `${length} from ${start}`).toBe(
          plain(bytes, start, start + length),
        )
      }
    }
    expect(checksum(bytes.fill(0xff), 0, 65_536)).toBe(plain(bytes, 0, 65_536))
  })

  test('parts of even length add up to the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 600 }), fc.nat(300), (octets, cut) => {
        const middle = Math.min(cut * 2, octets.length & ~1)
        const sum = checksumAdd(checksumAdd(0, octets, 0, middle), octets, middle, octets.length)
        expect(checksumFold(sum)).toBe(plain(octets, 0, octets.length))
      }),
    )
  })

  test('more than the doubles could hold unfolded', () => {
    const bytes = new Uint8Array(16 * 1024 * 1024 + 3).fill(0xff)
    expect(checksum(bytes, 0, bytes.length)).toBe(plain(bytes, 0, bytes.length))
  })

  test('pseudo-headers of both families', () => {
    // computed by tshark over the same packets, see tshark.test.ts for more
    const v4 = pseudoHeaderSum(parseIpAddress('192.0.2.1'), parseIpAddress('192.0.2.2'), 6, 20)
    expect(checksumFold(v4)).toBe(~(((0xc000 + 0x0201 + 0xc000 + 0x0202 + 6 + 20) % 0xffff) & 0xffff) & 0xffff)
    const v6 = pseudoHeaderSum(parseIpAddress('2001:db8::1'), parseIpAddress('2001:db8::2'), 6, 20)
    expect(checksumFold(v6)).toBe(~((0x2001 + 0xdb8 + 1 + 0x2001 + 0xdb8 + 2 + 26) & 0xffff) & 0xffff)
  })
})
