import type { StateName } from '../tcp/index.js'
import { segmentText } from '../wire/index.js'
import { type Conversation, conversations, endpointText } from './conversations.js'
import { clip, displayWidth, padEnd, padStart } from './display-width.js'
import type { TraceEvent } from './events.js'
import { type Item, type Ladder, ladderItems, opposite, type Remark, type Side } from './ladder-items.js'

export interface LadderOptions {
  /** Columns of the terminal; 100 when absent. At least 72. */
  readonly width?: number
  /** Only characters of ASCII. */
  readonly ascii?: boolean
  /** Numbers relative to the initial sequence numbers; true when absent. */
  readonly relative?: boolean
  /** Show programs' calls; timers that fired, where nothing was sent or changed because of them. */
  readonly calls?: boolean
  readonly timers?: boolean
  readonly language?: 'en' | 'zh'
  /** Host to be drawn at the left; the one that sent the first segment when absent. */
  readonly left?: string
  /** Which conversation; all, one under the other, when absent. */
  readonly conversation?: Conversation
}

const LABELS = {
  en: {
    lost: 'lost',
    inFlight: 'under way',
    retransmission: 'retransmission',
    duplicate: 'duplicate',
    dropped: 'dropped',
    peer: 'peer',
  },
  zh: { lost: '丢失', inFlight: '在途', retransmission: '重传', duplicate: '重复', dropped: '丢弃', peer: '对端' },
} as const

/** What the firing of a timer is called where it made an end send something again. */
const TIMERS: Record<string, string> = {
  retransmit: 'RTO',
  'tail-loss-probe': 'TLP',
  reorder: 'RACK',
}

interface Glyphs {
  readonly life: string
  readonly line: string
  readonly toRight: string
  readonly toLeft: string
  readonly gap: string
  readonly pause: string
  readonly ellipsis: string
}

const UNICODE: Glyphs = { life: '│', line: '─', toRight: '▶', toLeft: '◀', gap: '┄', pause: '⋮', ellipsis: '…' }
const ASCII: Glyphs = { life: '|', line: '-', toRight: '>', toLeft: '<', gap: '.', pause: ':', ellipsis: '...' }

const STATE_WIDTH = 'SYN-RECEIVED'.length
const NARROWEST = 72
/** A pause longer than this is drawn. Unit: ms. */
const PAUSE = 1000

/**
 * A ladder diagram of what two ends said to each other: an arrow per segment, in the notation of packetdrill, states where
 * they change in the margins, times at the left. An end that no host of the log stands at is drawn without states. Where
 * both ends are watched, each side keeps its own order of events and its own times; arrows that cross are drawn in halves.
 */
export function ladder(events: Iterable<TraceEvent>, options: LadderOptions = {}): string {
  const all = [...events]
  const drawn = options.conversation ? [options.conversation] : conversations(all)
  return drawn.map((conversation) => drawConversation(all, turned(all, conversation, options.left), options)).join('\n')
}

/** The conversation with the end of host `left` first. */
function turned(events: readonly TraceEvent[], conversation: Conversation, left: string | undefined): Conversation {
  if (left === undefined) return conversation
  const items = { relative: false, calls: false, timers: false }
  const { hosts } = ladderItems(events, conversation, items)
  return hosts.right === left && hosts.left !== left ? { a: conversation.b, b: conversation.a } : conversation
}

function drawConversation(events: readonly TraceEvent[], conversation: Conversation, options: LadderOptions): string {
  const { relative = true, calls = false, timers = false } = options
  const items = ladderItems(events, conversation, { relative, calls, timers })
  return new Drawing(items, conversation, options).draw()
}

/** One row: what stands in the margins and between the ends. */
interface Row {
  readonly leftAt: number | null
  readonly rightAt: number | null
  readonly leftState: StateName | null
  readonly rightState: StateName | null
  readonly middle: string
}

class Drawing {
  readonly #ladder: Ladder
  readonly #conversation: Conversation
  readonly #glyphs: Glyphs
  readonly #labels: (typeof LABELS)['en'] | (typeof LABELS)['zh']
  readonly #decimals: number
  /** Times of the right end are shown at the right, where they differ from those of the left. */
  readonly #rightTimes: boolean
  readonly #timeWidth: number
  readonly #middleWidth: number
  readonly #rows: Row[] = []
  /** Numbers of the arrows drawn in halves. */
  readonly #halves = new Map<Item, number>()

