import type { Segment } from '../../wire/index.js'
import type { Connection } from '../connection.js'

/**
 * What received text costs of the receive buffer. Linux charges the memory that holds a packet, headers, its own
 * records and unused ends included ("truesize"), and the windows it offers follow from that; this is what a packet that
 * came through a TUN device costs there. Others count octets of text.
 */

/** sizeof(struct sk_buff) and of skb_shared_info, rounded to cache lines, octets. */
const BUFFER_RECORD = 256
const SHARED_RECORD = 320
/** Headroom before a packet, octets. */
const HEADROOM = 64
const PAGE = 4096
const LARGEST_PAGES = 8 * PAGE
/** Smallest buffer for a packet (the cache for small heads), octets. */
const SMALL_HEAD = 704
const CACHE_LINE = 64

let roomBehind = 0
/** Room left behind the packet that was charged last, octets; see `ReceiveQueue.tailroom`. */
export const tailroomOfLastCharge = (): number => roomBehind

/** What the packet that brought this segment costs, octets. */
export function chargeOf(c: Connection, seg: Segment): number {
  if (!c.env.settings.chargeOverhead) return seg.textLength
  const headers = (c.remote.isIPv4 ? 40 : 60) + seg.optionsLength
  const { count } = seg.joined
  if (count === 0) return packetCost(headers + seg.textLength)
  // each came in a packet of its own
  return count * packetCost(headers + seg.gsoSize) + packetCost(headers + seg.textLength - count * seg.gsoSize)
}

/** Cost of a packet of so many octets. */
export function packetCost(octets: number): number {
  if (HEADROOM + octets < PAGE) {
    const buffer = headSize(HEADROOM + octets)
    roomBehind = buffer - SHARED_RECORD - HEADROOM - octets
    return buffer + BUFFER_RECORD
  }
  roomBehind = 0
  const linear = PAGE - SHARED_RECORD - HEADROOM
  return PAGE + BUFFER_RECORD + pagesFor(octets - linear)
}

/** Cost of text alone copied to a buffer of its own (Linux tcp_collapse). */
export const collapsedCost = (octets: number): number => headSize(octets) + BUFFER_RECORD

function headSize(octets: number): number {
  const need = ((octets + CACHE_LINE - 1) & -CACHE_LINE) + SHARED_RECORD
  if (need <= SMALL_HEAD) return SMALL_HEAD
  let size = 1024
  while (size < need) size *= 2
  return size
}

/** Text beyond the first page is put into blocks of 8, 4, 2 or 1 pages, the largest that the rest fills. */
function pagesFor(octets: number): number {
  let left = octets
  let cost = 0
  let block = LARGEST_PAGES
  while (left > 0) {
    const need = Math.ceil(left / PAGE) * PAGE
    while (block > PAGE && need < block) block /= 2
    cost += block
    left -= block
  }
  return cost
}

/** Window that a buffer of so many octets allows at `ratio` 256ths of text per octet of memory. */
export function windowFromSpace(ratio: number, space: number): number {
  return ratio === 256 ? space : Math.floor((space * ratio) / 256)
}

/** Buffer that a window of so many octets needs. */
export function spaceFromWindow(ratio: number, window: number): number {
  return ratio === 256 ? window : Math.floor((window * 256) / ratio)
}
