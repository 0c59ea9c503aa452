import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork, pass } from '../src/sim/index.js'

test('a slow reader stalls the writer at a zero window', async () => {
  const sim = createNetwork({ latency: '5ms' })
  const closedWindows = sim.rule(pass({ from: 'server', flags: '.', where: ({ segment }) => segment?.window === 0 }))

  await sim.run(async () => {
    const accepted = sim.on('server', () => once(net.createServer({ pauseOnConnect: true }).listen(80), 'connection'))
    const writer = net.connect(80, 'server')
    const [reader] = (await accepted) as [net.Socket]

    // nobody reads: the receive buffer fills, then the send buffer
    writer.end(Buffer.alloc(12_000_000))
    await sleep(60_000)
    expect(writer.writableFinished).toBe(false)
    expect(closedWindows.applied).toBeGreaterThan(5) // the writer asks, again and again: is there room?

    let octets = 0
    for await (const chunk of reader) octets += chunk.length
    expect(octets).toBe(12_000_000)
  })
})