  constructor(items: Ladder, conversation: Conversation, options: LadderOptions) {
    this.#ladder = items
    this.#conversation = conversation
    this.#glyphs = options.ascii ? ASCII : UNICODE
    this.#labels = LABELS[options.language ?? 'en']
    const every = [...items.left, ...items.right]
    this.#rightTimes =
      items.left.length > 0 && items.right.some((item) => item.partner !== null && item.partner.at !== item.at)
    this.#decimals = every.every(({ at }) => Math.abs(at - Math.round(at)) < 1e-6) ? 3 : 6
    this.#timeWidth = Math.max(...every.map(({ at }) => this.#time(at).length), 5)
    const margins = (STATE_WIDTH + 2) * 2 + (this.#timeWidth + 2) * (this.#rightTimes ? 2 : 1)
    this.#middleWidth = Math.max(options.width ?? 100, NARROWEST) - margins
  }

  draw(): string {
    this.#arrange()
    const lines = [this.#heading()]
    const { left, right } = this.#ladder.initial
    if (left !== null || right !== null) lines.push(this.#line(null, left, '', right, null))
    let last: number | null = null
    for (const row of this.#rows) {
      const at = Math.max(row.leftAt ?? 0, row.rightAt ?? 0)
      if (last !== null && at - last >= PAUSE) lines.push(this.#pause())
      last = at
      const time = row.leftAt ?? (this.#rightTimes ? null : row.rightAt)
      lines.push(this.#line(time, row.leftState, row.middle, row.rightState, this.#rightTimes ? row.rightAt : null))
    }
    return `${lines.join('\n')}\n`
  }

  /**
   * Brings the events of the two ends into rows, each end in its own order. A segment is one row if it can be: if neither
   * end has anything before its departure or arrival that would have to stand below it.
   */
  #arrange(): void {
    const left = [...this.#ladder.left]
    const right = [...this.#ladder.right]
    for (;;) {
      const l = left[0]
      const r = right[0]
      if (l === undefined && r === undefined) return
      if (l !== undefined && l.partner !== null && l.partner === r) {
        this.#whole(l, r)
        left.shift()
        right.shift()
        continue
      }
      const next = earlier(this.#ready(l) ? l : undefined, this.#ready(r) ? r : undefined)
      if (next !== undefined) {
        this.#alone(next)
        ;(next.side === 'left' ? left : right).shift()
        continue
      }
      // arrows that cross or overtake each other: the first to leave is drawn in halves
      const departing =
        earlier(l?.kind === 'departure' ? l : undefined, r?.kind === 'departure' ? r : undefined) ?? l ?? r!
      const number = this.#halves.size / 2 + 1
      this.#halves.set(departing, number).set(departing.partner!, number)
      this.#alone(departing)
      ;(departing.side === 'left' ? left : right).shift()
    }
  }

  /** True when an item need not wait for its other end. */
  #ready(item: Item | undefined): boolean {
    return item !== undefined && (item.partner === null || this.#halves.has(item))
  }

  #whole(l: Item, r: Item): void {
    const departure = l.kind === 'departure' ? l : r
    const arrival = departure.partner!
    const remarks = [...departure.remarks, ...arrival.remarks]
    this.#push(l, r, this.#arrow(departure.side, this.#texts(departure, remarks), '', ''))
  }

  #alone(item: Item): void {
    const l = item.side === 'left' ? item : null
    const r = item.side === 'right' ? item : null
    this.#push(l, r, this.#middleOf(item))
  }

  #middleOf(item: Item): string {
    if (item.kind === 'note') {
      const text = clip(this.#remarks(item.remarks), this.#middleWidth - 2, this.#glyphs.ellipsis)
      return item.side === 'left' ? ` ${text}` : padStart(`${text} `, this.#middleWidth)
    }
    const number = this.#halves.get(item)
    const sender = item.kind === 'departure' ? item.side : opposite(item.side)
    if (number !== undefined) {
      const mark = `#${number}`
      // the half that arrives repeats little: the text stands on the half that left
      const remarks = item.remarks
      return item.kind === 'departure'
        ? this.#arrow(sender, this.#texts(item, remarks), '', mark)
        : this.#arrow(sender, [remarks.length > 0 ? this.#remarks(remarks) : ''], mark, '')
    }
    const end = item.kind === 'departure' && item.fate !== 'arrived' ? this.#fate(item) : ''
    return this.#arrow(sender, this.#texts(item, item.remarks), '', end)
  }

  #fate(item: Item): string {
    return item.fate === 'lost' ? `X ${this.#labels.lost}` : this.#labels.inFlight
  }

  #push(l: Item | null, r: Item | null, middle: string): void {
    this.#rows.push({
      leftAt: l?.at ?? null,
      rightAt: r?.at ?? null,
      leftState: l?.state ?? null,
      rightState: r?.state ?? null,
      middle,
    })
  }

  /**
   * An arrow from one end to the other, with the first of the texts that fits. `begin` stands for the end it comes from,
   * `end` for the one it goes to.
   */
  #arrow(sender: Side, texts: readonly string[], begin: string, end: string): string {
    const { line, gap, toRight, toLeft, ellipsis } = this.#glyphs
    const tip = sender === 'left' ? toRight : toLeft
    const tail = begin === '' ? line : sender === 'left' ? ` ${begin} ${gap}` : `${gap} ${begin} `
    const halved = end.startsWith('#') ? gap : ''
    const head = end === '' ? tip : sender === 'left' ? `${halved} ${end} ` : ` ${end} ${halved}`
    const room = this.#middleWidth - displayWidth(tail) - displayWidth(head)
    const text =
      texts.find((candidate) => displayWidth(candidate) <= room - 5) ?? clip(texts.at(-1)!, room - 5, ellipsis)
    const label = text === '' ? '' : ` ${text} `
    const rest = room - displayWidth(label)
    // texts begin in the same column whatever way the arrow goes
    if (sender === 'left') return `${tail}${line.repeat(2)}${label}${line.repeat(rest - 2)}${head}`
    const before = Math.max(1, 3 - displayWidth(head))
    return `${head}${line.repeat(before)}${label}${line.repeat(rest - before)}${tail}`
  }

  /** A segment in words, shorter and shorter: the window is given up first, then the options. */
  #texts(item: Item, remarks: readonly Remark[]): string[] {
    const full = segmentText(item.segment!, item.base)
    const remark = remarks.length === 0 ? '' : ` (${this.#remarks(remarks)})`
    const withoutWindow = full.replace(/ win \d+/, '')
    const brief = (text: string) => text.replace(/<.*>$/, `<${this.#glyphs.ellipsis}>`)
    const bare = withoutWindow.replace(/ <.*>$/, '')
    const flagsAndText = bare.replace(/ ack .*$/, '')
    return [full, withoutWindow, brief(full), brief(withoutWindow), bare, flagsAndText].map((text) => text + remark)
  }

  #remarks(remarks: readonly Remark[]): string {
    return remarks.map((remark) => this.#remark(remark)).join(', ')
  }

  #remark(remark: Remark): string {
    const labels = this.#labels
    switch (remark.kind) {
      case 'retransmission':
        return remark.timer === null
          ? labels.retransmission
          : `${labels.retransmission}, ${TIMERS[remark.timer] ?? remark.timer}`
      case 'duplicate':
        return labels.duplicate
      case 'dropped':
        return `${labels.dropped}: ${remark.reason}`
      case 'text':
        return remark.text
    }
  }

