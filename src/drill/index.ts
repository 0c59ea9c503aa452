export {
  applyFlags,
  DEFAULT_FLAGS,
  FlagError,
  type FlagSetting,
  type Flags,
  type IpVersion,
  splitCommandLine,
} from './flags.js'
export { parseScript } from './parser.js'
export {
  type ConnectionHistory,
  failureText,
  jsonReport,
  type RunError,
  type RunResult,
  type StateEntry,
  summary,
} from './report.js'
export type { RunOptions } from './run.js'
export { runScript, runVariants, type ScriptOptions } from './script.js'
export { ScriptError } from './source.js'
export { type DrillOptions, type DrillTag, type DrillTest, drill } from './template.js'
export { IP_VERSIONS, type VariantChoice } from './variants.js'
