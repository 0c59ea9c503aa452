import { done, failed, type Outcome, type Program } from './shell.js'

/** Programs that only move text around: what the commands of scripts pipe into each other. */
export const TEXT_PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['true', () => done()],
  [':', () => done()],
  ['false', () => failed('')],
  ['echo', echo],
  ['printf', (words) => done(words.join(' ').replace(/\\n/g, '\n'))],
  ['cat', cat],
  ['grep', grep],
  ['egrep', (words, input, shell) => grep(['-E', ...words], input, shell)],
  ['wc', wc],
  ['head', (words, input) => cutLines(words, input, false)],
  ['tail', (words, input) => cutLines(words, input, true)],
  ['sort', (_words, input) => done(joined(linesOf(input).sort()))],
  ['uniq', (_words, input) => done(joined(linesOf(input).filter((line, i, all) => i === 0 || line !== all[i - 1])))],
  ['awk', awk],
  ['sed', sed],
  ['cut', cut],
  ['tr', tr],
  ['test', test],
  ['[', (words, input, shell) => test(words.slice(0, -1), input, shell)],
  ['rm', rm],
  ['dd', dd],
  ['touch', touch],
  ['chmod', () => done()],
  ['export', setVariables],
  ['set', () => done()],
  ['exit', (words) => ({ status: Number(words[0] ?? 0), output: '', error: '' })],
  ['sh', runFile],
  ['bash', runFile],
  ['source', runFile],
  ['.', runFile],
])

const linesOf = (text: string): string[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .slice(text === '' ? 1 : 0)
const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

function runFile(...[words, , shell]: Parameters<Program>): Outcome {
  if (words[0] === '-c') return shell.run(words[1] ?? '')
  return shell.runFile(words.find((word) => !word.startsWith('-')) ?? '')
}

function echo(words: readonly string[]): Outcome {
  const bare = words[0] === '-n'
  return done(`${words.slice(bare ? 1 : 0).join(' ')}${bare ? '' : '\n'}`)
}

function contents(paths: readonly string[], input: string, read: (path: string) => string | null): string | Outcome {
  if (paths.length === 0) return input
  const texts: string[] = []
  for (const path of paths) {
    const text = path === '-' ? input : read(path)
    if (text === null) return failed(`${path}: No such file or directory\n`)
    texts.push(text)
  }
  return texts.join('')
}

function cat(...[words, input, shell]: Parameters<Program>): Outcome {
  const text = contents(words, input, (path) => shell.files.read(path))
  return typeof text === 'string' ? done(text) : text
}

/** A basic regular expression as one of JavaScript. */
function basicExpression(pattern: string): string {
  return pattern
    .replace(/[+?(){}|]/g, '\\$&')
    .replace(/\\\\([+?(){}|])/g, '$1')
    .replace(/\\[<>]/g, '\\b')
}

function grep(...[words, input, shell]: Parameters<Program>): Outcome {
  const flags = new Set<string>()
  const patterns: string[] = []
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '-e') patterns.push(words[++i] ?? '')
    else if (word.length > 1 && word.startsWith('-') && rest.length === 0)
      for (const flag of word.slice(1)) flags.add(flag)
    else rest.push(word)
  }
  for (const flag of flags) if (!'EFcqvioswh'.includes(flag)) return failed(`grep: unknown option -${flag}\n`, 2)
  if (patterns.length === 0) patterns.push(rest.shift() ?? '')
  const text = contents(rest, input, (path) => shell.files.read(path))
  if (typeof text !== 'string') return { ...text, status: 2 }
  let source = patterns
    .map((pattern) => {
      if (flags.has('F')) return pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      return flags.has('E') ? pattern : basicExpression(pattern)
    })
    .join('|')
  if (flags.has('w')) source = `\\b(?:${source})\\b`
  const expression = new RegExp(source, flags.has('i') ? 'gi' : 'g')
  const found = linesOf(text).filter((line) => line.search(expression) >= 0 !== flags.has('v'))
  const status = found.length > 0 ? 0 : 1
  if (flags.has('q')) return { status, output: '', error: '' }
  if (flags.has('c')) return { status, output: `${found.length}\n`, error: '' }
  const shown = flags.has('o') ? found.flatMap((line) => line.match(expression) ?? []) : found
  return { status, output: joined(shown), error: '' }
}

function wc(...[words, input, shell]: Parameters<Program>): Outcome {
  const paths = words.filter((word) => !word.startsWith('-'))
  const text = contents(paths, input, (path) => shell.files.read(path))
  if (typeof text !== 'string') return text
  if (words.includes('-l')) return done(`${linesOf(text).length}\n`)
  if (words.includes('-c')) return done(`${text.length}\n`)
  const count = text.split(/\s+/).filter((word) => word !== '').length
  return done(words.includes('-w') ? `${count}\n` : `${linesOf(text).length} ${count} ${text.length}\n`)
}

function cutLines(words: readonly string[], input: string, last: boolean): Outcome {
  const number = /-n?\s*(\d+)/.exec(words.join(' '))?.[1] ?? '10'
  const lines = linesOf(input)
  const count = Number(number)
  return done(joined(last ? lines.slice(Math.max(0, lines.length - count)) : lines.slice(0, count)))
}

