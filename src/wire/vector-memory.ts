/**
 * Memory that vector instructions reach: sums of 16-bit words are made 128 octets at a time instead of 4, and where the
 * octets lie is where they are summed. It is the memory of a WebAssembly module of two hundred octets, written out below.
 * Frames and what waits to be sent are cut from it as long as there is some; octets that lie elsewhere are copied to its
 * beginning to be summed, and even with that copy it takes a third of the time of a loop over the words.
 */

/** Octets of other memory that one sum takes at most. */
export const SCRATCH = 65_536
/** Octets that can be taken; nothing but those that were written to occupies memory of the machine. */
const ROOM = 16 * 1024 * 1024
/** Octets of a page of WebAssembly memory. */
const PAGE = 65_536

/** What a WebAssembly engine offers; browsers, Node, Bun and Deno have it, and no type library common to them names it. */
interface Engine {
  validate(code: Uint8Array): boolean
  Module: new (code: Uint8Array) => object
  Instance: new (
    module: object,
  ) => { exports: Pick<VectorMemory, 'sum' | 'copy'> & { readonly memory: { readonly buffer: ArrayBuffer } } }
}

/** The memory there is once, and what can be done in it. */
export interface VectorMemory {
  /** All of it; it never grows, so that this stays. The first SCRATCH octets are for sums of octets that lie elsewhere. */
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** Sum of the words of 16 bits from `at` on, in network order, the carries added back; at most 64 KB. */
  readonly sum: (at: number, octets: number) => number
  /** Copies within it. */
  readonly copy: (to: number, from: number, octets: number) => void
  /** Where `octets` begin that are the caller's from now on; -1: there are no more. Never given back. */
  take(octets: number): number
}

/** Made when first asked for; null: there is none. */
let made: VectorMemory | null | undefined

/** null: this engine has no vectors, or its page forbids to compile them. */
export function vectorMemory(): VectorMemory | null {
  if (made === undefined) made = make()
  return made
}

function make(): VectorMemory | null {
  const engine = (globalThis as { WebAssembly?: Engine }).WebAssembly
  const code = moduleCode()
  try {
    if (engine === undefined || !engine.validate(code)) return null
    const { sum, copy, memory } = new engine.Instance(new engine.Module(code)).exports
    const bytes = new Uint8Array(memory.buffer)
    let used = SCRATCH
    const take = (octets: number): number => {
      const at = used
      if (at + octets > bytes.length) return -1
      used += octets
      return at
    }
    return { bytes, words: new Uint32Array(memory.buffer), sum, copy, take }
  } catch {
    // a Content-Security-Policy without 'wasm-unsafe-eval', or no address space
    return null
  }
}

/** Copies `length` octets. A view, which `set` needs, costs more than few octets copied one by one. */
export function copyOctets(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): void {
  if (length < 48) {
    for (let i = 0; i < length; i++) to[at + i] = from[start + i]!
  } else if (from === to && made != null && from === made.bytes) made.copy(at, start, length)
  else if (length === from.length) to.set(from, at)
  else to.set(from.subarray(start, start + length), at)
}

// --- the module: instructions of the WebAssembly 2.0 specification, chapter 5 ---

const I32 = 0x7f
const V128 = 0x7b
const VECTOR = 0xfd
const END = 0x0b

const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
/** A number as LEB128 with the seven bits of each octet, signed when it is an operand. */
const i32 = (n: number): number[] => [0x41, ...signed(n)]
const signed = (n: number): number[] => (n < 64 ? [n] : [(n & 0x7f) | 0x80, ...signed(n >>> 7)])
const load = (offset: number): number[] => [VECTOR, 0x00, 0, offset]
/** A word of 16 bits, and one octet. */
const LOAD_WORD = [0x2f, 0, 0]
const LOAD_OCTET = [0x2d, 0, 0]
/** Eight unsigned words of 16 bits become four sums of two. */
const PAIRS = [VECTOR, 0x7f]
const ADD_LANES = [VECTOR, 0xae, 0x01]
const lane = (n: number): number[] => [VECTOR, 0x1b, n]
const ADD = [0x6a]
const AND = [0x71]
const OR = [0x72]
const SHIFT_LEFT = [0x74]
const SHIFT_RIGHT = [0x76]
const GREATER = [0x4b]

const length = (n: number): number[] => (n < 128 ? [n] : [(n & 0x7f) | 0x80, ...length(n >>> 7)])
const section = (id: number, content: number[]): number[] => [id, ...length(content.length), ...content]
const name = (text: string): number[] => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))]

function moduleCode(): Uint8Array {
  const [at, octets, end, rest, a, b, c, d] = [0, 1, 2, 3, 4, 5, 6, 7]
  const addVector = (to: number, offset: number) => [
    ...get(to),
    ...get(at),
    ...load(offset),
    ...PAIRS,
    ...ADD_LANES,
    ...set(to),
  ]
  const addRest = (loaded: number[]) => [...get(rest), ...get(at), ...loaded, ...ADD, ...set(rest)]
  /** block, loop: leave it when fewer than `step` octets are left */
  const whileLeft = (step: number, body: number[]) => [
    ...[0x02, 0x40, 0x03, 0x40],
    ...[...get(at), ...i32(step), ...ADD, ...get(end), ...GREATER, 0x0d, 1],
    ...body,
    ...[...get(at), ...i32(step), ...ADD, ...set(at), 0x0c, 0],
    ...[END, END],
  ]
  const sum = [
    // locals: two i32, four vectors, all zero
    ...[2, 2, I32, 4, V128],
    ...[...get(at), ...get(octets), ...ADD, ...set(end)],
    ...whileLeft(
      128,
      [a, b, c, d, a, b, c, d].flatMap((to, i) => addVector(to, i * 16)),
    ),
    ...whileLeft(16, addVector(a, 0)),
    ...whileLeft(2, addRest(LOAD_WORD)),
    ...whileLeft(1, addRest(LOAD_OCTET)),
    ...[...get(a), ...get(b), ...ADD_LANES, ...get(c), ...get(d), ...ADD_LANES, ...ADD_LANES, ...set(a)],
    ...[...get(a), ...lane(0), ...get(a), ...lane(1), ...ADD],
    ...[...get(a), ...lane(2), ...get(a), ...lane(3), ...ADD, ...ADD],
    ...[...get(rest), ...ADD, ...set(rest)],
    // 32 bits to 17, to 16, and its octets the other way round
    ...[1, 2].flatMap(() => [
      ...get(rest),
      ...i32(16),
      ...SHIFT_RIGHT,
      ...get(rest),
      ...i32(0xffff),
      ...AND,
      ...ADD,
      ...set(rest),
    ]),
    ...[...get(rest), ...i32(0xff), ...AND, ...i32(8), ...SHIFT_LEFT, ...get(rest), ...i32(8), ...SHIFT_RIGHT, ...OR],
    END,
  ]
  // no locals; memory.copy
  const copy = [0, ...get(0), ...get(1), ...get(2), 0xfc, 0x0a, 0, 0, END]
  const pages = length((SCRATCH + ROOM) / PAGE)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, ...[0x60, 2, I32, I32, 1, I32], ...[0x60, 3, I32, I32, I32, 0]]),
    ...section(3, [2, 0, 1]),
    ...section(5, [1, 1, ...pages, ...pages]),
    ...section(7, [3, ...name('sum'), 0, 0, ...name('copy'), 0, 1, ...name('memory'), 2, 0]),
    ...section(10, [2, ...length(sum.length), ...sum, ...length(copy.length), ...copy]),
  ])
}