  #heading(): string {
    const { hosts } = this.#ladder
    const margin = ' '.repeat(this.#timeWidth + 2)
    const left = `${hosts.left ?? this.#labels.peer} ${endpointText(this.#conversation.a)}`
    const right = `${hosts.right ?? this.#labels.peer} ${endpointText(this.#conversation.b)}`
    const room = this.#middleWidth + (STATE_WIDTH + 2) * 2 - displayWidth(right)
    return `${margin}${padEnd(left, room)}${right}`
  }

  #line(
    leftAt: number | null,
    leftState: StateName | null,
    middle: string,
    rightState: StateName | null,
    rightAt: number | null,
  ): string {
    const { life } = this.#glyphs
    const time = padStart(leftAt === null ? '' : this.#time(leftAt), this.#timeWidth)
    const tail = rightAt === null ? '' : padStart(this.#time(rightAt), this.#timeWidth + 1)
    const state = padEnd(rightState ?? '', STATE_WIDTH)
    return `${time}  ${padStart(leftState ?? '', STATE_WIDTH)} ${life}${padEnd(middle, this.#middleWidth)}${life} ${state}${tail}`.trimEnd()
  }

  #pause(): string {
    const margin = ' '.repeat(this.#timeWidth + STATE_WIDTH + 3)
    return `${margin}${this.#glyphs.pause}${' '.repeat(this.#middleWidth)}${this.#glyphs.pause}`
  }

  #time(at: number): string {
    return (at / 1000).toFixed(this.#decimals)
  }
}

function earlier(one: Item | undefined, other: Item | undefined): Item | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.index < other.index ? one : other
}
