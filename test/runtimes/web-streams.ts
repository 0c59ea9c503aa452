import type { LiveHost, WebConnection } from '../../src/index.js'
import { type Check, equal, ok, rejection, waits } from './check.js'

type Estab = typeof import('../../src/index.js')

const encoder = new TextEncoder()
const decoder = new TextDecoder()

async function octetsOf(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const reader = readable.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value)
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

const textOf = async (readable: ReadableStream<Uint8Array>): Promise<string> => decoder.decode(await octetsOf(readable))

/** Octet i of everything long. */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >>> 8) * 7) & 255)

async function write({ writable }: WebConnection, text: string): Promise<void> {
  const writer = writable.getWriter()
  await writer.write(encoder.encode(text))
  writer.releaseLock()
}

/** What must hold of web streams in Node, Bun, Deno and browsers. */
export function webStreamChecks({ createHost, memoryPipe, SocketError }: Estab): Check[] {
  const checks: Check[] = []
  const check = (title: string, run: (client: LiveHost, server: LiveHost) => Promise<void>) => {
    const onTwoHosts = () => {
      const [left, right] = memoryPipe()
      const client = createHost({ name: 'client', link: left, address: '10.0.0.1/24' })
      return run(client, createHost({ name: 'server', link: right, address: '10.0.0.2/24' }))
    }
    checks.push({ title, run: onTwoHosts })
  }

  /** Both ends of a connection, with what is asked for on both. */
  async function connected(client: LiveHost, server: LiveHost, allowHalfOpen: boolean) {
    const listener = server.listen({ port: 7, allowHalfOpen })
    const near = client.connect({ hostname: '10.0.0.2', port: 7 }, { allowHalfOpen })
    const far = (await listener.accept())!
    await near.opened
    listener.close()
    return { near, far }
  }

  check('an echo of 1 MB, every octet as it was', async (client, server) => {
    const listener = server.listen({ port: 7 })
    const serving = (async () => {
      for await (const connection of listener) await connection.readable.pipeTo(connection.writable)
    })()
    const connection = client.connect('10.0.0.2:7', { allowHalfOpen: true })
    const { local, remote, localAddress, remoteAddress } = await connection.opened
    equal(remoteAddress, '10.0.0.2:7')
    equal(remote, { hostname: '10.0.0.2', port: 7 })
    equal(localAddress, `10.0.0.1:${local.port}`)
    const sent = pattern(1_000_000)
    const writer = connection.writable.getWriter()
    const written = writer.write(sent).then(() => writer.close())
    const received = await octetsOf(connection.readable)
    equal(received.length, sent.length)
    ok(
      received.every((octet, i) => octet === sent[i]),
      'other octets came back',
    )
    await written
    await connection.closed
    listener.close()
    await serving
  })

  check('half-close: the answer comes after the end of the question', async (client, server) => {
    const { near, far } = await connected(client, server, true)
    await write(near, 'how late is it?')
    await near.writable.close()
    equal(await textOf(far.readable), 'how late is it?')
    await write(far, 'half past nine')
    await far.writable.close()
    equal(await textOf(near.readable), 'half past nine')
    await Promise.all([near.closed, far.closed])
  })

  check('without allowHalfOpen the peer’s end is one’s own: the writable side is closed', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    await near.writable.close()
    equal(await textOf(far.readable), '')
    equal(await textOf(near.readable), '')
    await Promise.all([near.closed, far.closed])
    const error = await rejection(far.writable.getWriter().write(encoder.encode('more')))
    equal(error.code, 'EPIPE')
  })

  check('abort is RST: who reads gets ECONNRESET, and closed is rejected', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    const read = rejection(far.readable.getReader().read())
    await near.writable.abort()
    equal((await read).code, 'ECONNRESET')
    const error = await rejection(far.closed)
    ok(error instanceof SocketError && error instanceof TypeError, 'a SocketError, which is a TypeError')
    const { local } = await near.opened
    const place = `${local.hostname}:${local.port}`
    equal(error.message, `connection with ${place}: connection reset by peer (ECONNRESET)`)
    // whoever aborts knows that nothing more comes
    await near.closed
    equal((await rejection(near.readable.getReader().read())).code, 'ECONNABORTED')
  })

  check('a RST is known by closed when nobody reads or writes', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    await near.writable.abort()
    equal((await rejection(far.closed)).code, 'ECONNRESET')
  })

  check('what came before a RST can still be read', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    await write(near, 'last words')
    await waits(far.closed)
    await near.writable.abort()
    equal((await rejection(far.closed)).code, 'ECONNRESET')
    const reader = far.readable.getReader()
    equal(decoder.decode((await reader.read()).value), 'last words')
    equal((await rejection(reader.read())).code, 'ECONNRESET')
    equal((await rejection(far.writable.getWriter().write(encoder.encode('?')))).code, 'ECONNRESET')
  })

  check('an abort does not wait for a peer that reads nothing', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    const writer = near.writable.getWriter()
    const stalled = rejection(writer.write(new Uint8Array(50_000_000)))
    ok(await waits(stalled), '50 MB fit nowhere')
    await writer.abort()
    equal((await rejection(far.closed)).code, 'ECONNRESET')
    await stalled
  })

  check('a slow reader makes the writer wait, and gets everything', async (client, server) => {
    const { near, far } = await connected(client, server, true)
    const writer = near.writable.getWriter()
    const chunk = pattern(65_536)
    let taken = 0
    const total = 400
    const writing = (async () => {
      for (let i = 0; i < total; i++) {
        await writer.ready
        await writer.write(chunk)
        taken++
      }
      await writer.close()
    })()
    ok(await waits(writing), 'nobody reads, and everything was taken')
    const before = taken
    ok(await waits(writing), 'nobody reads, and everything was taken')
    equal(taken, before, 'chunks taken while nobody reads')
    ok(before > 0 && before < total / 2, `${before} chunks of ${total} in buffers`)
    const received = await octetsOf(far.readable)
    equal(received.length, total * chunk.length)
    await writing
    await far.writable.close()
    await Promise.all([near.closed, far.closed])
  })

  check('cancel: what comes is thrown away, and the other direction goes on', async (client, server) => {
    const { near, far } = await connected(client, server, true)
    await far.readable.cancel()
    const writer = near.writable.getWriter()
    await writer.write(new Uint8Array(20_000_000))
    await writer.close()
    await write(far, 'not that it matters')
    await far.writable.close()
    equal(await textOf(near.readable), 'not that it matters')
    await Promise.all([near.closed, far.closed])
  })

  check('a reader that waits may cancel, and what comes then harms nobody', async (client, server) => {
    const { near, far } = await connected(client, server, true)
    const reader = far.readable.getReader()
    const read = reader.read()
    ok(await waits(read), 'there is nothing to read')
    await reader.cancel()
    equal((await read).done, true)
    await write(near, 'too late')
    await waits(far.closed)
    await near.writable.close()
    await far.writable.close()
    await Promise.all([near.closed, far.closed])
  })

  check('close while somebody reads and writes: both are told', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    const read = near.readable.getReader().read()
    const byob = far.readable.getReader({ mode: 'byob' }).read(new Uint8Array(10))
    ok(await waits(read), 'there is nothing to read')
    await near.close()
    equal((await read).done, true)
    equal((await byob).done, true)
    await far.closed
  })

  check('listen is iterated, and leaving the loop closes it', async (client, server) => {
    const listener = server.listen({ port: 0 })
    const { port } = listener.address
    const opened = [1, 2, 3].map(() => client.connect({ hostname: '10.0.0.2', port }))
    let count = 0
    for await (const connection of listener) {
      await write(connection, `number ${++count}`)
      void connection.close()
      if (count === 3) break
    }
    const texts = await Promise.all(opened.map(({ readable }) => textOf(readable)))
    equal(texts.sort(), ['number 1', 'number 2', 'number 3'])
    equal((await rejection(client.connect({ hostname: '10.0.0.2', port }).opened)).code, 'ECONNREFUSED')
  })

  check('several accept at once, each gets a connection; close gives the rest null', async (client, server) => {
    const listener = server.listen({ port: 7 })
    const accepted = [listener.accept(), listener.accept(), listener.accept()]
    await Promise.all([client.connect('10.0.0.2:7').opened, client.connect('10.0.0.2:7').opened])
    const [first, second] = await Promise.all(accepted.slice(0, 2))
    ok(first !== null && second !== null && first !== second, 'two connections')
    listener.close()
    equal(await accepted[2], null)
    equal(await listener.accept(), null)
  })

  check('nobody listens: opened, closed, reading and writing are rejected', async (client) => {
    const connection = client.connect({ hostname: '10.0.0.2', port: 9 })
    const writing = rejection(connection.writable.getWriter().write(encoder.encode('?')))
    const error = await rejection(connection.opened)
    equal([error.name, error.code], ['SocketError', 'ECONNREFUSED'])
    equal(error.message, 'connect 10.0.0.2:9: connection refused (ECONNREFUSED)')
    equal(await rejection(connection.closed), error)
    equal((await rejection(connection.readable.getReader().read())).code, 'ECONNREFUSED')
    equal((await writing).code, 'ECONNREFUSED')
  })

  check('close sends what the writer was given, then FIN', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    const writer = near.writable.getWriter()
    for (const text of ['one ', 'two ', 'three']) void writer.write(encoder.encode(text))
    const closed = near.close()
    equal(await textOf(far.readable), 'one two three')
    await closed
    equal((await rejection(writer.write(encoder.encode('four')))).code, 'EPIPE')
  })

  check('close before it is open: opened is rejected', async (client) => {
    const connection = client.connect('10.0.0.3:7')
    await connection.close()
    equal((await rejection(connection.opened)).code, 'ECANCELED')
  })

  check('octets come into the buffer of whoever reads', async (client, server) => {
    const { near, far } = await connected(client, server, false)
    await write(near, '0123456789')
    const reader = far.readable.getReader({ mode: 'byob' })
    equal(decoder.decode((await reader.read(new Uint8Array(4))).value), '0123')
    await near.writable.close()
    equal(decoder.decode((await reader.read(new Uint8Array(100))).value), '456789')
    equal((await reader.read(new Uint8Array(1))).done, true)
    await Promise.all([near.closed, far.closed])
  })

  check('what is wrong is said in a sentence', async (client) => {
    const messageOf = (act: () => unknown) => {
      try {
        act()
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`
      }
      return 'nothing'
    }
    equal(
      messageOf(() => client.connect('10.0.0.2')),
      "TypeError: connect: '10.0.0.2' is not host:port, such as '10.0.0.2:80' or '[::1]:80'",
    )
    equal(
      messageOf(() => client.connect({ hostname: '10.0.0.2', port: 70_000 })),
      'TypeError: connect: port must be a whole number from 1 to 65535 (got 70000)',
    )
    client.listen({ port: 80 })
    equal(
      messageOf(() => client.listen({ port: 80 })),
      'SocketError: listen [::]:80: address already in use (EADDRINUSE)',
    )
    const writer = client.connect('127.0.0.1:80').writable.getWriter()
    const error = await rejection(writer.write('text' as unknown as Uint8Array))
    equal(error.message, 'write: a chunk must be octets, a Uint8Array (got string; text: TextEncoderStream)')
  })

  return checks
}
