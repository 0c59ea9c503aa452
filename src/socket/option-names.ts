/**
 * Refuses options nobody reads: a misspelt name must not be silence.
 * @throws RangeError naming the option and those there are
 */
export function checkOptionNames(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new RangeError(`${what}: no option '${name}' (there are ${known.join(', ')})`)
  }
}
