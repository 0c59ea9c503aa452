import {
  type Command,
  type List,
  type Pipeline,
  parseShell,
  ShellSyntaxError,
  type Word,
  type WordPart,
} from './shell-syntax.js'

/** What a command leaves behind. */
export interface Outcome {
  /** 0: it went well. */
  readonly status: number
  readonly output: string
  readonly error: string
}

/** A program of the drilled host. */
export type Program = (words: readonly string[], input: string, shell: Shell) => Outcome

export const done = (output = ''): Outcome => ({ status: 0, output, error: '' })
export const failed = (error: string, status = 1): Outcome => ({ status, output: '', error })

/** Files as the drilled host sees them. */
export interface FileSystem {
  /** null: there is no such file. */
  read(path: string): string | null
  /** False: it cannot be written. */
  write(path: string, content: string): boolean
  remove(path: string): boolean
}

/** Files run by files, at most this deep. */
const MAX_DEPTH = 16

/**
 * Runs shell commands on the simulated host: lists, pipes, redirections, quoting, variables and arithmetic, and files of
 * such commands. No process is started.
 */
export class Shell {
  readonly files: FileSystem
  readonly variables: Map<string, string>
  readonly #programs: ReadonlyMap<string, Program>
  #status = 0
  #depth = 0

  constructor(
    programs: ReadonlyMap<string, Program>,
    files: FileSystem,
    variables: Iterable<readonly [string, string]>,
  ) {
    this.#programs = programs
    this.files = files
    this.variables = new Map(variables)
  }

  run(text: string): Outcome {
    let list: List
    try {
      list = parseShell(text)
    } catch (error) {
      if (error instanceof ShellSyntaxError) return failed(`sh: ${error.message}`, 2)
      throw error
    }
    return this.#list(list, '')
  }

  #list(list: List, input: string): Outcome {
    let output = ''
    let error = ''
    this.#status = 0
    for (const { join, pipeline } of list.items) {
      if (join === '&&' ? this.#status !== 0 : join === '||' && this.#status === 0) continue
      const outcome = this.#pipeline(pipeline, input)
      output += outcome.output
      error += outcome.error
      this.#status = outcome.status
    }
    return { status: this.#status, output, error }
  }

  #pipeline(pipeline: Pipeline, input: string): Outcome {
    let piped = input
    let error = ''
    let status = 0
    for (const command of pipeline.commands) {
      const outcome = this.#command(command, piped)
      piped = outcome.output
      error += outcome.error
      status = outcome.status
    }
    return { status: pipeline.negated ? Number(status === 0) : status, output: piped, error }
  }

  #command(command: Command, input: string): Outcome {
    let given = input
    for (const { operator, target } of command.redirections) {
      if (operator !== '<') continue
      const path = this.#one(target)
      const content = this.files.read(path)
      if (content === null) return failed(`sh: ${path}: No such file or directory\n`)
      given = content
    }
    const words = command.words.flatMap((word) => this.#expand(word))
    let outcome: Outcome
    if (command.group !== null) outcome = this.#list(command.group, given)
    else {
      for (const { name, value } of command.assignments) this.variables.set(name, this.#one(value))
      outcome = words.length === 0 ? done() : this.#call(words, given)
    }
    return this.#redirect(command, outcome)
  }

  /** What goes to files is taken out of the outcome; done in the order written, `> file 2>&1` and the like. */
  #redirect(command: Command, outcome: Outcome): Outcome {
    type Sink = 'output' | 'error' | { readonly path: string; readonly append: boolean }
    const sinks: [Sink, Sink] = ['output', 'error']
    for (const { from, operator, target } of command.redirections) {
      if (operator === '<') continue
      const name = this.#one(target)
      const sink: Sink = operator === '>&' ? sinks[name === '2' ? 1 : 0] : { path: name, append: operator === '>>' }
      if (from === 'both' || from === 1) sinks[0] = sink
      if (from === 'both' || from === 2) sinks[1] = sink
    }
    let output = ''
    let error = ''
    let { status } = outcome
    const written = new Map<string, string>()
    for (const [sink, text] of [
      [sinks[0], outcome.output],
      [sinks[1], outcome.error],
    ] as const) {
      if (sink === 'output') output += text
      else if (sink === 'error') error += text
      else {
        const before = written.get(sink.path) ?? (sink.append ? (this.files.read(sink.path) ?? '') : '')
        written.set(sink.path, before + text)
      }
    }
    for (const [path, content] of written) {
      if (path === '/dev/null' || this.files.write(path, content)) continue
      error += `sh: ${path}: cannot be written\n`
      status = status === 0 ? 1 : status
    }
    return { status, output, error }
  }

