import http from 'node:http'
import { test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'
import { TraceLog, ladder } from '../../src/trace/index.js'
function cache(origin: string): http.Server {
  const kept = new Map<string, Promise<string>>()
  return http.createServer(async (request, response) => {
    const url = request.url!
    if (!kept.has(url)) kept.set(url, fetch(origin + url).then((answer) => answer.text()))
    response.end(await kept.get(url))
  })
}
for (let i = 0; i < 4; i++)
test('x' + i, async () => {
  const log = new TraceLog()
  const sim = createNetwork({ latency: '10ms' })
  sim.link('far', { latency: '300ms' })
  sim.host('client', { observer: log.observe('client') })
  sim.host('cache', { on: ['lan', 'far'], observer: log.observe('cache') })
  sim.host('origin', { on: 'far' })
  await sim.run(async () => {
    let asked = 0
    sim.on('origin', () => http.createServer((_request, response) => response.end(`page ${++asked}`)).listen(80))
    sim.on('cache', () => cache('http://origin').listen(80))
    const get = async () => (await fetch('http://cache/')).text()
    await get()
    const before = Date.now()
    await get()
    console.log(i, Date.now() - before, sim.now)
  })
  console.log(ladder(log.events))
})
