import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type TunHost, type TunHostOptions, tunHost } from '../src/socket/tun/index.js'
import { enterNamespace, whyNoDevices } from './fixtures/network-namespace.js'

const run = promisify(execFile)
const reason = await whyNoDevices()
const WIRE: TunHostOptions = { address: ['10.77.0.2/24', 'fd00:77::2/64'], peer: ['10.77.0.1', 'fd00:77::1'] }

if (reason !== null && process.env.CI !== undefined) {
  test('hosts on TUN devices are tested in CI', () => expect.fail(`they cannot be: ${reason}`))
}

describe.skipIf(reason !== null)(
  reason === null ? 'a host on a device' : `a host on a device (skipped: ${reason})`,
  { timeout: 120_000 },
  () => {
    let host: TunHost | null = null

    beforeAll(async () => {
      execFileSync(process.execPath, [fileURLToPath(new URL('../tools/set-up.mjs', import.meta.url))])
      await enterNamespace()
    }, 120_000)

    afterEach(async () => {
      await host?.close(0)
      host = null
    })

    test.each(['tun', 'tap'] as const)("%s: curl fetches a page of Node's http from host.net", async (mode) => {
      host = await tunHost({ ...WIRE, mode })
      const pages = http.createServer((_request, response) => response.end('from a TCP in TypeScript'))
      const server = host.net.createServer((socket) => pages.emit('connection', socket)).listen(80)
      for (const to of ['10.77.0.2', '[fd00:77::2]']) {
        const { stdout } = await run('curl', ['-sS', `http://${to}/`])
        expect(stdout).toBe('from a TCP in TypeScript')
      }
      server.close()
    })

    test('web streams to a server of the kernel, found by name', async () => {
      host = await tunHost({ ...WIRE, lookup: (name) => (name === 'kernel.test' ? ['fd00:77::1'] : []) })
      const server = createServer((socket) => socket.end('hello')).listen(0, '::')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const connection = host.connect({ hostname: 'kernel.test', port })
      expect((await connection.opened).remote.hostname).toBe('fd00:77::1')
      const { value } = await connection.readable.getReader().read()
      expect(new TextDecoder().decode(value)).toBe('hello')
      await connection.close()
      server.close()
    })

    test('close resets what is open: the kernel knows it', async () => {
      host = await tunHost(WIRE)
      const server = createServer().listen(0, '10.77.0.1')
      const accepted = once(server, 'connection')
      await once(server, 'listening')
      const connection = host.connect({ hostname: '10.77.0.1', port: (server.address() as AddressInfo).port })
      const [socket] = await accepted
      const failed = once(socket, 'error')
      await connection.opened
      await host.close()
      expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
      server.close()
      expect(spawnSync('ip', ['link', 'show', host.device.name]).status).toBe(1)
    })

    test('a program of a host ends when its sockets do, and what it sent arrives', async () => {
      const doors = (name: string) => fileURLToPath(new URL(`../dist/socket/${name}/index.js`, import.meta.url))
      const program = `
      import { tunHost } from '${doors('tun')}'
      const host = await tunHost({ address: '10.78.0.2/24', peer: '10.78.0.1' })
      const server = host.net.createServer((socket) => {
        server.close()
        socket.end(Buffer.alloc(3_000_000, 'x'))
      }).listen(7, () => console.log('up'))`
      const child = execFile(process.execPath, ['--input-type=module', '-e', program])
      const said = await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data')])
      expect(String(said[0])).toBe('up\n')
      const ended = once(child, 'exit')
      const { stdout } = await run('nc', ['-d', '10.78.0.2', '7'], { maxBuffer: 1e7 })
      expect(stdout.length).toBe(3_000_000)
      expect((await ended)[0]).toBe(0)
    })

    test('what cannot be is one sentence', async () => {
      const messageOf = (options: TunHostOptions) =>
        tunHost(options).then(
          () => 'opened',
          (error: Error) => error.message,
        )
      expect(await messageOf({ address: '10.77.0.2', peer: '10.77.0.1' })).toMatch(
        /^No peer in the network of 10.77.0.2\/32/,
      )
      expect(await messageOf({ address: '10.77.0.2/24', peer: '10.78.0.1' })).toMatch(
        /^No peer in the network of 10.77/,
      )
      host = await tunHost(WIRE)
      expect(await messageOf(WIRE)).toMatch(/^The address .* is in use by estab0, of an estab that is running/)
    })
  },
)
