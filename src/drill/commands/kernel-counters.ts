import { done, type Outcome, type Program } from './shell.js'

/** Counters of the host by Linux's names. */
export type CounterSource = () => Readonly<Record<string, number>>

/** `nstat`: what the counters grew by since it last looked. */
export function nstat(counters: CounterSource): Program {
  let before: Readonly<Record<string, number>> = {}
  return (words): Outcome => {
    const flags = new Set(words.filter((word) => word.startsWith('-')).flatMap((word) => [...word.slice(1)]))
    const wanted = words.filter((word) => !word.startsWith('-'))
    const now = { ...counters() }
    const lines = ['#kernel']
    for (const [name, value] of Object.entries(now)) {
      const grown = flags.has('a') ? value : value - (before[name] ?? 0)
      if (grown === 0 && !flags.has('z')) continue
      if (wanted.length > 0 && !wanted.some((pattern) => matches(pattern, name))) continue
      lines.push(`${name.padEnd(32)}${String(grown).padEnd(19)}0.0`)
    }
    if (!flags.has('s')) before = now
    return done(flags.has('n') ? '' : `${lines.join('\n')}\n`)
  }
}

function matches(pattern: string, name: string): boolean {
  return new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  ).test(name)
}
