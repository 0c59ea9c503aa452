import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { failureText, runVariants } from '../src/drill/index.js'

const folder = fileURLToPath(new URL('../scenarios/', import.meta.url))
const names = readdirSync(folder).filter((file) => file.endsWith('.pkt'))

describe.each(names)('%s', (name) => {
  const source = readFileSync(folder + name, 'utf8')

  test('has a title in English and in Chinese', () => {
    expect(source).toMatch(/^\/\/ title: \S.*\n\/\/ 标题: \S.*[一-龥]/)
  })

  test('passes as IPv4, IPv6 and IPv4-mapped IPv6', () => {
    for (const run of runVariants(source, { profile: 'linux', file: name }, 'all')) {
      expect(run.ok, run.ok ? '' : failureText(run)).toBe(true)
    }
  })
})

/** One change to a script each; the line it is on must be the line that fails. */
const ALTERATIONS: readonly (readonly [what: string, from: RegExp, to: string])[] = [
  ['a flag of an expected segment', /^(.* > )F\. /m, '$1P. '],
  ['an acknowledgment number', /^(.* > .*ack )(\d+)/m, '$1$29'],
  ['the length of an expected segment', /^(.* > P?\.? *)(\d+):(\d+)\((\d+)\)/m, '$1$2:$39($49)'],
  ['an expected option', /^(.* > S\.? .*)<\.\.\.>/m, '$1<mss 9>'],
  ['the time of an expected segment', /^ *\+0( > .*)/m, '+.5$1'],
  ['a return value', /^(.*(?:write|read)\(.*\) = )(\d+)$/m, '$1$29'],
  ['an error', /^(.*\) = -1 )E[A-Z]+ \(.*\)/m, '$1EFAULT (Bad address)'],
  ['what a command must find', /^(.*grep -q )([A-Z][A-Z0-9-]+)`/m, '$1NO-SUCH-STATE`'],
]

describe('an altered script fails at the line that was altered', () => {
  for (const [what, from, to] of ALTERATIONS) {
    const altered = names.flatMap((name) => {
      const source = readFileSync(folder + name, 'utf8')
      const match = from.exec(source)
      return match === null
        ? []
        : [{ name, text: source.replace(from, to), line: source.slice(0, match.index).split('\n').length }]
    })

    test(what, () => {
      expect(altered.length).toBeGreaterThan(0)
      for (const { name, text, line } of altered) {
        for (const run of runVariants(text, { profile: 'linux', file: name })) {
          expect(`${name} line ${run.error?.line ?? 'none'}`).toBe(`${name} line ${line}`)
        }
      }
    })
  }
})
