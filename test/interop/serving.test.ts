import { statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import {
  at,
  bodyOf,
  ending,
  estab,
  estabUp,
  faultsIn,
  interop,
  OURS,
  packets,
  pattern,
  run,
  runForOctets,
  said,
  sha256,
  start,
  until,
  waiting,
} from './real-network.js'

/** Octets moved each way in the tests of bulk. */
const BULK = 100e6

interop('estab up and programs of the kernel', () => {
  const fetch = (url: string, ...more: string[]) => runForOctets('curl', ['-sS', ...more, url], { maxBuffer: 1e9 })

  test.each([
    ['over TUN', []],
    ['over TAP', ['--tap']],
    ['at MTU 9000', ['--mtu', '9000']],
    ['without offloads', ['--no-offloads']],
    ['as FreeBSD', ['--profile', 'freebsd']],
  ])('curl fetches files of a directory %s, and tshark finds no fault in what we sent', async (_how, options) => {
    await mkdir(at('www'), { recursive: true })
    const content = pattern(3e6)
    writeFileSync(at('www/large'), content)
    writeFileSync(at('www/<small> & 小.txt'), 'small')
    const capture = at('serving.pcapng')
    const up = await estabUp('--serve', 'http', '--root', at('www'), '--pcap', capture, ...options)
    expect(sha256((await fetch(`http://${OURS}/large`)).stdout)).toBe(sha256(content))
    const listing = (await fetch(`http://${OURS}/`)).stdout.toString()
    expect(listing).toContain('<a href="./%3Csmall%3E%20%26%20%E5%B0%8F.txt">&#60;small&#62; &#38; 小.txt</a>')
    expect((await fetch(`http://${OURS}/%3Csmall%3E%20%26%20%E5%B0%8F.txt`)).stdout.toString()).toBe('small')
    up.kill('SIGINT')
    expect((await ending(up)).code).toBe(0)
    expect(await faultsIn(capture)).toEqual([])
  })

  test('curl fetches 100 MB', async () => {
    await mkdir(at('www'), { recursive: true })
    const content = pattern(BULK)
    writeFileSync(at('www/larger'), content)
    await estabUp('--serve', 'http', '--root', at('www'))
    expect(sha256((await fetch(`http://${OURS}/larger`)).stdout)).toBe(sha256(content))
  })

  test('the kernel side of the wire sees no fault either', async () => {
    const up = await estabUp('--serve', 'http', '--no-offloads')
    const capture = at('kernel.pcapng')
    const tshark = start('tshark', ['-i', 'estab0', '-w', capture, '-q', '-F', 'pcapng'])
    await said(tshark, /Capturing on/)
    // it says so a little before it does so
    const isCapturing = async () => {
      await fetch(`http://${OURS}/`)
      return (statSync(capture, { throwIfNoEntry: false })?.size ?? 0) > 10_000
    }
    await until(isCapturing, 'tshark captures')
    // before the interface goes away, which would end it too
    tshark.kill('SIGINT')
    await ending(tshark)
    up.kill('SIGINT')
    await ending(up)
    expect(await faultsIn(capture)).toEqual([])
  })

  test('http answers HEAD, what is not there, what it does not do, and what leads out of its directory', async () => {
    await mkdir(at('site'), { recursive: true })
    writeFileSync(at('site/index.html'), '<h1>Site</h1>')
    writeFileSync(at('secret'), 'secret')
    await estabUp('--serve', 'http', '--root', at('site'))
    const status = async (path: string, ...more: string[]) => {
      const words = ['-o', '/dev/null', '-w', '%{http_code}', '--path-as-is', ...more]
      return (await fetch(`http://${OURS}${path}`, ...words)).stdout.toString()
    }
    expect((await fetch(`http://${OURS}/`)).stdout.toString()).toBe('<h1>Site</h1>')
    expect((await fetch(`http://${OURS}/`, '--head')).stdout.toString()).toContain('Content-Length: 13\r\n')
    expect(await status('/none')).toBe('404')
    expect(await status('/../secret')).toBe('404')
    expect(await status('/%2e%2e/secret')).toBe('404')
    expect(await status('/%zz')).toBe('400')
    expect(await status('/', '-X', 'DELETE')).toBe('405')
    expect(await status('/', '-H', `X: ${'x'.repeat(20_000)}`)).toBe('431')
    // two requests in one segment, two answers on one connection
    const { out } = await exchange(
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    expect(out.toString().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(bodyOf(Buffer.from(out)).toString()).toMatch(/<h1>Site<\/h1>$/)
  })

  test('wrk loads http for 10 s without an error', async () => {
    await estabUp('--serve', 'http')
    const { stdout } = await run('wrk', ['-t', '1', '-c', '64', '-d', '10s', '--timeout', '60s', `http://${OURS}/`])
    expect(stdout).toMatch(/requests in/)
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/)
    // each of the 64 connections was used again: no more, since nobody knows what else this machine has to do
    expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(128)
  })

  test('bulk: 100 MB to discard, 100 MB from chargen, and 20 MB through echo', async () => {
    await estabUp('--serve', 'echo,discard,chargen')
    const megabyte = pattern(1e6)
    const sink = connect(9, OURS)
    for (let sent = 0; sent < BULK; sent += 1e6) {
      if (!sink.write(megabyte)) await event(sink, 'drain')
    }
    sink.end()
    sink.resume()
    await event(sink, 'close')
    expect(sink.bytesWritten).toBe(BULK)

    const generated = await read(connect(19, OURS), BULK)
    const lines = generated.toString('latin1', 0, 1000)
    expect(lines.split('\r\n').slice(0, 2)).toEqual([
      Array.from({ length: 72 }, (_, i) => String.fromCharCode(32 + i)).join(''),
      Array.from({ length: 72 }, (_, i) => String.fromCharCode(33 + i)).join(''),
    ])

    const echoed = connect(7, OURS)
    const content = pattern(20e6)
    echoed.end(content)
    expect(sha256(await read(echoed))).toBe(sha256(content))
  })

  test('a peer that does not read stops echo by its window, and gets everything once it reads', async () => {
    await estabUp('--serve', 'echo')
    const socket = connect(7, OURS)
    await event(socket, 'connect')
    const content = pattern(1e6)
    let stalled = 0
    for (let i = 0; i < 60; i++) {
      if (socket.write(content)) continue
      const moved = await Promise.race([event(socket, 'drain').then(() => true), pause(300).then(() => false)])
      if (moved) continue
      stalled = i + 1
      break
    }
    expect(stalled).toBeGreaterThan(0)
    socket.end()
    expect((await read(socket)).length).toBe(stalled * 1e6)
  })

  test('Ctrl-C closes: FIN on every connection, what is written arrives, exit code 0', async () => {
    const capture = at('closing.pcapng')
    const up = await estabUp('--serve', 'echo', '--pcap', capture)
    const sockets = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = connect(7, OURS)
        socket.write('hello')
        expect(`${(await event(socket, 'data'))[0]}`).toBe('hello')
        return socket
      }),
    )
    const ends = sockets.map((socket) => event(socket, 'end'))
    up.kill('SIGINT')
    await Promise.all(ends)
    expect((await ending(up)).code).toBe(0)
    expect(await packets(capture, 'tcp.flags.reset == 1', 'frame.number')).toEqual([])
    expect(await packets(capture, `ip.src == ${OURS} && tcp.flags.fin == 1`, 'frame.number')).toHaveLength(3)
  })

  test('a second Ctrl-C aborts: RST, exit code 1', async () => {
    const up = await estabUp('--serve', 'echo')
    const socket = connect({ port: 7, host: OURS, allowHalfOpen: true })
    await event(socket, 'connect')
    // it hears the FIN, and does not close its side
    socket.resume()
    const end = event(socket, 'end')
    const error = event(socket, 'error')
    up.kill('SIGINT')
    await end
    socket.on('data', () => {})
    up.kill('SIGINT')
    const { code } = await ending(up)
    socket.write('is anybody there?')
    expect(code).toBe(1)
    expect(((await error)[0] as NodeJS.ErrnoException).code).toMatch(/ECONNRESET|EPIPE/)
  })

  test('what cannot be done is one sentence', async () => {
    const up = await estabUp()
    const again = await ending(estab('up'))
    expect(again.code).toBe(1)
    expect(again.complaint).toBe(
      'error: The address 10.77.0.1 is in use by estab0, of an estab that is running: choose others, such as 10.78.0.2/24 and 10.78.0.1.\n',
    )
    const sameName = await ending(estab('up', '--address', '10.78.0.2/24', '--peer', '10.78.0.1', '--name', 'estab0'))
    expect(sameName.code).toBe(1)
    expect(sameName.complaint).toMatch(/^error: The network device 'estab0' is in use by another program/)
    const elsewhere = ['--address', '10.78.0.2/24', '--peer', '10.78.0.1']
    expect((await ending(estab('nc', ...elsewhere, 'localhost', '80'))).complaint).toBe(
      'error: localhost would be our own host, where nobody listens: the kernel is 10.78.0.1.\n',
    )
    const gone = ending(up)
    await run('ip', ['link', 'delete', 'estab0'])
    expect(await gone).toMatchObject({ code: 1, complaint: "error: The network device 'estab0' went away.\n" })
    expect(await ending(estab('ss'))).toMatchObject({ code: 1 })
  })

  async function exchange(request: string): Promise<{ out: Buffer }> {
    const socket = connect(80, OURS)
    socket.write(request)
    return { out: await read(socket) }
  }
})

function event(socket: Socket, name: string): Promise<unknown[]> {
  const happens = new Promise<unknown[]>((resolve) => socket.once(name, (...what) => resolve(what)))
  return waiting(() => `the event '${name}' of a socket`, happens)
}

/** Reads a socket to its end, or until so many octets have come; gives them. */
function read(socket: Socket, enough = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const reading = async () => {
    const parts: Buffer[] = []
    let octets = 0
    for await (const chunk of socket) {
      parts.push(chunk)
      octets += chunk.length
      if (octets >= enough) break
    }
    return Buffer.concat(parts)
  }
  return waiting(() => `the end of what comes from a socket: ${socket.bytesRead} octets so far`, reading())
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
