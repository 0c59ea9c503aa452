import http from 'node:http'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

test('a request survives a network that loses every fifth packet', async () => {
  const sim = createNetwork({ latency: '20ms', loss: 0.2, seed: 1 })

  await sim.run(async () => {
    sim.on('server', () => http.createServer((request, response) => request.pipe(response)).listen(80))

    const body = 'x'.repeat(100_000)
    const response = await fetch('http://server/', { method: 'POST', body })
    expect(await response.text()).toBe(body)
  })

  // retransmissions took their time: none of yours
  expect(sim.now).toBeGreaterThan(1000)
})
