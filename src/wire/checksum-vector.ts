/**
 * The sum of 16-bit words with vector instructions: 64 octets at a time instead of 4. The octets are copied into the memory
 * of a WebAssembly module of a hundred octets, which is written out below; that copy and the sum together take a third
 * of the time of a loop over the words, so they pay from a few hundred octets on.
 */

/** Octets that one sum takes at most. */
export const VECTOR_MOST = 65536
/** Octets added in one round; so many behind the last one are set to zero. */
const ROUND = 64

/** What a WebAssembly engine offers; browsers, Node, Bun and Deno have it, and no type library common to them names it. */
interface Engine {
  validate(code: Uint8Array): boolean
  Module: new (code: Uint8Array) => object
  Instance: new (module: object) => { exports: { sum(octets: number): number; memory: { buffer: ArrayBuffer } } }
}

/** A sum of up to 64 KB at a time. */
export interface VectorSum {
  /** The octets to be summed are put here, from the first on. */
  readonly memory: Uint8Array
  /** Sum of the first `octets` as 16-bit words, the first octet of each the lower one; unsigned once taken `>>> 0`. */
  readonly sum: (octets: number) => number
}

/** null: this engine has no vectors, or its page forbids to compile them. */
export function vectorSum(): VectorSum | null {
  const engine = (globalThis as { WebAssembly?: Engine }).WebAssembly
  const code = moduleCode()
  try {
    if (engine === undefined || !engine.validate(code)) return null
    const { exports } = new engine.Instance(new engine.Module(code))
    return { memory: new Uint8Array(exports.memory.buffer), sum: exports.sum }
  } catch {
    // a Content-Security-Policy without 'wasm-unsafe-eval'
    return null
  }
}

// --- the module: instructions of the WebAssembly 2.0 specification, chapter 5 ---

const I32 = 0x7f
const V128 = 0x7b
const VECTOR = 0xfd
const END = 0x0b

const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const i32 = (n: number): number[] => [0x41, n & 0x7f]
const load = (offset: number): number[] => [VECTOR, 0x00, 0, offset]
const store = (offset: number): number[] => [VECTOR, 0x0b, 0, offset]
/** Eight unsigned words of 16 bits become four sums of two. */
const PAIRS = [VECTOR, 0x7f]
const ADD_LANES = [VECTOR, 0xae, 0x01]
const lane = (n: number): number[] => [VECTOR, 0x1b, n]
const ADD = [0x6a]
const LESS = [0x49]

const section = (id: number, content: number[]): number[] => [id, content.length, ...content]
const name = (text: string): number[] => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))]

function moduleCode(): Uint8Array {
  const [octets, at, a, b] = [0, 1, 2, 3]
  const add = (to: number, offset: number) => [
    ...get(to),
    ...get(at),
    ...load(offset),
    ...PAIRS,
    ...ADD_LANES,
    ...set(to),
  ]
  const body = [
    // locals: one i32, two vectors, all zero
    ...[2, 1, I32, 2, V128],
    ...[0, 16, 32, 48].flatMap((offset) => [...get(octets), ...get(a), ...store(offset)]),
    // loop, of no type: 64 octets; again while at < octets
    ...[0x03, 0x40],
    ...[...add(a, 0), ...add(b, 16), ...add(a, 32), ...add(b, 48)],
    ...[...get(at), ...i32(0x3f), ...ADD, ...i32(1), ...ADD, ...set(at)],
    ...[...get(at), ...get(octets), ...LESS, 0x0d, 0],
    END,
    ...[...get(a), ...get(b), ...ADD_LANES, ...set(a)],
    ...[...get(a), ...lane(0), ...get(a), ...lane(1), ...ADD],
    ...[...get(a), ...lane(2), ...get(a), ...lane(3), ...ADD, ...ADD],
    END,
  ]
  // a function's length is a LEB128 number of two octets
  const code = [1, (body.length & 0x7f) | 0x80, body.length >>> 7, ...body]
  const pages = Math.ceil((VECTOR_MOST + ROUND) / 65536)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, pages]),
    ...section(7, [2, ...name('sum'), 0, 0, ...name('memory'), 2, 0]),
    ...[10, (code.length & 0x7f) | 0x80, code.length >>> 7, ...code],
  ])
}
