import type { Result } from '../socket/index.js'
import type { NameValue } from './code/evaluate.js'
import type { Micros, Position } from './language/ast.js'
import type { LivePacket } from './packets/live-packet.js'

/** What became of one line of a script in a run. */
export interface StoryEntry {
  /** Of the line's action; null: the script says nothing of this. */
  readonly position: Position | null
  /** From the start of the script. */
  readonly at: Micros
  /** What was sent, or what a call returned; without what is never the same twice. */
  readonly text: string
}

/** What became of a script line by line, so that runs on different targets can be compared. */
export class Story {
  readonly entries: StoryEntry[] = []

  /** Packets that an expected one was made up of. */
  sent(position: Position | null, packets: readonly LivePacket[], text: (packet: LivePacket) => string): void {
    const last = packets.at(-1)
    if (last === undefined) return
    this.entries.push({ position, at: last.at, text: comparable(text(whole(packets))) })
  }

  notSent(position: Position, instead: readonly LivePacket[], text: (packet: LivePacket) => string): void {
    const last = instead.at(-1)
    const late = last === undefined ? '' : `; later ${comparable(text(last))}`
    this.entries.push({ position, at: last?.at ?? Number.POSITIVE_INFINITY, text: `nothing in time${late}` })
  }

  returned(position: Position, at: Micros, text: string): void {
    this.entries.push({ position, at, text })
  }
}

/** Packets less than this apart may be one to a device that cuts segments itself. */
const AT_ONCE: Micros = 2000

/** Packets in order, those together that are one stretch of text sent at once: how it is cut depends on the device. */
export function bursts(packets: readonly LivePacket[]): LivePacket[][] {
  const found: LivePacket[][] = []
  for (const packet of packets) {
    const burst = found.at(-1)
    if (burst !== undefined && continues(burst.at(-1)!, packet)) burst.push(packet)
    else found.push([packet])
  }
  return found
}

function continues({ at, content: a }: LivePacket, { at: next, content: b }: LivePacket): boolean {
  if (a.kind !== 'tcp' || b.kind !== 'tcp' || a.text.length === 0 || b.text.length === 0) return false
  return next - at < AT_ONCE && b.seq === (a.seq + a.text.length) >>> 0 && a.ack === b.ack && a.window === b.window
}

/** The fragments of a segment as the one that they are. */
function whole(packets: readonly LivePacket[]): LivePacket {
  const [first, last] = [packets[0]!, packets.at(-1)!]
  if (first === last || first.content.kind !== 'tcp' || last.content.kind !== 'tcp') return last
  const length = packets.reduce((sum, { content }) => sum + (content.kind === 'tcp' ? content.text.length : 0), 0)
  return { ...last, content: { ...last.content, seq: first.content.seq, text: new Uint8Array(length) } }
}

/** Without the sender's clock, and sequence numbers of no connection that is known. */
const comparable = (text: string): string => text.replace(/TS val \d+/, 'TS val *').replace(/\d{8,}:\d{8,}/, '*:*')

/** Out parameters of calls that can be compared: no descriptors, addresses and times. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  recvmsg: ['flags', 'control'],
  epoll_wait: ['events'],
  getsockopt: ['value'],
  ioctl: ['value'],
}

/** What a call returned, with what it put behind its pointers. */
export function resultText(call: string, result: Result, givesFd: boolean): string {
  if (result.result < 0) return `${result.result} ${result.errno ?? ''}`.trim()
  const fields: Readonly<Record<string, unknown>> = { ...result }
  const shown = (COMPARED[call] ?? [])
    .filter((name) => fields[name] !== undefined)
    .map((name) => ` ${name} ${JSON.stringify(fields[name], withoutTime)}`)
  if (Array.isArray(fields.entries)) {
    shown.push(` revents ${fields.entries.map(({ revents }: { revents: number }) => revents).join(' ')}`)
  }
  return (givesFd ? 'a descriptor' : String(result.result)) + shown.join('')
}

const withoutTime = (key: string, value: unknown): unknown =>
  key === 'scm_sec' || key === 'scm_nsec' ? undefined : value

/** The names that code mentions, with their values. */
export function sampledText(code: string, names: Iterable<readonly [string, NameValue]>): string {
  const mentioned = new Set(code.match(/\b(?:tcpi|SK_MEMINFO)_\w+/g))
  const found = [...names].filter(([name]) => mentioned.has(name)).map(([name, value]) => `${name}=${String(value)}`)
  return found.sort().join(' ')
}
