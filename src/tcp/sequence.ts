/**
 * Sequence numbers: arithmetic modulo 2^32 (RFC 9293 3.4). A sequence number is held as a signed 32-bit integer,
 * which V8 keeps unboxed; two of them are compared by the sign of their difference. Printed with `>>> 0`.
 */
export type Sequence = number

/** a + n modulo 2^32; n may be negative. */
export const seqAdd = (a: Sequence, n: number): Sequence => (a + n) | 0
/** a - b as a signed distance, octets; right while the two are less than 2^31 apart. */
export const seqDiff = (a: Sequence, b: Sequence): number => (a - b) | 0
/** a < b */
export const before = (a: Sequence, b: Sequence): boolean => ((a - b) | 0) < 0
/** a > b */
export const after = (a: Sequence, b: Sequence): boolean => ((b - a) | 0) < 0
/** a <= b */
export const atOrBefore = (a: Sequence, b: Sequence): boolean => ((a - b) | 0) <= 0
/** a >= b */
export const atOrAfter = (a: Sequence, b: Sequence): boolean => ((b - a) | 0) <= 0
/** low <= x <= high */
export const between = (x: Sequence, low: Sequence, high: Sequence): boolean => (high - low) >>> 0 >= (x - low) >>> 0
