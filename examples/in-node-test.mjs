// The same with Node's own test runner: node --test examples/in-node-test.mjs
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { createNetwork, drop } from 'estab/sim'

test('a request is answered though the first segment of the handshake is lost', async () => {
  const sim = createNetwork({ latency: '20ms' })
  sim.rule(drop({ from: 'client', flags: 'S', nth: 1 }))

  await sim.run(async () => {
    sim.on('server', () => http.createServer((_request, response) => response.end('hello')).listen(80))
    const response = await fetch('http://server/')
    assert.equal(await response.text(), 'hello')
  })

  // the SYN was sent again after a second
  assert.ok(sim.now > 1000)
})

test('a server that is down for an hour', async () => {
  const sim = createNetwork({ latency: '20ms' })
  await sim.run(async () => {
    const serve = () => http.createServer((_request, response) => response.end('back')).listen(80)
    setTimeout(() => sim.on('server', serve), 3_600_000)
    assert.equal(await untilItAnswers('http://server/'), 'back')
  })
})

/** What is tested: a client that tries again, at most a minute later. */
async function untilItAnswers(url) {
  for (let pause = 1000; ; pause = Math.min(pause * 2, 60_000)) {
    try {
      return await (await fetch(url)).text()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
