import type { IpVersion } from './language/flags.js'
import { failureText } from './report.js'
import { runScript, type ScriptOptions } from './script.js'

/** What a test function is: vitest, node:test and the like call it. */
export type DrillTest = () => void

/** A script as a template; what is put in becomes text. */
export type DrillTag = (strings: TemplateStringsArray, ...values: readonly unknown[]) => DrillTest

export interface DrillOptions extends Partial<ScriptOptions> {
  readonly variant?: IpVersion
}

/**
 * A packetdrill script as a test: `` test('a FIN is acknowledged', drill`…`) ``. With options first,
 * `` drill({ profile: 'freebsd' })`…` ``; the profile is linux when none is named. The test throws what failed, with both
 * packets printed.
 */
export function drill(strings: TemplateStringsArray, ...values: readonly unknown[]): DrillTest
export function drill(options: DrillOptions): DrillTag
export function drill(first: TemplateStringsArray | DrillOptions, ...values: readonly unknown[]): DrillTest | DrillTag {
  if (isTemplate(first)) return testOf(String.raw(first, ...values), {})
  return (strings, ...more) => testOf(String.raw(strings, ...more), first)
}

function isTemplate(first: TemplateStringsArray | DrillOptions): first is TemplateStringsArray {
  return Array.isArray(first)
}

function testOf(source: string, { variant, ...options }: DrillOptions): DrillTest {
  return () => {
    const result = runScript(source, { profile: 'linux', ...options }, variant)
    if (!result.ok) throw new Error(failureText(result))
  }
}
