import { statesAscii, statesMermaid, statesSvg, statesTable } from '../tcp/index.js'

const FORMATS: Readonly<Record<string, () => string>> = {
  table: statesTable,
  ascii: statesAscii,
  mermaid: statesMermaid,
  svg: statesSvg,
}

/** Prints the transition table of the machine. */
export function printStates(format: string): void {
  process.stdout.write(`${FORMATS[format]!().trimEnd()}\n`)
}
