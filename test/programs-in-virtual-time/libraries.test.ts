import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { createClient } from 'redis'
import { Pool, request } from 'undici'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createNetwork } from '../../src/sim/index.js'
import { pgServer } from './pg-server.test-fixture.js'
import { redisServer } from './redis-server.test-fixture.js'

test('ws: messages over a network that loses packets; a server whose pings are not answered gives up', async () => {
  const sim = createNetwork({ latency: '20ms', loss: 0.1, seed: 2 })
  await sim.run(async () => {
    const began = Date.now()
    const givesUp = sim.on('server', async () => {
      const server = new WebSocketServer({ port: 8080 })
      const [accepted] = (await once(server, 'connection')) as [WebSocket]
      accepted.on('message', (text) => accepted.send(String(text).toUpperCase()))
      let alive = true
      accepted.on('pong', () => {
        alive = true
      })
      const pinging = setInterval(() => {
        if (!alive) accepted.terminate()
        alive = false
        accepted.ping()
      }, 30_000)
      await once(accepted, 'close')
      clearInterval(pinging)
      return Date.now() - began
    })
    const socket = new WebSocket('ws://server:8080/')
    await once(socket, 'open')
    for (let i = 0; i < 20; i++) {
      socket.send(`message ${i}`)
      expect(String((await once(socket, 'message'))[0])).toBe(`MESSAGE ${i}`)
    }
    await sleep(100_000)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    sim.partition(['server'])
    const after = await givesUp
    expect(after).toBeGreaterThan(120_000)
    expect(after).toBeLessThan(180_000)
  })
})

test('pg: queries, and a database that does not answer any more', async () => {
  const db = await PGlite.create()
  const sim = createNetwork({ latency: '20ms' })
  try {
    await sim.run(async () => {
      sim.on('database', () => pgServer(db).listen(5432))
      const client = new pg.Client({ host: 'database', user: 'postgres', database: 'postgres', query_timeout: 5000 })
      await client.connect()
      await client.query('create table words (id serial primary key, word text)')
      for (const word of ['syn', 'ack', 'fin']) await client.query('insert into words (word) values ($1)', [word])
      const { rows } = await client.query('select word from words where id > $1 order by id', [1])
      expect(rows).toEqual([{ word: 'ack' }, { word: 'fin' }])

      sim.partition(['database'])
      const before = Date.now()
      await expect(client.query('select 1')).rejects.toThrow('Query read timeout')
      expect(Date.now() - before).toBe(5000)
    })
  } finally {
    await db.close()
  }
}, 120_000)

test('redis: commands, messages, and a client that connects again when the server was restarted', async () => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    sim.on('redis', () => redisServer().listen(6379))
    const client = createClient({ url: 'redis://redis:6379', RESP: 2 })
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error.code))
    await client.connect()
    await client.set('greeting', 'hello')
    expect(await client.get('greeting')).toBe('hello')
    expect(await Promise.all([1, 2, 3].map(() => client.incr('n')))).toEqual([1, 2, 3])

    const hearer = client.duplicate()
    await hearer.connect()
    const news: string[] = []
    await hearer.subscribe('news', (message) => news.push(message))
    await client.publish('news', 'it works')
    await sleep(100)
    expect(news).toEqual(['it works'])
    hearer.destroy()

    // it crashes, and is up again three seconds later with nothing in it
    sim.host('redis').reboot()
    setTimeout(() => sim.on('redis', () => redisServer().listen(6379)), 3000)
    await expect(client.get('greeting')).rejects.toThrow('ECONNRESET')
    expect(await client.get('greeting')).toBeNull()
    expect(errors).toContain('ECONNRESET')
    client.destroy()
  })
  expect(sim.now).toBeGreaterThan(3000)
})

test('undici from npm, its pools and its time-outs', async () => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    sim.on('server', () =>
      http
        .createServer((asked, response) => {
          if (asked.url === '/slow') setTimeout(() => response.end('late'), 20_000)
          else response.end('hello')
        })
        .listen(80),
    )
    expect(await (await request('http://server/')).body.text()).toBe('hello')
    const pool = new Pool('http://server', { connections: 2, headersTimeout: 5000 })
    const before = Date.now()
    await expect(pool.request({ path: '/slow', method: 'GET' })).rejects.toMatchObject({
      code: 'UND_ERR_HEADERS_TIMEOUT',
    })
    expect(Date.now() - before).toBeLessThan(7000)
    expect(await (await pool.request({ path: '/', method: 'GET' })).body.text()).toBe('hello')
    await pool.close()
  })
})

const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -days 2 -subj /CN=server'

const withoutOpenssl = spawnSync('openssl', ['version']).status !== 0 && process.env.CI === undefined
const reason = withoutOpenssl ? ' (skipped: no openssl)' : ''

test.skipIf(withoutOpenssl)(`https: both sides, a kept connection, and who the peer is${reason}`, async () => {
  const pem = execFileSync('openssl', words.split(' '), { stdio: ['ignore', 'pipe', 'ignore'] })
  const sim = createNetwork({ latency: '20ms', loss: 0.1, seed: 3 })
  await sim.run(async () => {
    sim.on('server', () =>
      https
        .createServer({ key: pem, cert: pem }, (asked, response) => {
          response.setHeader('x-peer', `${asked.socket.remoteAddress}`)
          asked.pipe(response)
        })
        .listen(443),
    )
    const agent = new https.Agent({ ca: pem, keepAlive: true })
    const ports = new Set<unknown>()
    for (let i = 0; i < 2; i++) {
      const asked = https.request({ host: 'server', agent, method: 'POST' }).end('x'.repeat(50_000))
      const [response] = (await once(asked, 'response')) as [http.IncomingMessage]
      ports.add(response.socket.localPort)
      expect(response.headers['x-peer']).toContain('10.0.0.')
      let octets = 0
      for await (const chunk of response) octets += chunk.length
      expect(octets).toBe(50_000)
    }
    expect(ports.size).toBe(1)
  })
})
