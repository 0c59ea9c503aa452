/** One thing that must hold wherever this runs; `run` throws when it does not. */
export interface Check {
  readonly title: string
  run(): Promise<void>
}

/** What became of a check: `error` null, it holds. */
export interface Outcome {
  readonly title: string
  readonly error: string | null
}

/** Longest any of them may take, ms. */
const PATIENCE = 20_000

/** One after the other, for whoever cannot run vitest: a browser, another runtime. */
export async function runAll(checks: readonly Check[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { title, run } of checks) {
    let timer: ReturnType<typeof setTimeout> | undefined
    const tooLong = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not through after ${PATIENCE} ms`)), PATIENCE)
    })
    const error = await Promise.race([run(), tooLong]).then(
      () => null,
      (failed: Error) => String(failed.stack ?? failed),
    )
    clearTimeout(timer)
    outcomes.push({ title, error })
  }
  return outcomes
}

export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) throw new Error(`${what}: expected ${should}, got ${is}`)
}

export function ok(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const error = await promise.then(
    () => null,
    (failed: Error) => failed,
  )
  if (error === null) throw new Error('expected to fail, and it did not')
  return error
}

/** True when the promise is not settled by what is under way now. */
export async function waits(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const done = () => {
    settled = true
  }
  promise.then(done, done)
  for (let turn = 0; turn < 20 && !settled; turn++) await new Promise((resolve) => setTimeout(resolve, 5))
  return !settled
}
