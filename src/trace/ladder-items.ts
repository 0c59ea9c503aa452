import type { StateName } from '../tcp/index.js'
import { ACK, ANY_IPV4, ANY_IPV6, type NumberBase, PSH, RST, type SegmentSummary, SYN } from '../wire/index.js'
import {
  type Conversation,
  destinationOf,
  type Endpoint,
  localOf,
  remoteOf,
  sameEndpoint,
  sourceOf,
} from './conversations.js'
import type { SegmentReceived, SegmentSent, StateChanged, TraceEvent } from './events.js'

export type Side = 'left' | 'right'

export const opposite = (side: Side): Side => (side === 'left' ? 'right' : 'left')

/** What happened at one end, in the order of that end. */
export interface Item {
  /** Position in the log. */
  readonly index: number
  readonly at: number
  readonly side: Side
  readonly kind: 'departure' | 'arrival' | 'note'
  /** The segment of a departure or an arrival. */
  readonly segment: SegmentSummary | null
  readonly base: NumberBase
  /** The arrival of a departure and the other way round; null: lost, or from an end that is not watched. */
  partner: Item | null
  /** Departures to a watched end without an arrival: it was lost, or still under way when the log ended. */
  fate: 'arrived' | 'lost' | 'in-flight'
  /** State the end is in afterwards, if it changed here. */
  state: StateName | null
  /** What is to be said about it. */
  readonly remarks: Remark[]
}

export type Remark =
  | { readonly kind: 'retransmission'; timer: string | null }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'text'; readonly text: string }

export interface Ladder {
  readonly left: Item[]
  readonly right: Item[]
  /** Hosts at the ends; null: nothing in the log happened there. */
  readonly hosts: Readonly<Record<Side, string | null>>
  /** States before the first change. */
  readonly initial: Readonly<Record<Side, StateName | null>>
}

export interface ItemOptions {
  /** Numbers relative to the initial sequence numbers. */
  readonly relative: boolean
  readonly calls: boolean
  readonly timers: boolean
}

/** Sorts what a log says about one conversation by end, and finds for each departure its arrival. */
export function ladderItems(events: readonly TraceEvent[], conversation: Conversation, options: ItemOptions): Ladder {
  const builder = new Builder(conversation, options)
  events.forEach((event, index) => {
    builder.add(event, index)
  })
  return builder.finish(events.at(-1)?.at ?? 0)
}

class Builder {
  readonly #conversation: Conversation
  readonly #options: ItemOptions
  readonly #items: Record<Side, Item[]> = { left: [], right: [] }
  readonly #hosts: Record<Side, string | null> = { left: null, right: null }
  readonly #initial: Record<Side, StateName | null> = { left: null, right: null }
  /** A change of state that waits for the segment sent because of it. */
  readonly #pending: Record<Side, { event: StateChanged; index: number } | null> = { left: null, right: null }
  readonly #firedTimer: Record<Side, { at: number; timer: string } | null> = { left: null, right: null }
  /** Initial sequence number of what each end sends. */
  readonly #iss: Record<Side, number | null> = { left: null, right: null }

  constructor(conversation: Conversation, options: ItemOptions) {
    this.#conversation = conversation
    this.#options = options
  }

  add(event: TraceEvent, index: number): void {
    if (event.type === 'sent') this.#sent(event, index)
    else if (event.type === 'received') this.#received(event, index)
    else this.#other(event, index)
  }

