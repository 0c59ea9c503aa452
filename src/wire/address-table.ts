import { IpAddress } from './ip-address.js'

/** Slots of the table, a power of two. A slot is overwritten by the next address that hashes to it. */
const SLOTS = 1024
const slots: (IpAddress | null)[] = new Array<IpAddress | null>(SLOTS).fill(null)

/**
 * An address for four words, the same object as last time for a peer that was heard of lately: parsing a packet of a
 * busy peer allocates nothing. Bounded, so that spoofed sources cost no memory.
 */
export function internAddress(w0: number, w1: number, w2: number, w3: number): IpAddress {
  let hash =
    Math.imul(w3 ^ Math.imul(w2, 0x85ebca6b), 0x9e3779b1) ^ Math.imul(w1 ^ Math.imul(w0, 0xc2b2ae35), 0x27d4eb2f)
  hash ^= hash >>> 15
  const slot = hash & (SLOTS - 1)
  const known = slots[slot]!
  if (known !== null && known.w3 === w3 && known.w2 === w2 && known.w1 === w1 && known.w0 === w0) return known
  const address = new IpAddress(w0, w1, w2, w3)
  slots[slot] = address
  return address
}

/** The IPv4 address of a packet: most often that of the packet before, `last`. */
export const addressOf = (word: number, last: IpAddress): IpAddress =>
  last.w3 === word && last.isIPv4 ? last : internAddress(0, 0, 0xffff, word)
