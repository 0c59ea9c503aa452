import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const built = mkdtempSync(join(tmpdir(), 'estab-net-'))

beforeAll(() => {
  spawnSync(process.execPath, [join(root, 'tools/build.mjs'), built])
}, 60_000)

afterAll(() => rmSync(built, { recursive: true, force: true }))

const REPLACED = ['--import', join(root, 'test/net/node-suite/preload.mjs')]

/** What a program prints; its `node:net` was replaced before it was loaded, when nothing else is said. */
function run(program: string, options: readonly string[] = REPLACED): string {
  const { stdout, stderr } = spawnSync(process.execPath, [...options, '--input-type=module', '-e', program], {
    env: { ...process.env, ESTAB_BUILT: built, NODE_OPTIONS: '' },
    encoding: 'utf8',
    timeout: 20_000,
  })
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

test("https on both sides, unmodified, imported before: its connections are the host's, and tell of themselves", () => {
  const printed = run(`
    import https from 'node:https'
    import { execFileSync } from 'node:child_process'
    import { readFileSync } from 'node:fs'
    const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -days 2 -subj /CN=localhost'
    const pem = execFileSync('openssl', words.split(' '), { stdio: ['ignore', 'pipe', 'ignore'] })
    const server = https.createServer({ key: pem, cert: pem }, (request, response) => {
      response.setHeader('x-address', request.socket.remoteAddress)
      request.pipe(response)
    })
    server.listen(8443, '127.0.0.1', () => {
      const open = readFileSync('/proc/net/tcp', 'latin1').includes(':20FB ')
      const request = https.request({ port: 8443, servername: 'localhost', ca: pem, method: 'POST' }, async (response) => {
        const { remoteAddress, authorized, connecting } = response.socket
        let length = 0
        for await (const chunk of response) length += chunk.length
        console.log(response.statusCode, response.headers['x-address'], remoteAddress, authorized, connecting, length, open)
        server.close()
        server.closeIdleConnections()
      })
      request.end('x'.repeat(100000))
    })
  `)
  expect(printed).toBe('200 127.0.0.1 127.0.0.1 true false 100000 false\n')
}, 30_000)

test('tls begun within a connection, its events and errors, and http2 are as over the system', () => {
  const program = `
    import { execFileSync } from 'node:child_process'
    import { once } from 'node:events'
    import http2 from 'node:http2'
    import net from 'node:net'
    import tls from 'node:tls'
    const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -days 2 -subj /CN=localhost'
    const pem = execFileSync('openssl', words.split(' '), { stdio: ['ignore', 'pipe', 'ignore'] })
    const own = { key: pem, cert: pem }
    const trust = { ca: pem, servername: 'localhost', host: '127.0.0.1' }
    const listening = async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return server.address().port
    }

    const plainServer = net.createServer((socket) => {
      socket.once('data', (text) => {
        console.log(String(text))
        socket.write('go on', () => {
          const secure = new tls.TLSSocket(socket, { isServer: true, ...own })
          secure.on('data', (text) => secure.end(text + ', ' + secure.remoteAddress))
        })
      })
    })
    const plain = net.connect(await listening(plainServer), '127.0.0.1')
    plain.write('begin tls')
    await once(plain, 'data')
    const begun = tls.connect({ ...trust, socket: plain })
    await once(begun, 'secureConnect')
    console.log(begun.authorized, begun.getProtocol(), begun.localPort === plain.localPort, begun instanceof net.Socket)
    begun.write('hello')
    begun.on('data', (text) => console.log(String(text)))
    await once(begun, 'close')
    console.log(plain.destroyed)

    const failed = (socket) => once(socket, 'secureConnect').catch(({ code }) => code)
    console.log(await failed(tls.connect(1, '127.0.0.1')), await failed(tls.connect(1, 'nobody.test')))

    const echo = tls.createServer(own, (socket) => socket.pipe(socket).on('error', () => {}))
    const port = await listening(echo)
    const client = tls.connect({ ...trust, port, timeout: 200 }, () => console.log('called back'))
    for (const event of ['connect', 'ready', 'secureConnect', 'timeout', 'close']) client.on(event, () => console.log(event))
    console.log(client.connecting, client.readyState)
    await once(client, 'secureConnect')
    let count = 0
    client.on('data', (chunk) => {
      count += chunk.length
      if (count === 1e6) console.log('echoed')
    })
    client.write('x'.repeat(1e6))
    await once(client, 'timeout')
    client.destroy()
    await once(client, 'close')
    console.log(await failed(tls.connect({ port, host: '127.0.0.1', servername: 'localhost' })))

    const h2 = http2.createSecureServer(own, (request, response) => response.end('http ' + request.httpVersion))
    const session = http2.connect('https://localhost:' + (await listening(h2)), trust)
    const stream = session.request({ ':path': '/' })
    stream.on('data', (text) => console.log(String(text)))
    await once(stream, 'close')
    session.close()
    for (const server of [plainServer, echo, h2]) server.close()
  `
  const printed = run(program)
  expect(printed).toContain('begin tls\ntrue TLSv1.3 true true\nhello, 127.0.0.1\ntrue\nECONNREFUSED ENOTFOUND\n')
  expect(printed).toMatch(/\nhttp 2\.0\n$/)
  expect(printed).toBe(run(program, []))
}, 60_000)

test('what was imported before net was replaced moves to the host, and back to the system', () => {
  const printed = run(
    `
    import http from 'node:http'
    import net from 'node:net'
    import tls from 'node:tls'
    const built = (path) => import(process.env.ESTAB_BUILT + '/' + path)
    const { Host, linux, Random, RealTime } = await built('index.js')
    const { createNet, nodeTime, replaceNodeNet } = await built('socket/net/index.js')
    const nodes = { ...net, tls: tls.connect, secure: tls.TLSSocket, agent: http.Agent.prototype.createConnection }
    const time = new RealTime(nodeTime())
    const host = new Host({ settings: linux(), random: new Random(1) })
    time.drive(host)
    const putBack = replaceNodeNet(createNet(host, { now: () => time.now }))
    const server = http.createServer((request, response) => response.end('hello'))
    console.log(server instanceof net.Server, tls.createServer() instanceof net.Server)
    await new Promise((resolve) => server.listen(80, resolve))
    const response = await new Promise((resolve) => http.get('http://127.0.0.1/', resolve))
    for await (const chunk of response) console.log(String(chunk), host.connections.size > 0)
    server.close()
    putBack()
    const same = net.Socket === nodes.Socket && net.Server === nodes.Server && net.connect === nodes.connect
    console.log(same, http.Agent.prototype.createConnection === nodes.agent, http.createServer() instanceof net.Server)
    console.log(tls.connect === nodes.tls, tls.TLSSocket === nodes.secure, tls.createServer() instanceof net.Server)
  `,
    [],
  )
  expect(printed).toBe('true true\nhello true\ntrue true true\ntrue true true\n')
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
