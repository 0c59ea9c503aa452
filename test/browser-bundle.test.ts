import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build, type Rollup } from 'vite'
import { expect, test } from 'vitest'

const source = (room: string) => fileURLToPath(new URL(`../src/${room}/index.ts`, import.meta.url))

/** The door of a room as one classic script, bundled as for a browser. */
async function bundle(room: string): Promise<string> {
  const result = (await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, lib: { entry: source(room), formats: ['iife'], name: 'estab' } },
  })) as Rollup.RollupOutput[]
  const [chunk] = result[0]!.output
  return chunk.code
}

/** What every browser has, and nothing of Node. */
const browser = () =>
  createContext({ performance, setTimeout, clearTimeout, queueMicrotask, structuredClone, TextEncoder, TextDecoder })

test('a connection lives in a browser: the simulation is bundled and runs without anything of Node', async () => {
  const code = await bundle('sim')
  expect(code).not.toMatch(/\brequire\(|from ['"]node:/)
  const result = runInContext(
    `${code}
    const { client, server, sim } = estab.pair({ network: { latency: 5 } })
    client.send('hello')
    sim.advance('1s')
    const text = new TextDecoder().decode(server.receive())
    client.close()
    server.close()
    sim.advance('2m')
    ;[text, client.state, server.state].join(' ')`,
    browser(),
  )
  expect(result).toBe('hello CLOSED CLOSED')
})

test('scripts are drilled in a browser', async () => {
  const result = runInContext(
    `${await bundle('drill')}
    const run = (text) => estab.runScript(text, { profile: 'linux' })
    const script = '0 < S 0:0(0) win 65535 <mss 1460>\\n+0 > R. 0:0(0) ack 1\\n'
    ;[run(script).ok, run(script.replace('R.', 'S.')).error.line].join(' ')`,
    browser(),
  )
  expect(result).toBe('true 2')
})
