import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const built = mkdtempSync(join(tmpdir(), 'estab-net-'))

beforeAll(() => {
  const options = ['-p', 'tsconfig.build.json', '--outDir', built, '--declaration', 'false']
  spawnSync(join(root, 'node_modules/.bin/tsc'), options, { cwd: root })
}, 60_000)

afterAll(() => rmSync(built, { recursive: true, force: true }))

/** What a program prints whose `node:net` was replaced before it was loaded, with the host's segments counted. */
function run(program: string): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', join(root, 'test/net/node-suite/preload.mjs'), '--input-type=module', '-e', program],
    { env: { ...process.env, ESTAB_BUILT: built, NODE_OPTIONS: '' }, encoding: 'utf8', timeout: 20_000 },
  )
  return stdout + stderr
}

test('an http server and fetch, unmodified: nothing of it reaches the system', () => {
  const printed = run(`
    import http from 'node:http'
    import { readFileSync } from 'node:fs'
    const server = http.createServer((request, response) => {
      response.setHeader('x-agent', String(request.headers['user-agent']))
      request.pipe(response)
    })
    server.listen(8080, '127.0.0.1', async () => {
      const open = readFileSync('/proc/net/tcp', 'latin1').includes(':1F90 ')
      const response = await fetch('http://127.0.0.1:8080/', { method: 'POST', body: 'x'.repeat(100000) })
      const body = await response.text()
      console.log(response.status, response.headers.get('x-agent'), body.length, open)
      const answer = await new Promise((resolve) => http.get('http://127.0.0.1:8080/', resolve))
      console.log(answer.statusCode, answer.socket.constructor.name)
      answer.resume()
      server.close()
      server.closeIdleConnections()
    })
  `)
  expect(printed).toBe('200 node 100000 false\n200 Socket\n')
}, 30_000)

test('import { connect } from "node:net" is the host\'s too, and the process ends when nobody waits', () => {
  const printed = run(`
    import { connect, createServer, Socket } from 'node:net'
    const server = createServer((socket) => socket.end('hello')).listen(7, () => {
      const socket = connect(7, '127.0.0.1')
      socket.on('data', (text) => console.log(String(text), socket instanceof Socket))
      socket.on('close', () => server.close())
    })
  `)
  expect(printed).toBe('hello true\n')
}, 30_000)
