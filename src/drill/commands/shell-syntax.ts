/** A shell command line as data: what the commands of scripts and the files they run are made of. */

/** `a && b || c ; d`: each with what joins it to the one before. */
export interface List {
  readonly items: readonly { readonly join: ';' | '&&' | '||'; readonly pipeline: Pipeline }[]
}

export interface Pipeline {
  readonly negated: boolean
  readonly commands: readonly Command[]
}

export interface Command {
  readonly assignments: readonly { readonly name: string; readonly value: Word }[]
  readonly words: readonly Word[]
  readonly redirections: readonly Redirection[]
  /** `( … )`: a list of its own; then there are no words. */
  readonly group: List | null
}

export interface Redirection {
  /** 0, 1 or 2; `both` is `&>`. */
  readonly from: number | 'both'
  readonly operator: '>' | '>>' | '<' | '>&'
  readonly target: Word
}

/** A word before expansion. Quoted parts are not split at blanks. */
export type Word = readonly WordPart[]

export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly quoted: boolean }
  | { readonly kind: 'arithmetic'; readonly expression: string; readonly quoted: boolean }
  | { readonly kind: 'output'; readonly list: List; readonly quoted: boolean }

/** A command that this shell cannot read. */
export class ShellSyntaxError extends Error {}

const KEYWORDS = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  '{',
  '}',
])

export function parseShell(text: string): List {
  const parser = new ShellParser(text)
  const list = parser.list(null)
  return list
}

class ShellParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Commands up to the end, or up to `closing`. */
  list(closing: ')' | null): List {
    const items: { join: ';' | '&&' | '||'; pipeline: Pipeline }[] = []
    let join: ';' | '&&' | '||' = ';'
    for (;;) {
      this.#skip(true)
      if (this.#at >= this.#text.length) {
        if (closing !== null) throw new ShellSyntaxError(`expected '${closing}'`)
        return { items }
      }
      if (closing !== null && this.#take(closing)) return { items }
      items.push({ join, pipeline: this.#pipeline() })
      this.#skip(false)
      if (this.#take('&&')) join = '&&'
      else if (this.#take('||')) join = '||'
      else {
        join = ';'
        if (!this.#take(';;') && !this.#take(';') && !this.#take('&')) this.#take('\n')
      }
    }
  }

  #pipeline(): Pipeline {
    const commands: Command[] = []
    const negated = /^![ \t]/.test(this.#text.slice(this.#at, this.#at + 2))
    if (negated) this.#at++
    do {
      this.#skip(true)
      commands.push(this.#command())
      this.#skip(false)
    } while (!this.#text.startsWith('||', this.#at) && this.#take('|'))
    return { negated, commands }
  }

  #command(): Command {
    if (this.#take('(')) {
      const group = this.list(')')
      return { assignments: [], words: [], redirections: this.#redirections([]), group }
    }
    const assignments: { name: string; value: Word }[] = []
    const words: Word[] = []
    const redirections: Redirection[] = []
    for (;;) {
      this.#skip(false)
      if (this.#redirection(redirections)) continue
      if (this.#at >= this.#text.length || /[\n;&|()]/.test(this.#text.charAt(this.#at))) break
      const assigned = words.length === 0 ? /^[A-Za-z_]\w*=/.exec(this.#text.slice(this.#at))?.[0] : undefined
      if (assigned !== undefined) {
        this.#at += assigned.length
        assignments.push({ name: assigned.slice(0, -1), value: this.#word() })
        continue
      }
      const word = this.#word()
      const first = word[0]
      if (words.length === 0 && first?.kind === 'text' && !first.quoted && KEYWORDS.has(first.text)) {
        throw new ShellSyntaxError(`expected a command, found '${first.text}'`)
      }
      words.push(word)
    }
    if (words.length + assignments.length + redirections.length === 0) {
      throw new ShellSyntaxError(`expected a command, found '${this.#text.slice(this.#at, this.#at + 10)}'`)
    }
    return { assignments, words, redirections, group: null }
  }

  #redirections(into: Redirection[]): Redirection[] {
    do this.#skip(false)
    while (this.#redirection(into))
    return into
  }

  #redirection(into: Redirection[]): boolean {
    const match = /^(?:(&)>|([012])?(>>|>&|>|<))[ \t]*/.exec(this.#text.slice(this.#at, this.#at + 64))
    if (match === null) return false
    const [whole, both, digit, operator] = match
    this.#at += whole.length
    const target = this.#word()
    if (both !== undefined) into.push({ from: 'both', operator: '>', target })
    else {
      const from = digit === undefined ? (operator === '<' ? 0 : 1) : Number(digit)
      into.push({ from, operator: operator as Redirection['operator'], target })
    }
    return true
  }

  #word(): Word {
    const parts: WordPart[] = []
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at)
      if (/[\s;&|()<>]/.test(character)) break
      if (character === "'") {
        const end = this.#find("'", this.#at + 1)
        parts.push({ kind: 'text', text: this.#text.slice(this.#at + 1, end), quoted: true })
        this.#at = end + 1
      } else if (character === '"') this.#doubleQuoted(parts)
      else if (character === '\\') {
        const next = this.#text.charAt(this.#at + 1)
        if (next !== '\n') parts.push({ kind: 'text', text: next, quoted: true })
        this.#at += 2
      } else if (character === '$') parts.push(this.#dollar(false))
      else {
        const text = /^[^\s;&|()<>'"\\$]+/.exec(this.#text.slice(this.#at))![0]
        parts.push({ kind: 'text', text, quoted: false })
        this.#at += text.length
      }
    }
    return parts
  }

  #doubleQuoted(parts: WordPart[]): void {
    this.#at++
    parts.push({ kind: 'text', text: '', quoted: true })
    for (;;) {
      if (this.#at >= this.#text.length) throw new ShellSyntaxError(`expected '"'`)
      const character = this.#text.charAt(this.#at)
      if (character === '"') {
        this.#at++
        return
      }
      if (character === '$') parts.push(this.#dollar(true))
      else if (character === '\\') {
        const next = this.#text.charAt(this.#at + 1)
        const text = '"\\$`'.includes(next) ? next : next === '\n' ? '' : `\\${next}`
        parts.push({ kind: 'text', text, quoted: true })
        this.#at += 2
      } else {
        const text = /^[^"\\$]+/.exec(this.#text.slice(this.#at))![0]
        parts.push({ kind: 'text', text, quoted: true })
        this.#at += text.length
      }
    }
  }

  #dollar(quoted: boolean): WordPart {
    const rest = this.#text.slice(this.#at)
    if (rest.startsWith('$((')) {
      const end = this.#closing(this.#at + 3)
      const expression = this.#text.slice(this.#at + 3, end)
      this.#at = end + 2
      return { kind: 'arithmetic', expression, quoted }
    }
    if (rest.startsWith('$(')) {
      this.#at += 2
      return { kind: 'output', list: this.list(')'), quoted }
    }
    const match = /^\$(?:\{([A-Za-z_]\w*|[0-9?#$*@])\}|([A-Za-z_]\w*|[0-9?#$*@]))/.exec(rest)
    if (match === null) {
      this.#at++
      return { kind: 'text', text: '$', quoted }
    }
    this.#at += match[0].length
    return { kind: 'variable', name: (match[1] ?? match[2])!, quoted }
  }

  /** Where the `))` of an arithmetic expression stands that began before `from`. */
  #closing(from: number): number {
    for (let at = from, depth = 0; at < this.#text.length; at++) {
      const character = this.#text.charAt(at)
      if (character === '(') depth++
      else if (character === ')' && depth > 0) depth--
      else if (character === ')') {
        if (this.#text.charAt(at + 1) === ')') return at
        break
      }
    }
    throw new ShellSyntaxError('expected ))')
  }

  #find(what: string, from: number): number {
    const at = this.#text.indexOf(what, from)
    if (at < 0) throw new ShellSyntaxError(`expected ${what}`)
    return at
  }

  /** Blanks, comments and continued lines; with `lines` also ends of lines and semicolons that end nothing. */
  #skip(lines: boolean): void {
    for (;;) {
      const character = this.#text.charAt(this.#at)
      if (character === ' ' || character === '\t' || character === '\r') this.#at++
      else if (character === '\\' && /^\\\r?\n/.test(this.#text.slice(this.#at, this.#at + 3))) {
        this.#at = this.#text.indexOf('\n', this.#at) + 1
      } else if (character === '#') {
        const end = this.#text.indexOf('\n', this.#at)
        this.#at = end < 0 ? this.#text.length : end
      } else if (lines && (character === '\n' || character === ';')) this.#at++
      else return
    }
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }
}
