import http from 'node:http'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

/** What is tested: a cache before a slow server. The same program could run anywhere. */
function cache(origin: string): http.Server {
  const kept = new Map<string, Promise<string>>()
  return http.createServer(async (request, response) => {
    const url = request.url!
    if (!kept.has(url))
      kept.set(
        url,
        fetch(origin + url).then((answer) => answer.text()),
      )
    response.end(await kept.get(url))
  })
}

test('three hosts side by side, each with its own ports and its own connections', async () => {
  const sim = createNetwork({ latency: '10ms' })
  sim.link('far', { latency: '300ms' })
  sim.host('cache', { on: ['lan', 'far'] })
  sim.host('origin', { on: 'far' })

  await sim.run(async () => {
    let asked = 0
    sim.on('origin', () => http.createServer((_request, response) => response.end(`page ${++asked}`)).listen(80))
    sim.on('cache', () => cache('http://origin').listen(80))

    const get = async () => (await fetch('http://cache/')).text()
    expect(await get()).toBe('page 1')
    const before = Date.now()
    expect(await get()).toBe('page 1')
    // not a round trip over the far link
    expect(Date.now() - before).toBeLessThan(100)
  })
})
