import type { TargetKind } from './target.js'

export { type Parting, parting, partingText } from './compare.js'
export {
  applyFlags,
  DEFAULT_FLAGS,
  FlagError,
  type FlagSetting,
  type Flags,
  type IpVersion,
  splitCommandLine,
} from './language/flags.js'
export { parseScript } from './language/parser.js'
export { ScriptError } from './language/source.js'
export {
  type ConnectionHistory,
  failureText,
  jsonReport,
  jsonRun,
  type RunError,
  type RunResult,
  type StateEntry,
  summary,
} from './report.js'
export type { RunOptions } from './run.js'
export { runScript, runVariants, type ScriptOptions } from './script.js'
export type { StoryEntry } from './story.js'
export { type DrillOptions, type DrillTag, type DrillTest, drill } from './template.js'
export { IP_VERSIONS, type VariantChoice } from './variants.js'
export type { TargetKind }

/**
 * The kernel of this machine as what scripts are run on, in real time: `{ target: await linuxKernel() }`. Needs root,
 * /dev/net/tun and the optional package koffi.
 * @throws Error (the promise rejects) with one sentence that says what is missing and what to do
 */
export async function linuxKernel(): Promise<TargetKind> {
  const { linuxKernel: open } = await import('./linux/index.js')
  return open()
}