  #call(words: readonly string[], input: string): Outcome {
    const [name = '', ...rest] = words
    const base = name.slice(name.lastIndexOf('/') + 1)
    const program = this.#programs.get(base)
    if (program !== undefined) return program(rest, input, this)
    if (!name.includes('/')) return failed(`${name}: command not found (the simulated host has no such program)\n`, 127)
    return this.runFile(name)
  }

  /** Runs a file of commands. */
  runFile(path: string): Outcome {
    const content = this.files.read(path)
    if (content === null) return failed(`${path}: No such file or directory\n`, 127)
    if (this.#depth >= MAX_DEPTH) return failed(`${path}: files run each other ${MAX_DEPTH} deep\n`, 126)
    const interpreter = /^#!\s*(\S+)(?:\s+(\S+))?/.exec(content)
    const runBy = interpreter?.[1]?.endsWith('/env') ? interpreter[2] : interpreter?.[1]
    if (runBy !== undefined && !/(^|\/)(ba|da|k|z)?sh$/.test(runBy)) {
      return failed(`${path}: the simulated host has no ${runBy}\n`, 126)
    }
    this.#depth++
    const outcome = this.run(content)
    this.#depth--
    return outcome
  }

  /** A word as one string, as in assignments and redirections. */
  #one(word: Word): string {
    return word.map((part) => this.#value(part)).join('')
  }

  /** A word as the words it becomes: what is not quoted is split at blanks. */
  #expand(word: Word): string[] {
    const words: string[] = []
    let current: string | null = null
    for (const part of word) {
      const value = this.#value(part)
      if (part.quoted || part.kind === 'text') {
        current = (current ?? '') + value
        continue
      }
      const pieces = value.split(/\s+/)
      current = (current ?? '') + pieces[0]!
      for (const piece of pieces.slice(1)) {
        if (current !== '') words.push(current)
        current = piece
      }
    }
    const kept = current !== null && (current !== '' || word.some(({ quoted }) => quoted))
    if (kept) words.push(current!)
    return words
  }

  #value(part: WordPart): string {
    switch (part.kind) {
      case 'text':
        return part.text
      case 'variable':
        return part.name === '?' ? String(this.#status) : (this.variables.get(part.name) ?? '')
      case 'arithmetic':
        return String(arithmetic(part.expression, this.variables))
      case 'output':
        return this.#list(part.list, '').output.replace(/\n+$/, '')
    }
  }
}

/** The value of `$(( … ))`: whole numbers, variables, + - * / % << >> and brackets. NaN: it cannot be read. */
export function arithmetic(expression: string, variables: ReadonlyMap<string, string>): number {
  const tokens = expression.match(/0[xX][0-9a-fA-F]+|\d+|\$?[A-Za-z_]\w*|<<|>>|\S/g) ?? []
  let at = 0
  const take = (...operators: string[]): string | null => (operators.includes(tokens[at] ?? '') ? tokens[at++]! : null)
  const operand = (): number => {
    if (take('-')) return -operand()
    if (take('+')) return operand()
    if (take('(')) {
      const value = shift()
      return take(')') ? value : Number.NaN
    }
    const token = tokens[at++] ?? ''
    if (/^\d/.test(token)) return Number(token)
    return Number(variables.get(token.replace('$', '')) ?? Number.NaN)
  }
  const product = (): number => {
    let value = operand()
    for (let operator = take('*', '/', '%'); operator !== null; operator = take('*', '/', '%')) {
      const right = operand()
      value = operator === '*' ? value * right : operator === '/' ? Math.trunc(value / right) : value % right
    }
    return value
  }
  const sum = (): number => {
    let value = product()
    for (let operator = take('+', '-'); operator !== null; operator = take('+', '-')) {
      value += operator === '+' ? product() : -product()
    }
    return value
  }
  const shift = (): number => {
    let value = sum()
    for (let operator = take('<<', '>>'); operator !== null; operator = take('<<', '>>')) {
      const right = sum()
      value = operator === '<<' ? value * 2 ** right : Math.floor(value / 2 ** right)
    }
    return value
  }
  const value = shift()
  return at === tokens.length ? value : Number.NaN
}