/** `awk '/pattern/ {print $1, $3}'` and no more of awk. */
function awk(words: readonly string[], input: string): Outcome {
  const rest = [...words]
  let separator: RegExp | string = /\s+/
  if (rest[0] === '-F') {
    separator = rest[1] ?? ' '
    rest.splice(0, 2)
  } else if (rest[0]?.startsWith('-F')) separator = rest.shift()!.slice(2)
  const program = /^\s*(?:\/([^/]*)\/)?\s*\{\s*print\s*([^}]*)\}\s*$/.exec(rest[0] ?? '')
  if (program === null) return failed(`awk: the simulated host understands only '/pattern/ {print $1, $2}'\n`, 2)
  const [, pattern, printed = ''] = program
  const lines = linesOf(input).filter((line) => pattern === undefined || new RegExp(pattern).test(line))
  const output = lines.map((line) => {
    const fields = [line, ...line.trim().split(separator)]
    const items = printed.split(',').map((item) => item.trim())
    return items
      .map((item) => (item === '' ? line : (/^\$(\d+)$/.exec(item)?.[1] ?? item)))
      .map((item) => (/^\d+$/.test(item) ? (fields[Number(item)] ?? '') : item.replace(/^"|"$/g, '')))
      .join(' ')
  })
  return done(joined(output))
}

/** `sed 's/a/b/g'`, with -E and -n …p left out. */
function sed(words: readonly string[], input: string): Outcome {
  const extended = words.includes('-E') || words.includes('-r')
  const command = words.find((word) => !word.startsWith('-'))
  const [, pattern, replacement, flags] =
    /^s(?:\/|\|)((?:\\.|[^/|])*)(?:\/|\|)((?:\\.|[^/|])*)(?:\/|\|)(g?)$/.exec(command ?? '') ?? []
  if (pattern === undefined || replacement === undefined) {
    return failed(`sed: the simulated host understands only 's/pattern/replacement/g'\n`)
  }
  const expression = new RegExp(extended ? pattern : basicExpression(pattern), flags === 'g' ? 'g' : '')
  const by = replacement
    .replace(/\$/g, '$$$$')
    .replace(/\\(\d)/g, '$$$1')
    .replace(/(?<!\\)&/g, '$$&')
  return done(joined(linesOf(input).map((line) => line.replace(expression, by))))
}

function cut(words: readonly string[], input: string): Outcome {
  const text = words.join(' ')
  const delimiter = /-d\s*(\S| (?= ))/.exec(text)?.[1] ?? '\t'
  const field = Number(/-f\s*(\d+)/.exec(text)?.[1] ?? Number.NaN)
  if (Number.isNaN(field)) return failed('cut: expected -f N\n')
  return done(joined(linesOf(input).map((line) => line.split(delimiter)[field - 1] ?? '')))
}

function tr(words: readonly string[], input: string): Outcome {
  if (words[0] !== '-d' || words[1] === undefined) return failed('tr: the simulated host understands only -d\n')
  const gone = new Set(words[1].replace(/\\n/g, '\n'))
  return done([...input].filter((character) => !gone.has(character)).join(''))
}

function test(...[words, , shell]: Parameters<Program>): Outcome {
  const [a = '', operator, b = ''] = words
  const holds = (): boolean => {
    if (words.length === 1) return a !== ''
    if (words.length === 2) {
      if (a === '-z') return operator === ''
      if (a === '-n') return operator !== ''
      return shell.files.read(operator ?? '') !== null
    }
    switch (operator) {
      case '=':
      case '==':
        return a === b
      case '!=':
        return a !== b
      case '-eq':
        return Number(a) === Number(b)
      case '-ne':
        return Number(a) !== Number(b)
      case '-lt':
        return Number(a) < Number(b)
      case '-le':
        return Number(a) <= Number(b)
      case '-gt':
        return Number(a) > Number(b)
      case '-ge':
        return Number(a) >= Number(b)
      default:
        return false
    }
  }
  return { status: holds() ? 0 : 1, output: '', error: '' }
}

function rm(...[words, , shell]: Parameters<Program>): Outcome {
  const force = words.some((word) => /^-\w*f/.test(word))
  for (const path of words.filter((word) => !word.startsWith('-'))) {
    if (!shell.files.remove(path) && !force) return failed(`rm: ${path}: No such file or directory\n`)
  }
  return done()
}

/** `dd if=/dev/zero of=FILE bs=1k count=20`: a file of zeros. */
function dd(...[words, , shell]: Parameters<Program>): Outcome {
  const given = new Map(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
  const size = (text: string): number => {
    const [, digits, unit = ''] = /^(\d+)([kKMG]?)B?$/.exec(text) ?? []
    return digits === undefined ? Number.NaN : Number(digits) * 1024 ** ' kMG'.indexOf(unit === 'K' ? 'k' : unit || ' ')
  }
  const octets = size(given.get('bs') ?? '512') * size(given.get('count') ?? '1')
  if (Number.isNaN(octets) || octets > 1 << 28) return failed('dd: expected bs=N count=N\n')
  const target = given.get('of')
  const content = '\0'.repeat(octets)
  if (target === undefined) return done(content)
  return shell.files.write(target, content) ? done() : failed(`dd: ${target} cannot be written\n`)
}

function touch(...[words, , shell]: Parameters<Program>): Outcome {
  for (const path of words) if (shell.files.read(path) === null) shell.files.write(path, '')
  return done()
}

function setVariables(...[words, , shell]: Parameters<Program>): Outcome {
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals > 0) shell.variables.set(word.slice(0, equals), word.slice(equals + 1))
  }
  return done()
}
