import http from 'node:http'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

/** What is tested: a download that starts again when its connection is reset. */
async function download(url: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (await fetch(url)).text()
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

test('the connection is reset in the middle of the response', async () => {
  const sim = createNetwork({ latency: '20ms' })
  await sim.run(async () => {
    let requests = 0
    sim.on('server', () =>
      http
        .createServer((_request, response) => {
          requests++
          response.writeHead(200, { 'content-length': 10_000 }).write('x'.repeat(5000))
          if (requests < 3) setTimeout(() => response.socket!.resetAndDestroy(), 100)
          else response.end('x'.repeat(5000))
        })
        .listen(80),
    )
    expect(await download('http://server/')).toHaveLength(10_000)
    expect(requests).toBe(3)
  })
})
