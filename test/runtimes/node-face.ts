import { once } from 'node:events'
import http from 'node:http'
import type { Socket } from 'node:net'
import { type Check, equal, rejection } from './check.js'

type Estab = typeof import('../../src/index.js')

/** What must hold of `host.net` in Node, Bun and Deno. */
export function nodeFaceChecks({ createHost, memoryPipe }: Estab): Check[] {
  const nets = () => {
    const [left, right] = memoryPipe()
    const client = createHost({ link: left, address: '10.0.0.1/24' })
    const server = createHost({ link: right, address: '10.0.0.2/24' })
    return { client: client.net, server: server.net }
  }
  return [
    {
      title: 'net: an echo of 1 MB, and both sides end',
      async run() {
        const { client, server } = nets()
        const listening = server.createServer((socket) => socket.pipe(socket)).listen(7)
        await once(listening, 'listening')
        const socket = client.connect(7, '10.0.0.2')
        let received = 0
        socket.on('data', (chunk: Uint8Array) => {
          received += chunk.length
        })
        socket.end(new Uint8Array(1_000_000))
        await once(socket, 'close')
        equal(received, 1_000_000)
        listening.close()
        await once(listening, 'close')
      },
    },
    {
      title: 'net: ECONNREFUSED, ECONNRESET, half-open sides, as events',
      async run() {
        const { client, server } = nets()
        const [refused] = await once(client.connect(9, '10.0.0.2'), 'error').catch((error) => [error])
        equal(refused.code, 'ECONNREFUSED')
        const listening = server.createServer((socket) => socket.resetAndDestroy()).listen(7)
        await once(listening, 'listening')
        const socket = client.connect(7, '10.0.0.2')
        const [reset] = await new Promise<[Error & { code?: string }]>((resolve) => {
          socket.on('error', (error) => resolve([error]))
        })
        equal(reset.code, 'ECONNRESET')
        listening.close()
      },
    },
    {
      title: 'net: two pages of http, over a connection that is kept alive',
      async run() {
        const { client, server } = nets()
        const pages = http.createServer((request, response) => response.end(`you asked for ${request.url}`))
        const listening = server.createServer((socket) => pages.emit('connection', socket)).listen(80)
        await once(listening, 'listening')
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
        let connections = 0
        agent.createConnection = (options: object) => {
          connections++
          return client.connect(options as { port: number }) as unknown as Socket
        }
        for (const path of ['/first', '/second']) {
          const request = http.get({ host: '10.0.0.2', path, agent })
          const [response] = (await once(request, 'response')) as [http.IncomingMessage]
          let body = ''
          for await (const chunk of response) body += chunk
          equal(body, `you asked for ${path}`)
        }
        // Deno's http server closes connections that it is handed after one answer, those of its own net too
        if (!('Deno' in globalThis)) equal(connections, 1, 'connections')
        agent.destroy()
        listening.close()
        pages.close()
      },
    },
  ]
}

/** What must hold of unmodified programs in virtual time. */
export function programChecks({ createNetwork }: typeof import('../../src/sim/index.js')): Check[] {
  return [
    {
      title: 'run: an answer of http that takes an hour of virtual time; Bun says that it cannot',
      async run() {
        const network = createNetwork({ latency: '20ms', loss: 0.1, seed: 3 })
        const program = async () => {
          const server = network.on('server', () =>
            http.createServer((_request, response) => setTimeout(() => response.end('late'), 3_600_000)).listen(80),
          )
          const [response] = (await once(http.get('http://server/'), 'response')) as [http.IncomingMessage]
          let body = ''
          for await (const chunk of response) body += chunk
          server.close()
          return body
        }
        if ('Bun' in globalThis) {
          const { message } = await rejection(network.run(program))
          return equal(message, 'run: programs of Bun cannot be put into virtual time: use Node or Deno')
        }
        equal(await network.run(program), 'late')
      },
    },
  ]
}

/** What must hold in Bun and Deno. */
export function otherRuntimeChecks({ tunHost }: typeof import('../../src/socket/tun/index.js')): Check[] {
  return [
    {
      title: 'tunHost says that it needs Node',
      async run() {
        const { message } = await rejection(tunHost({ address: '10.77.0.2/24', peer: '10.77.0.1' }))
        equal(
          message.replace(/Bun|Deno/, '…'),
          'A TUN device is read by the event loop of Node, and this is …: use Node.',
        )
      },
    },
  ]
}
