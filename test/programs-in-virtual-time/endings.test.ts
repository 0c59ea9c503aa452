import { AsyncLocalStorage } from 'node:async_hooks'
import dns from 'node:dns'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import timers from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'

const listen = (port: number) => () => net.createServer(() => {}).listen(port)

test('a program that waits for what cannot happen any more is told who waits for what', async () => {
  const sim = createNetwork({ latency: '10ms' })
  const ends = sim.run(async () => {
    sim.on('server', () => net.createServer({ pauseOnConnect: true }).listen(80))
    const socket = net.connect(80, 'server').resume()
    await once(socket, 'connect')
    socket.write('is anybody there?')
    await once(socket, 'close')
  })
  const error = await ends.catch((e) => e)
  expect(error).toMatchObject({ code: 'ERR_SIM_DEADLOCK' })
  const lines = String(error.message).split('\n')
  expect(lines[0]).toMatch(/^the program waits and nothing is left to happen \(virtual time .* s\)$/)
  expect(lines[1]).toMatch(/^ {2}client {2}ESTABLISHED {2}\S+:\d+ -> \S+:80$/)
  expect(lines[2]).toMatch(/^ {2}server {2}LISTEN {7}:::80$/)
  expect(lines[3]).toMatch(/^ {2}server {2}ESTABLISHED {2}\S+:80 -> \S+:\d+, 17 octets not read$/)
})

test('without a connection or a server, that is said', async () => {
  await expect(createNetwork().run(() => new Promise(() => {}))).rejects.toThrow('it waits for something else')
})

test('and so is one whose last deed was real work', async () => {
  const ends = createNetwork().run(async () => {
    await readFile(import.meta.filename)
    await new Promise(() => {})
  })
  await expect(ends).rejects.toMatchObject({ code: 'ERR_SIM_DEADLOCK' })
})

test('a program that does not end is ended', async () => {
  const sim = createNetwork()
  let ticks = 0
  const forever = async () => {
    for (;;) {
      await sleep(1000)
      ticks++
    }
  }
  const ends = sim.run(forever, { limit: '1h' })
  await expect(ends).rejects.toMatchObject({ code: 'ERR_SIM_LIMIT' })
  expect(ticks).toBe(3600)
})

test('what the program gives and what it throws are what the run gives and throws', async () => {
  const sim = createNetwork()
  expect(await sim.run(() => 'at once')).toBe('at once')
  await expect(sim.run(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  const thrown = sim.run(() => {
    throw new Error('at once')
  })
  await expect(thrown).rejects.toThrow('at once')
})

test.each<[string, () => void]>([
  ['a timer', () => void setTimeout(fail, 10)],
  ['an immediate', () => void setImmediate(fail)],
  ['a tick', () => process.nextTick(fail)],
  ['a microtask', () => queueMicrotask(fail)],
  ['a listener', () => void net.connect(80, 'server', fail)],
  ['an error event that nobody listens to', () => void net.connect(81, 'server')],
])('an error that nobody catches ends the run: %s', async (_name, begin) => {
  const sim = createNetwork()
  const ends = sim.run(async () => {
    sim.on('server', listen(80))
    begin()
    await sleep(3_600_000)
  })
  await expect(ends).rejects.toSatisfy(({ code, message }) => /nobody catches|ECONNREFUSED/.test(code + message))
  expect(sim.now).toBeLessThan(1000)
})

function fail(): void {
  throw new Error('nobody catches')
}

test('afterwards everything is as before', async () => {
  const look = () => [
    ...[
      globalThis.queueMicrotask,
      globalThis.Date,
      Date.now,
      Date.prototype.constructor,
      performance.now,
      process.hrtime,
      process.uptime,
    ],
    ...[globalThis.setTimeout, timers.setTimeout, dns.lookup, dns.promises.lookup, dns.resolve4],
    Object.hasOwn(http.Server.prototype, 'emit'),
    ...[net.connect, net.Socket, net.Server, tls.connect, tls.TLSSocket, http.Agent.prototype.getName],
    ...[net.Socket, net.Server, http.OutgoingMessage].map(({ prototype }) =>
      JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(prototype)), (_key, value) =>
        typeof value === 'function' ? `${value}` : value,
      ),
    ),
    ...[
      Reflect.get(globalThis, 'WebAssembly').compile,
      Intl.DateTimeFormat,
      process.hasUncaughtExceptionCaptureCallback(),
    ],
    Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')),
    Reflect.get(Object.getPrototypeOf(setTimeout(() => {}, 0)), 'refresh'),
  ]
  // Node loads its fetch when it is first asked for it
  void Response
  const before = look()
  const sim = createNetwork({ latency: '10ms' })
  for (const ends of ['well', 'badly']) {
    const run = sim.run(async () => {
      sim.on('server', () => http.createServer((_request, response) => response.end('hello')).listen(80))
      expect(await (await fetch('http://server/')).text()).toBe('hello')
      if (ends === 'badly') throw new Error('badly')
    })
    if (ends === 'well') await run
    else await expect(run).rejects.toThrow('badly')
    const after = look()
    for (let i = 0; i < before.length; i++) expect(after[i]).toBe(before[i])
  }
})

test('what a program leaves open is closed as when it ends, and the next run has its ports', async () => {
  const sim = createNetwork({ latency: '10ms' })
  let closed = false
  let ticks = 0
  const program = async () => {
    sim.on('server', () => http.createServer((_request, response) => response.end('hello')).listen(80))
    setInterval(() => ticks++, 1000)
    const asked = http.get('http://server/')
    asked.on('close', () => {
      closed = true
    })
    const [response] = (await once(asked, 'response')) as [http.IncomingMessage]
    return response.statusCode
  }
  expect(await sim.run(program)).toBe(200)
  expect(await sim.run(program)).toBe(200)
  sim.advance('10m')
  expect([...sim.host('server').connections]).toEqual([])
  expect([...sim.host('client').connections]).toEqual([])
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(closed).toBe(false)
  expect(ticks).toBe(0)
})

test('a server that outlives the run can be closed', async () => {
  const sim = createNetwork()
  const server = await sim.run(async () => {
    const made = http.createServer(() => {}).listen(80)
    const socket = net.connect(80, 'localhost')
    await once(socket, 'connect')
    return made
  })
  await new Promise((resolve) => server.close(resolve))
})

test('one run at a time', async () => {
  const sim = createNetwork()
  const first = sim.run(() => sleep(10))
  await expect(createNetwork().run(() => 1)).rejects.toThrow('another run goes on')
  await first
  await sim.run(async () => {
    await expect(sim.run(() => 1)).rejects.toThrow("there is on('name', program)")
    await expect(sim.run(() => 1)).rejects.toThrow('goes on already')
    expect(() => sim.advance('1h')).toThrow('in a run time passes by itself')
    expect(() => sim.runUntilIdle()).toThrow('in a run time passes by itself')
    expect(() => createNetwork().on('server', () => 1)).toThrow('belongs inside the run of its network')
  })
  expect(() => sim.on('server', () => 1)).toThrow('belongs inside the run')
  await expect(sim.run('1h' as never)).rejects.toThrow('run takes a program')
})

test('a program keeps what it stores asynchronously', async () => {
  const store = new AsyncLocalStorage<string>()
  const sim = createNetwork()
  const heard = await store.run('outer', () =>
    sim.run(() => store.run('inner', async () => [await sleep(10), store.getStore()])),
  )
  expect(heard).toEqual([undefined, 'inner'])
})
