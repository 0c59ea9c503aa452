import { internAddress } from './address-table.js'
import type { IpAddress } from './ip-address.js'
import { read32, write32 } from './octets.js'

/** Most octets of options in an IPv4 header. */
export const MAX_IPV4_OPTIONS = 40

const EOL = 0
const NOP = 1
const LOOSE_SOURCE_ROUTE = 131
const STRICT_SOURCE_ROUTE = 137
/** Kind, length and pointer of a source route, octets; its addresses follow. */
const ROUTE_HEADER = 3
/** A pointer counts from 1, at the kind: to the first address. */
const FIRST_ADDRESS = 4

const isSourceRoute = (kind: number): boolean => kind === LOOSE_SOURCE_ROUTE || kind === STRICT_SOURCE_ROUTE

/**
 * Where a source route (RFC 791 3.1, loose or strict) begins among the options [start, end) of an IPv4 header; -1: there
 * is none that makes sense. Options of other kinds are passed over, known or not (RFC 9293 MUST-50).
 */
export function sourceRouteAt(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const kind = bytes[at]!
    if (kind === EOL) return -1
    if (kind === NOP) {
      at++
      continue
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0
    if (length < 2 || at + length > end) return -1
    if (isSourceRoute(kind)) return isRoute(length, bytes[at + 2]!) ? at : -1
    at += length
  }
  return -1
}

const isRoute = (length: number, pointer: number): boolean =>
  length >= ROUTE_HEADER + 4 && (length - ROUTE_HEADER) % 4 === 0 && pointer >= FIRST_ADDRESS && pointer % 4 === 0

/** Whether a packet with the source route at `at` has been everywhere it should. */
export const routeIsComplete = (bytes: Uint8Array, at: number): boolean => bytes[at + 2]! > bytes[at + 1]!

/** The next address of the source route at `at`, which is not complete. */
export function nextOfRoute(bytes: Uint8Array, at: number): IpAddress {
  return internAddress(0, 0, 0xffff, read32(bytes, at + bytes[at + 2]! - 1))
}

/** A router notes in the source route at `at` that the packet left it from `own`: the place of the address it goes to. */
export function recordInRoute(bytes: Uint8Array, at: number, own: IpAddress): void {
  const pointer = bytes[at + 2]!
  write32(bytes, at + pointer - 1, own.w3)
  bytes[at + 2] = pointer + 4
}

/**
 * The way back along the complete source route among the options [start, end) of a packet received: options for
 * `putIPv4Options`; null: there is none.
 */
export function returnRoute(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  const at = sourceRouteAt(bytes, start, end)
  if (at < 0 || !routeIsComplete(bytes, at)) return null
  const length = bytes[at + 1]!
  const back = Uint8Array.of(bytes[at]!, length, FIRST_ADDRESS, ...new Uint8Array(length - ROUTE_HEADER))
  for (let from = at + ROUTE_HEADER, to = length - 4; to >= ROUTE_HEADER; from += 4, to -= 4) {
    write32(back, to, read32(bytes, from))
  }
  return back
}

/** Whether options that a program asks for can be sent: each whole, at most one source route, and that at its start. */
export function areIPv4Options(options: Uint8Array): boolean {
  if (options.length > MAX_IPV4_OPTIONS) return false
  let routes = 0
  for (let at = 0; at < options.length; ) {
    const kind = options[at]!
    if (kind === EOL) return true
    const length = kind === NOP ? 1 : (options[at + 1] ?? 0)
    if (length < 1 || (kind !== NOP && length < 2) || at + length > options.length) return false
    if (isSourceRoute(kind)) {
      routes++
      if (!isRoute(length, options[at + 2]!) || options[at + 2] !== FIRST_ADDRESS) return false
    }
    at += length
  }
  return routes <= 1
}

/** Where a packet with these options goes first: the first address of their source route; null: they have none. */
export function firstHop(options: Uint8Array): IpAddress | null {
  const at = sourceRouteAt(options, 0, options.length)
  return at < 0 ? null : nextOfRoute(options, at)
}

/** Octets that options take in a header. */
export const ipv4OptionsLength = (options: Uint8Array | null): number =>
  options === null ? 0 : (options.length + 3) & ~3

/**
 * Writes options at `at`, padded with EOL. The addresses of a source route are those to go through, the first being the
 * packet's destination field; the others move up and `destination` comes last (RFC 791 3.1).
 */
export function putIPv4Options(bytes: Uint8Array, at: number, options: Uint8Array, destination: IpAddress): void {
  bytes.fill(EOL, at, at + ipv4OptionsLength(options))
  bytes.set(options, at)
  const route = sourceRouteAt(options, 0, options.length)
  if (route < 0) return
  const first = at + route + ROUTE_HEADER
  const end = at + route + options[route + 1]!
  bytes.copyWithin(first, first + 4, end)
  write32(bytes, end - 4, destination.w3)
}
