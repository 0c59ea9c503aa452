import { once } from 'node:events'
import http from 'node:http'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { twoHosts } from './two-hosts.test-fixture.js'

function serve({ server }: ReturnType<typeof twoHosts>, answer: http.RequestListener) {
  const web = http.createServer(answer)
  return server.createServer((socket) => web.emit('connection', socket)).listen(80)
}

async function get(options: http.RequestOptions, agent: http.Agent): Promise<{ status: number; body: string }> {
  const request = http.get({ ...options, agent })
  // it is told too, beside the response
  request.on('error', () => {})
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode!, body }
}

test("Node's http on both sides, over a link that loses a fifth of the packets, in virtual time", async () => {
  const world = twoHosts({ loss: 0.2, seed: 3 })
  serve(world, (request, response) => response.end(`you asked for ${request.url} `.repeat(5000)))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const connections: unknown[] = []
  agent.createConnection = (options: object) => {
    const socket = world.client.connect(options as { port: number })
    connections.push(socket)
    return socket as unknown as Socket
  }
  for (const path of ['/first', '/second']) {
    const { status, body } = await world.until(get({ host: world.address, path }, agent))
    expect(status).toBe(200)
    expect(body).toBe(`you asked for ${path} `.repeat(5000))
  }
  expect(connections.length).toBe(1)
  expect(world.network.now).toBeGreaterThan(500)
  agent.destroy()
})

test('ECONNRESET in the middle of a response', async () => {
  const world = twoHosts()
  serve(world, (request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('half')
    setImmediate(() => (request.socket as unknown as { resetAndDestroy(): void }).resetAndDestroy())
  })
  const agent = new http.Agent()
  agent.createConnection = (options: object) => world.client.connect(options as { port: number }) as unknown as Socket
  const failed = await world.until(get({ host: world.address }, agent).catch((error) => error))
  expect(failed).toMatchObject({ code: 'ECONNRESET' })
})
