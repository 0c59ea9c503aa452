import dns from 'node:dns'
import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'
import net, { connect as namedConnect, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'
import { ladder, TraceLog } from '../../src/trace/index.js'

// taken before any run began, in every way there is
const captured = { ...net }
const required = createRequire(import.meta.url)('net') as typeof net
class Phone extends net.Socket {
  rings = 0

  override connect(options: unknown): this {
    this.rings++
    return super.connect(options as net.TcpNetConnectOpts)
  }
}
class Exchange extends net.Server {}

const hello = () => net.createServer((socket) => socket.end('hello')).listen(7)

test.each<[string, () => net.Socket]>([
  ['net.connect', () => net.connect(7, 'server')],
  ['net.createConnection', () => net.createConnection({ port: 7, host: 'server' })],
  ['import { connect }', () => namedConnect(7, 'server')],
  ['new Socket', () => new Socket().connect(7, 'server')],
  ['connect, captured', () => captured.connect({ port: 7, host: 'server' })],
  ['Socket, captured', () => new captured.Socket().setNoDelay().connect(7, 'server')],
  ['net.Socket without new', () => (captured.Socket as unknown as () => net.Socket)().connect(7, 'server')],
  ['require', () => required.connect(7, 'server')],
  ['a class of its own', () => new Phone().connect({ port: 7, host: 'server' })],
])('a program may have its net from anywhere: %s', async (_name, connect) => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    sim.on('server', hello)
    const socket = connect()
    expect(socket).toBeInstanceOf(net.Socket)
    await once(socket, 'connect')
    expect(socket.remoteAddress).toMatch(/^10\.0\./)
    expect(socket.readyState).toBe('open')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    expect(socket.bytesRead).toBe(5)
  })
  expect(sim.now).toBeGreaterThanOrEqual(30)
})

test('and so its servers', async () => {
  const sim = createNetwork()
  await sim.run(async () => {
    const servers = [
      captured.createServer(),
      new Exchange(),
      new captured.Server({ pauseOnConnect: true }),
      http.createServer(),
    ]
    for (const [i, server] of servers.entries()) {
      sim.on('server', () => server.listen(100 + i))
      expect(server.listening).toBe(true)
      const [socket] = await Promise.all([once(server, 'connection'), once(net.connect(100 + i, 'server'), 'connect')])
      expect(socket[0]).toBeInstanceOf(net.Socket)
      expect(socket[0].localPort).toBe(100 + i)
    }
    expect(new Phone().rings).toBe(0)
  })
})

test('a socket that was told things before it connects remembers them', async () => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    sim.on('server', () => net.createServer(() => {}).listen(80))
    const socket = new captured.Socket({ keepAlive: true, noDelay: true } as net.SocketConstructorOpts)
    socket.setTimeout(60_000)
    socket.connect(80, 'server')
    await once(socket, 'connect')
    const before = Date.now()
    await once(socket, 'timeout')
    expect(Date.now() - before).toBe(60_000)
    const [text] = await new Promise<[string]>((resolve) => {
      const buffer = Buffer.alloc(100)
      const onread = {
        buffer,
        callback: (count: number) => {
          resolve([buffer.toString('latin1', 0, count)])
          return true
        },
      }
      sim.on('server', hello)
      captured.connect({ port: 7, host: 'server', onread })
    })
    expect(text).toBe('hello')
  })
})

test('hosts have their own ports, their own localhost, and the names of the others', async () => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    const greet = (name: string) => () => net.createServer((socket) => socket.end(`I am ${name}`)).listen(7)
    const ask = async (host: string) => String((await once(net.connect(7, host), 'data'))[0])
    for (const name of ['a', 'b']) sim.on(name, greet(name))
    expect(await ask('a')).toBe('I am a')
    expect(await sim.on('a', () => ask('b'))).toBe('I am b')
    expect(await sim.on('b', () => ask('localhost'))).toBe('I am b')
    await expect(ask('localhost')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(ask('nobody')).rejects.toMatchObject({ code: 'ENOTFOUND', hostname: 'nobody' })

    const { address } = await dns.promises.lookup('a', 4)
    expect(await dns.promises.resolve4('a')).toEqual([address])
    expect(await new Promise((resolve) => dns.lookup('a', 4, (_error, found) => resolve(found)))).toBe(address)
    expect(await dns.promises.lookup('a', { all: true })).toHaveLength(2)
    await expect(dns.promises.resolve6('nobody')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })
})

test('connections that are kept belong to the host that made them', async () => {
  const sim = createNetwork({ latency: '10ms' })
  const asked = async (get: () => Promise<string>) => {
    const addresses: string[] = []
    for (const host of ['a', 'b', 'a']) addresses.push(await sim.on(host, get))
    return addresses
  }
  await sim.run(async () => {
    sim.on('server', () =>
      http
        .createServer(({ socket }, response) => response.end(`${socket.remoteAddress} ${socket.remotePort}`))
        .listen(80),
    )
    const byFetch = await asked(async () => (await fetch('http://server/')).text())
    const byHttp = await asked(async () => {
      const [response] = (await once(http.get('http://server/'), 'response')) as [http.IncomingMessage]
      let text = ''
      for await (const chunk of response) text += chunk
      await sleep(100)
      return text
    })
    for (const [a, b, again] of [byFetch, byHttp]) {
      expect(a).not.toBe(b)
      expect(a!.split(' ')[0]).toBe(again!.split(' ')[0])
      expect(a!.split(' ')[0]).not.toBe(b!.split(' ')[0])
    }
    expect(byHttp[2]).toBe(byHttp[0])
  })
})

/** Everything that happens on both hosts while a program talks over a bad network. */
async function story(seed: number): Promise<string> {
  const log = new TraceLog()
  const sim = createNetwork({ latency: '20ms', jitter: '5ms', loss: 0.1, reordering: 0.05, seed })
  for (const name of ['client', 'server']) sim.host(name, { observer: log.observe(name) })
  await sim.run(async () => {
    sim.on('server', () => http.createServer((request, response) => request.pipe(response)).listen(80))
    for (let i = 0; i < 3; i++) {
      const response = await fetch('http://server/', { method: 'POST', body: 'x'.repeat(30_000) })
      expect(await response.text()).toHaveLength(30_000)
      await sleep(1000)
    }
  })
  return ladder(log.events)
}

test('the same seed gives the same run', async () => {
  const once = await story(7)
  expect(await story(7)).toBe(once)
  expect(await story(8)).not.toBe(once)
})
