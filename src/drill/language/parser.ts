import type {
  Action,
  CodeAction,
  CommandAction,
  EventTime,
  Micros,
  Position,
  Script,
  ScriptEvent,
  ScriptOption,
} from './ast.js'
import { objection } from './flags.js'
import { Lexer } from './lexer.js'
import { parseCall } from './parser-call.js'
import { parsePacket } from './parser-packet.js'
import { type Definitions, preprocess } from './preprocess.js'

/** Longest time a script may name: a thousand years, so that microseconds stay exact numbers. */
const MAX_SECONDS = 31_536_000_000

/**
 * Reads a packetdrill script, of Google's or NPLab's dialect.
 *
 * @param file the name for messages
 * @throws ScriptError for anything that is not a script
 */
export function parseScript(file: string, text: string, definitions: Definitions = {}): Script {
  const lexer = new Lexer(preprocess(file, text, definitions))
  const options: ScriptOption[] = []
  while (lexer.at('--')) options.push(parseOption(lexer))
  const setUp = lexer.at('`') ? parseCommand(lexer) : null
  const events: ScriptEvent[] = []
  let cleanUp: CommandAction | null = null
  while (!lexer.atEnd) {
    if (lexer.at('`')) {
      cleanUp = parseCommand(lexer)
      if (!lexer.atEnd) throw lexer.unexpected('the end of the script after a command without a time')
    } else {
      events.push(parseEvent(lexer))
    }
  }
  return { file, options, setUp, events, cleanUp }
}

function parseOption(lexer: Lexer): ScriptOption {
  const position = lexer.position
  const name = lexer.match(/--[A-Za-z0-9_-]*/y)!.slice(2)
  let value: string | null = null
  if (lexer.matchHere(/[ \t]*=/y) !== null) {
    if (lexer.matchHere(/[ \t]*(?=\S)/y) === null) {
      const at = lexer.source.position(lexer.offset)
      throw lexer.source.error(at, `expected a value for '--${name}', found the end of the line`)
    }
    value = lexer.string() ?? lexer.matchHere(/\S+/y)
  }
  const problem = objection(name, value)
  if (problem !== null) throw lexer.source.error(position, problem)
  return { position, name, value }
}

function parseEvent(lexer: Lexer): ScriptEvent {
  const position = lexer.position
  const time = parseTime(lexer)
  const action = parseAction(lexer)
  const outbound = action.kind === 'packet' && action.direction === 'outbound'
  if (!outbound && time.kind !== 'absolute' && time.kind !== 'relative') {
    const form = time.kind === 'any' ? `'*'` : 'a range of times'
    throw lexer.source.error(
      position,
      `expected one time, found ${form}: only an expected packet ('>') may come at any`,
    )
  }
  return { position, time, action }
}

function parseTime(lexer: Lexer): EventTime {
  if (lexer.take('*')) return { kind: 'any' }
  if (lexer.take('+')) {
    const from = parseMicros(lexer)
    if (!lexer.take('~')) return { kind: 'relative', after: from }
    lexer.expect('+', `'+' and the end of the range`)
    return { kind: 'relative-range', from, to: parseRangeEnd(lexer, from) }
  }
  const from = parseMicros(lexer)
  if (!lexer.take('~')) return { kind: 'absolute', at: from }
  return { kind: 'absolute-range', from, to: parseRangeEnd(lexer, from) }
}

function parseRangeEnd(lexer: Lexer, from: Micros): Micros {
  const position = lexer.position
  const to = parseMicros(lexer)
  if (to < from) throw lexer.source.error(position, 'expected a range that ends after its begin')
  return to
}

function parseMicros(lexer: Lexer): Micros {
  const time = lexer.real()
  if (time === null) throw lexer.unexpected('a time (0.1, +0.1, +0~+0.1 or *)')
  if (time.value > MAX_SECONDS) {
    throw lexer.source.error(time.position, `expected a time up to ${MAX_SECONDS} seconds, found '${time.text}'`)
  }
  return Math.round(time.value * 1e6)
}

function parseAction(lexer: Lexer): Action {
  if (lexer.at('<') || lexer.at('>')) return parsePacket(lexer)
  if (lexer.at('`')) return parseCommand(lexer)
  if (lexer.at('%{')) return parseCode(lexer)
  const end = lexer.take('...') ? parseMicros(lexer) : null
  if (lexer.peekWord() !== null) return parseCall(lexer, end)
  throw lexer.unexpected(end === null ? `a packet ('<' or '>'), a call, a command or code` : 'a call')
}

function parseCommand(lexer: Lexer): CommandAction {
  const position = lexer.position
  const quoted = lexer.match(/`(?:\\[\s\S]|[^`\\])*`/y)
  if (quoted === null) throw unclosed(lexer, position, '`', 'command')
  return { kind: 'command', position, text: quoted.slice(1, -1) }
}

function parseCode(lexer: Lexer): CodeAction {
  const position = lexer.position
  const start = lexer.offset + 2
  const end = lexer.source.text.indexOf('}%', start)
  if (end < 0) throw unclosed(lexer, position, '}%', 'code')
  lexer.offset = end + 2
  const inner = lexer.source.text.slice(start, end)
  const indent = inner.length - inner.replace(/^[ \t]+/, '').length
  return {
    kind: 'code',
    position,
    textPosition: lexer.source.position(start + indent),
    text: inner.slice(indent).replace(/[ \t]+$/, ''),
  }
}

function unclosed(lexer: Lexer, position: Position, closing: string, what: string) {
  return lexer.source.error(position, `expected '${closing}' at the end of this ${what}, found the end of the script`)
}
