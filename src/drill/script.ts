import type { Script } from './language/ast.js'
import { applyFlags, DEFAULT_FLAGS, type FlagSetting, type Flags, flagsOf, type IpVersion } from './language/flags.js'
import { parseScript } from './language/parser.js'
import { ScriptError } from './language/source.js'
import type { RunResult } from './report.js'
import { type RunOptions, runParsed } from './run.js'
import { symbolsOf, type VariantChoice, variantFlags, variantsOf } from './variants.js'

export interface ScriptOptions extends RunOptions {
  /** The name for messages; where `readFile`'s paths start. */
  readonly file?: string
  /** packetdrill's flags of the command line; they win over the script's own. */
  readonly flags?: readonly FlagSetting[]
}

/** Runs a script as one variant; the one its `--ip_version` names, or IPv4, when none is said. */
export function runScript(source: string, options: ScriptOptions, variant?: IpVersion): RunResult {
  const file = options.file ?? 'script.pkt'
  const chosen = variant ?? saidVersion(source, options.flags ?? []) ?? 'ipv4'
  const read = readScript(file, source, options, chosen)
  if ('error' in read) return unread(file, chosen, read.error)
  return runParsed(read.script, source, read.flags, options)
}

/** Runs a script as all the variants that are chosen and fit it; see `variantsOf`. */
export function runVariants(source: string, options: ScriptOptions, choice: VariantChoice = 'auto'): RunResult[] {
  const file = options.file ?? 'script.pkt'
  const said = saidVersion(source, options.flags ?? [])
  return variantsOf(file, said, options.profile, choice, saidAddresses(source)).map((variant) =>
    runScript(source, options, variant),
  )
}

/** The IP version that the command line or the script asks for; null: neither does. */
function saidVersion(source: string, flags: readonly FlagSetting[]): IpVersion | null {
  const given = flags.findLast(({ name }) => name === 'ip_version')?.value
  const said = given ?? /^[ \t]*--ip_version[ \t]*=[ \t]*"?([\w-]+)/m.exec(source)?.[1]
  return said === 'ipv4' || said === 'ipv6' || said === 'ipv4-mapped-ipv6' ? said : null
}

/** The version of the addresses that the script's own flags name; null: they name none. */
function saidAddresses(source: string): 4 | 6 | null {
  const address = /^[ \t]*--(?:local|remote)_ip[ \t]*=[ \t]*"?([0-9a-fA-F:.]+)/m.exec(source)?.[1]
  if (address === undefined) return null
  return address.includes(':') ? 6 : 4
}

function readScript(
  file: string,
  source: string,
  { profile, flags = [] }: ScriptOptions,
  variant: IpVersion,
): { script: Script; flags: Flags } | { error: ScriptError } {
  // the runners of the suites give them on the command line, where they win over the script's own
  const given = [...variantFlags(variant, profile), ...flags]
  const { definitions } = applyFlags(DEFAULT_FLAGS, given)
  try {
    const script = parseScript(file, source, { defined: symbolsOf(profile), definitions })
    return { script, flags: flagsOf(script, given) }
  } catch (error) {
    if (error instanceof ScriptError) return { error }
    throw error
  }
}

/** The result of a script that is none. */
function unread(file: string, variant: IpVersion, error: ScriptError): RunResult {
  const { line, column } = error.position
  const detail =
    error.sourceLine === ''
      ? []
      : error
          .render()
          .split('\n')
          .slice(1)
          .map((text) => text.slice(2))
  return {
    file,
    variant,
    ok: false,
    error: { line, column, message: error.reason, detail },
    virtualSeconds: 0,
    wallMs: 0,
    connections: [],
    output: [],
    story: [],
    events: [],
  }
}