  #sent(event: SegmentSent, index: number): void {
    const side = this.#sideOf(sourceOf(event.segment), destinationOf(event.segment))
    if (side === null) return
    this.#hosts[side] = event.host
    const item = this.#item(side, 'departure', event.at, index, event.segment, this.#base(side, event.segment, true))
    const pending = this.#pending[side]
    if (pending !== null) {
      if (pending.event.at === event.at) item.state = pending.event.to
      else this.#stateNote(side, pending.event, pending.index)
      this.#pending[side] = null
    }
    if (event.retransmission) {
      const fired = this.#firedTimer[side]
      item.remarks.push({ kind: 'retransmission', timer: fired?.at === event.at ? fired.timer : null })
    }
    this.#items[side].push(item)
  }

  #received(event: SegmentReceived, index: number): void {
    const sender = this.#sideOf(sourceOf(event.segment), destinationOf(event.segment))
    if (sender === null) return
    const side = opposite(sender)
    this.#hosts[side] = event.host
    this.#flush(side)
    // an end that is not watched is only known by what arrives from it
    const base = this.#base(sender, event.segment, this.#hosts[sender] === null)
    this.#items[side].push(this.#item(side, 'arrival', event.at, index, event.segment, base))
  }

  #other(event: Exclude<TraceEvent, SegmentSent | SegmentReceived>, index: number): void {
    const side = this.#sideOfSubject(event)
    if (side === null) return
    switch (event.type) {
      case 'state':
        this.#state(side, event, index)
        break
      case 'dropped': {
        const last = this.#items[side].at(-1)
        const remark: Remark = { kind: 'dropped', reason: event.reason }
        if (last?.kind === 'arrival' && last.at === event.at) last.remarks.push(remark)
        else this.#note(side, event.at, index, remark)
        break
      }
      case 'timer-fired':
        this.#firedTimer[side] = { at: event.at, timer: event.timer }
        if (this.#options.timers) this.#note(side, event.at, index, { kind: 'text', text: `${event.timer} timer` })
        break
      case 'call':
        if (this.#options.calls) this.#call(side, event.at, index, `${event.call} = ${event.result}`)
        break
    }
  }

  #state(side: Side, event: StateChanged, index: number): void {
    if (this.#initial[side] === null) this.#initial[side] = event.from
    this.#flush(side)
    const last = this.#items[side].at(-1)
    if (last !== undefined && last.kind !== 'note' && last.at === event.at && last.state === null) last.state = event.to
    else this.#pending[side] = { event, index }
  }

  /** A call is logged when it returns: it goes above what it did at that moment. */
  #call(side: Side, at: number, index: number, text: string): void {
    this.#flush(side)
    const items = this.#items[side]
    let position = items.length
    while (position > 0 && items[position - 1]!.at === at && items[position - 1]!.kind === 'departure') position--
    const above = items[position]
    const item = this.#item(side, 'note', at, above?.index ?? index, null, {})
    item.remarks.push({ kind: 'text', text })
    items.splice(position, 0, item)
  }

  finish(end: number): Ladder {
    this.#flush('left')
    this.#flush('right')
    const { left, right } = this.#items
    const slowest = Math.max(pairUp(left, right), pairUp(right, left))
    if (this.#hosts.right !== null) decideFates(left, end - slowest)
    if (this.#hosts.left !== null) decideFates(right, end - slowest)
    return { left, right, hosts: this.#hosts, initial: this.#initial }
  }

  #flush(side: Side): void {
    const pending = this.#pending[side]
    this.#pending[side] = null
    if (pending !== null) this.#stateNote(side, pending.event, pending.index)
  }

  #stateNote(side: Side, event: StateChanged, index: number): void {
    const item = this.#note(side, event.at, index, { kind: 'text', text: event.cause })
    item.state = event.to
  }

  #note(side: Side, at: number, index: number, remark: Remark): Item {
    const item = this.#item(side, 'note', at, index, null, {})
    item.remarks.push(remark)
    this.#items[side].push(item)
    return item
  }

  #item(
    side: Side,
    kind: Item['kind'],
    at: number,
    index: number,
    segment: SegmentSummary | null,
    base: NumberBase,
  ): Item {
    return { index, at, side, kind, segment, base, partner: null, fate: 'arrived', state: null, remarks: [] }
  }

  /** The end that sends, for a segment; null: another conversation. */
  #sideOf(source: Endpoint, destination: Endpoint): Side | null {
    const { a, b } = this.#conversation
    if (sameEndpoint(source, a) && sameEndpoint(destination, b)) return 'left'
    if (sameEndpoint(source, b) && sameEndpoint(destination, a)) return 'right'
    return null
  }

  #sideOfSubject(event: TraceEvent): Side | null {
    const { a, b } = this.#conversation
    const { subject } = event
    if (subject === null) {
      if ('segment' in event && event.segment !== null) {
        const sender = this.#sideOf(sourceOf(event.segment), destinationOf(event.segment))
        return sender === null ? null : opposite(sender)
      }
      if (event.host === this.#hosts.left) return 'left'
      return event.host === this.#hosts.right ? 'right' : null
    }
    const side = this.#sideOf(localOf(subject), remoteOf(subject))
    if (side !== null) return side
    // a listener at one of the ends counts until there is a connection
    if (subject.remotePort !== 0 || event.type !== 'state') return null
    for (const [end, candidate] of [
      [a, 'left'],
      [b, 'right'],
    ] as const) {
      if (subject.localPort === end.port && this.#items[candidate].every((item) => item.kind === 'note')) {
        // the other end of the conversation may be a host of the log with a listener of that port too
        if (subject.local.equals(end.address) || subject.local.equals(ANY_IPV4) || subject.local.equals(ANY_IPV6))
          return candidate
      }
    }
    return null
  }

  /** Learns the initial sequence numbers from what is sent and gives what to subtract. */
  #base(sender: Side, segment: SegmentSummary, learn: boolean): NumberBase {
    if (!this.#options.relative) return {}
    const receiver = opposite(sender)
    if (learn) {
      if (segment.flags & SYN) this.#iss[sender] = segment.seq
      else this.#iss[sender] ??= segment.seq === 0 ? 0 : segment.seq - 1
      if (segment.flags & ACK) this.#iss[receiver] ??= segment.ack - 1
    }
    // RFC 9293 3.10.7.1: a RST for what had no ACK has sequence number zero, whatever the connection's numbers are
    const seq = segment.flags & RST && segment.seq === 0 ? 0 : (this.#iss[sender] ?? 0)
    return { seq, ack: this.#iss[receiver] ?? 0 }
  }
}

/** Finds for what left one end where it arrived at the other. Returns the longest delay, ms. */
function pairUp(senders: readonly Item[], receivers: readonly Item[]): number {
  const departures = senders.filter((item) => item.kind === 'departure')
  const exact = group(departures, signature)
  const similar = group(departures, outline)
  const usual = usualDelay(exact, receivers)
  let slowest = 0
  for (const arrival of receivers) {
    if (arrival.kind !== 'arrival') continue
    const same = exact.get(signature(arrival.segment!)) ?? []
    // changed on the way, or a part of a super-segment
    const candidates = same.length > 0 ? same : (similar.get(outline(arrival.segment!)) ?? [])
    const departure = likeliest(candidates, arrival, usual)
    if (departure !== null) {
      departure.partner = arrival
      arrival.partner = departure
      slowest = Math.max(slowest, arrival.at - departure.at)
    } else if (same.length > 0 && arrival.remarks.length === 0) arrival.remarks.push({ kind: 'duplicate' })
  }
  return slowest
}

/** What never arrived was lost, unless it left so late that the log may have ended before. */
function decideFates(senders: readonly Item[], late: number): void {
  for (const item of senders) {
    if (item.kind === 'departure' && item.partner === null) item.fate = item.at > late ? 'in-flight' : 'lost'
  }
}

/** Of several copies of a segment, the one whose delay is most like that of others. */
function likeliest(candidates: readonly Item[], arrival: Item, usual: number): Item | null {
  let best: Item | null = null
  const unlikeliness = (item: Item) => Math.abs(arrival.at - item.at - usual)
  for (const item of candidates) {
    if (item.partner !== null || item.index > arrival.index) continue
    if (best === null || unlikeliness(item) < unlikeliness(best)) best = item
  }
  return best
}

/** The shortest delay of segments that were sent once only, ms; 0 when there are none. */
function usualDelay(departures: ReadonlyMap<string, readonly Item[]>, receivers: readonly Item[]): number {
  let shortest = Number.POSITIVE_INFINITY
  for (const arrival of receivers) {
    if (arrival.kind !== 'arrival') continue
    const same = departures.get(signature(arrival.segment!))
    if (same?.length === 1 && same[0]!.index < arrival.index) shortest = Math.min(shortest, arrival.at - same[0]!.at)
  }
  return Number.isFinite(shortest) ? shortest : 0
}

function group(items: readonly Item[], key: (segment: SegmentSummary) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const name = key(item.segment!)
    const known = groups.get(name)
    if (known === undefined) groups.set(name, [item])
    else known.push(item)
  }
  return groups
}

/** Equal for the same segment at both ends, as far as can be told. */
function signature(segment: SegmentSummary): string {
  const { seq, ack, flags, window, textLength, options } = segment
  return `${seq} ${ack} ${flags} ${window} ${textLength} ${options.join()}`
}

function outline({ seq, flags }: SegmentSummary): string {
  return `${seq} ${flags & ~PSH}`
}
