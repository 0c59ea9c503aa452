import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'

const options = { headersTimeout: 20_000, requestTimeout: 60_000, connectionsCheckingInterval: 1000 }

/** What a client hears that says a few words every five seconds, and when the server has enough of it, s. */
async function slowly(first: string, word: string): Promise<[heard: string, after: number]> {
  const sim = createNetwork({ latency: '10ms' })
  return sim.run(async () => {
    sim.on('server', () => http.createServer(options, (asked, response) => void asked.pipe(response)).listen(80))
    const socket = net.connect(80, 'server').setEncoding('latin1')
    socket.write(first)
    const dripping = setInterval(() => socket.write(word), 5000)
    let heard = ''
    socket.on('data', (text) => {
      heard += text
    })
    await once(socket, 'close')
    clearInterval(dripping)
    return [heard, Math.round(sim.now / 1000)]
  })
}

test('a server that waits too long for a header says so and closes', async () => {
  const [heard, after] = await slowly('GET / HTTP/1.1\r\nhost: server\r\n', 'a: b\r\n')
  expect(heard).toMatch(/^HTTP\/1\.1 408 /)
  expect(after).toBe(21)
})

test('and one that waits too long for the rest of a request', async () => {
  const [heard, after] = await slowly('POST / HTTP/1.1\r\nhost: server\r\ncontent-length: 1000\r\n\r\n', 'word ')
  expect(heard).not.toBe('')
  expect(after).toBe(61)
})

test('a request on a kept connection has as long as the first', async () => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    sim.on('server', () => {
      const server = http.createServer(options, (_asked, response) => response.end('hello'))
      server.keepAliveTimeout = 300_000
      server.listen(80)
    })
    const socket = net.connect(80, 'server').resume()
    socket.write('GET / HTTP/1.1\r\nhost: server\r\n\r\n')
    await sleep(100_000)
    expect(socket.readyState).toBe('open')
    socket.write('GET / HTTP/1.1\r\n')
    const asked = Date.now()
    await once(socket, 'close')
    expect(Date.now() - asked).toBeGreaterThan(20_000)
    expect(Date.now() - asked).toBeLessThan(23_000)
  })
})

test('the date of a response is the date of virtual time', async () => {
  const sim = createNetwork({ latency: '10ms' })
  const dates = await sim.run(async () => {
    sim.on('server', () =>
      http
        .createServer((asked, response) => {
          if (asked.url === '/own') response.setHeader('date', 'today')
          if (asked.url === '/none') response.sendDate = false
          response.end('hello')
        })
        .listen(80),
    )
    const date = async (path: string) => (await fetch(`http://server${path}`)).headers.get('date')
    const first = await date('/')
    await sleep(3_600_000)
    return [first, await date('/'), await date('/own'), await date('/none')]
  })
  expect(dates).toEqual(['Sat, 01 Jan 2000 00:00:00 GMT', 'Sat, 01 Jan 2000 01:00:00 GMT', 'today', null])
})

test('a host of its own: streams and net of a host without `on`, in a run', async () => {
  const sim = createNetwork({ latency: '10ms' })
  await sim.run(async () => {
    const listener = sim.host('server').listen({ port: 7 })
    const echo = async () => {
      for await (const { readable, writable } of listener) void readable.pipeTo(writable)
    }
    void echo()
    const socket = sim.host('client').net.connect(7, 'server')
    socket.write('hello')
    const [text] = await once(socket, 'data')
    expect(String(text)).toBe('hello')
    expect(sim.now).toBe(40)

    const connection = sim.host('client').connect({ hostname: 'server', port: 7 })
    const writer = connection.writable.getWriter()
    const reader = connection.readable.getReader()
    const before = sim.now
    void writer.write(new TextEncoder().encode('streams'))
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('streams')
    expect(sim.now - before).toBe(40)
  })
})
