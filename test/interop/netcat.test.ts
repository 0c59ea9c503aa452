import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import {
  at,
  bodyOf,
  ending,
  estab,
  estabTo,
  faultsIn,
  interop,
  KERNELS,
  listens,
  OURS,
  packets,
  pattern,
  run,
  said,
  sha256,
  start,
  until,
} from './real-network.js'

interop('estab nc', () => {
  // `--faults` has a seed wherever it is: RTO doubles with each retransmission that is lost as well, so that by luck alone
  // one run in a thousand takes minutes, on any TCP. With these seeds the handshake arrives, and a segment that travels
  // alone and its ACK fail a few times in a row at most, whenever that is: 3 at 10 % lost. Then no wait is longer than 8 RTO.

  /** A server of the kernel's, in this process. */
  async function serving(
    onConnection: (socket: Socket) => void,
    allowHalfOpen = true,
  ): Promise<{ server: Server; port: string }> {
    const server = createServer({ allowHalfOpen }, onConnection)
    await new Promise<void>((resolve) => server.listen(0, resolve))
    const address = server.address()
    return { server, port: String(typeof address === 'object' ? address?.port : 0) }
  }

  async function fetch(port: string, path: string, ...options: string[]): Promise<Buffer> {
    const nc = estab('nc', ...options, KERNELS, port)
    nc.stdin.end(`GET ${path} HTTP/1.0\r\nHost: ${KERNELS}\r\n\r\n`)
    const { code, out, complaint } = await ending(nc)
    expect(complaint).toBe('')
    expect(code).toBe(0)
    return bodyOf(out)
  }

  test('fetches 1 GB from nginx with the right hash', { timeout: 240_000 }, async () => {
    const expected = writeLargeFile(at('large'), 1e9)
    writeFileSync(
      at('nginx.conf'),
      `daemon off; master_process off; user root; pid ${at('nginx.pid')}; error_log stderr; events {}
       http { access_log off; sendfile on; server { listen 8080; root ${at('')}; } }`,
    )
    start('nginx', ['-p', at(''), '-c', at('nginx.conf')])
    await listens(8080)
    let head = Buffer.alloc(0)
    const sha = createHash('sha256')
    let octets = 0
    const take = (chunk: Buffer) => {
      let body = chunk
      if (octets === 0) {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        body = head.subarray(end + 4)
      }
      octets += body.length
      sha.update(body)
    }
    const nc = estabTo(take, 'nc', KERNELS, '8080')
    nc.stdin.end(`GET /large HTTP/1.0\r\nHost: ${KERNELS}\r\n\r\n`)
    expect(await ending(nc)).toMatchObject({ code: 0, complaint: '' })
    expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect({ octets, sha: sha.digest('hex') }).toEqual({ octets: 1e9, sha: expected })
    rmSync(at('large'))
  })

  test.each([
    ['over TAP', ['--tap'], 10e6],
    ['at MTU 9000', ['--mtu', '9000'], 10e6],
    ['without offloads', ['--no-offloads'], 10e6],
    ['as RFC 9293 asks', ['--profile', 'rfc9293'], 5e6],
    ['as FreeBSD does', ['--profile', 'freebsd'], 5e6],
    ['with 1 % of all packets lost', ['--no-offloads', '--faults', 'loss=1,seed=8'], 5e6],
    ['with 10 % lost', ['--no-offloads', '--faults', 'loss=10,seed=470'], 3e5],
    ['with 10 % doubled', ['--no-offloads', '--faults', 'duplication=10,seed=1'], 5e6],
    ['with 5 % doubled and 5 % reordered', ['--no-offloads', '--faults', 'duplication=5,reordering=5,seed=27'], 5e6],
    ['with 10 % reordered and 2 % garbled', ['--no-offloads', '--faults', 'reordering=10,corruption=2,seed=75'], 2e6],
    [
      'with everything at once',
      ['--no-offloads', '--faults', 'loss=2,duplication=2,reordering=2,corruption=1,seed=7'],
      1e6,
    ],
  ])("fetches a file from Python's http.server %s with the right hash", async (_how, options, octets) => {
    const content = pattern(octets)
    writeFileSync(at('file'), content)
    start('python3', ['-m', 'http.server', '-d', at(''), '8000'])
    await listens(8000)
    expect(sha256(await fetch('8000', '/file', ...options))).toBe(sha256(content))
  })

  test.each([
    ['as it is', [], 5e6],
    ['at MTU 9000', ['--mtu', '9000'], 5e6],
    ['without offloads', ['--no-offloads'], 5e6],
    [
      'with 5 % of all packets lost, doubled or reordered',
      ['--no-offloads', '--faults', 'loss=1,duplication=2,reordering=2,seed=1'],
      5e6,
    ],
    ['with 10 % lost', ['--no-offloads', '--faults', 'loss=10,seed=470'], 3e5],
    [
      'with 10 % doubled and 10 % reordered',
      ['--no-offloads', '--faults', 'duplication=10,reordering=10,seed=47'],
      2e6,
    ],
  ] as const)('sends to the kernel %s; tshark finds no fault in it', async (_how, options, octets) => {
    const content = pattern(octets)
    const parts: Uint8Array[] = []
    const { server, port } = await serving((socket) => {
      socket.on('data', (chunk) => parts.push(chunk))
      socket.on('end', () => socket.end())
    })
    const capture = at('sent.pcapng')
    const nc = estab('nc', '-N', '--pcap', capture, ...options, KERNELS, port)
    nc.stdin.end(content)
    expect((await ending(nc)).code).toBe(0)
    expect(sha256(...parts)).toBe(sha256(content))
    server.close()
    expect(await faultsIn(capture)).toEqual([])
  })

  test.each([
    ['no timestamps', { tcp_timestamps: '0' }],
    ['no SACK', { tcp_sack: '0' }],
    ['no window scaling', { tcp_window_scaling: '0' }],
    ['none of them', { tcp_timestamps: '0', tcp_sack: '0', tcp_window_scaling: '0' }],
    ['ECN', { tcp_ecn: '1' }],
    ['buffers of 16 KB', { tcp_rmem: '4096 8192 16384', tcp_wmem: '4096 8192 16384' }],
  ])('2 MB there and back through a kernel with %s, some packets lost', async (_what, settings) => {
    const before = Object.entries(settings).map(([name, value]) => {
      const path = `/proc/sys/net/ipv4/${name}`
      const was = readFileSync(path, 'latin1')
      writeFileSync(path, value)
      return { path, was }
    })
    onTestFinished(() => {
      for (const { path, was } of before) writeFileSync(path, was)
    })
    const { server, port } = await serving((socket) => socket.pipe(socket))
    const content = pattern(2e6)
    const nc = estab('nc', '-N', '--no-offloads', '--faults', 'loss=0.1', KERNELS, port)
    nc.stdin.end(content)
    const { code, out, complaint } = await ending(nc)
    expect({ code, complaint, sha: sha256(out) }).toEqual({ code: 0, complaint: '', sha: sha256(content) })
    server.close()
  })

  test('-N half-closes at the end of standard input: the answer still arrives', async () => {
    const { server, port } = await serving((socket) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('end', () => setTimeout(() => socket.end(text.toUpperCase()), 100))
    })
    const nc = estab('nc', '-N', KERNELS, port)
    nc.stdin.end('hello')
    expect(await ending(nc)).toMatchObject({ code: 0, out: Buffer.from('HELLO') })
    server.close()
  })

  test('-l takes a connection of nc -N, and the other way round', async () => {
    const listener = estab('nc', '-l', '-N', '-v', '4000')
    await said(listener, /listening/)
    listener.stdin.end('from estab')
    const netcat = start('nc', ['-N', OURS, '4000'])
    netcat.stdin.end('from the kernel')
    const [ours, theirs] = await Promise.all([ending(listener), ending(netcat)])
    expect(ours).toMatchObject({ code: 0, out: Buffer.from('from the kernel') })
    expect(theirs).toMatchObject({ code: 0, out: Buffer.from('from estab') })

    const kernels = start('nc', ['-l', '-N', '4001'])
    kernels.stdin.end('from the kernel')
    await listens(4001)
    const nc = estab('nc', '-N', KERNELS, '4001')
    nc.stdin.end('from estab')
    const both = await Promise.all([ending(nc), ending(kernels)])
    expect(both[0]).toMatchObject({ code: 0, out: Buffer.from('from the kernel') })
    expect(both[1]).toMatchObject({ code: 0, out: Buffer.from('from estab') })
  })

  test.each([
    ['with offloads', []],
    ['without offloads', ['--no-offloads']],
  ])('IPv6 %s: 2 MB there and back; tshark finds no fault in it', async (_how, options) => {
    const { server, port } = await serving((socket) => socket.pipe(socket))
    const capture = at('ipv6.pcapng')
    const ends = ['--address', 'fd00:77::2/64', '--peer', 'fd00:77::1', '--pcap', capture]
    const nc = estab('nc', '-N', ...ends, ...options, 'fd00:77::1', port)
    const content = pattern(2e6)
    nc.stdin.end(content)
    const { code, out, complaint } = await ending(nc)
    expect({ code, complaint, sha: sha256(out) }).toEqual({ code: 0, complaint: '', sha: sha256(content) })
    server.close()
    expect(await faultsIn(capture, 'fd00:77::2')).toEqual([])
  })

  test('a refused connection ends with 1 and says so', async () => {
    expect(await ending(estab('nc', KERNELS, '81'))).toEqual({
      code: 1,
      out: Buffer.alloc(0),
      complaint: 'error: Connecting to 10.77.0.1:81 failed: Connection refused (ECONNREFUSED).\n',
    })
  })

  test('RST from the kernel ends with 1, behind what came before it', async () => {
    const { server, port } = await serving((socket) => {
      socket.write('before')
      socket.once('data', () => socket.resetAndDestroy())
    })
    const nc = estab('nc', KERNELS, port)
    nc.stdin.write('reset, please')
    expect(await ending(nc)).toEqual({
      code: 1,
      out: Buffer.from('before'),
      complaint: `error: The connection to ${KERNELS}:${port} failed: Connection reset by peer (ECONNRESET).\n`,
    })
    server.close()
  })

  test.each([
    ['with nothing to be read: FIN', '', 0],
    ['with something it has not read: RST', 'unread', 1],
  ])('the kernel side is killed %s', async (_how, text, expected) => {
    const port = expected === 0 ? '4002' : '4003'
    const server = start('python3', [
      '-c',
      `import socket, time
s = socket.create_server(('', ${port}))
print('listening', flush=True)
c = s.accept()[0]
print('accepted', flush=True)
time.sleep(60)`,
    ])
    await said(server, /listening/)
    const capture = at('killed.pcapng')
    const nc = estab('nc', '--pcap', capture, KERNELS, port)
    const accepted = said(server, /accepted/)
    if (text === '') nc.stdin.end()
    else nc.stdin.write(text)
    await accepted
    const unread = async () => (await run('ss', ['-tnH', `sport = :${port}`])).stdout.includes(` ${text.length} `)
    await until(unread, 'the text waits to be read')
    const end = ending(nc)
    server.kill('SIGKILL')
    expect((await end).code).toBe(expected)
    const flag = expected === 0 ? 'fin' : 'reset'
    expect((await packets(capture, `ip.src == ${KERNELS} && tcp.flags.${flag} == 1`, 'frame.number')).length).toBe(1)
  })

  test('Ctrl-C sends FIN; a second one RST', async () => {
    const events: string[] = []
    const { server, port } = await serving((socket) => {
      events.push('connected')
      socket.resume()
      socket.on('end', () => events.push('end'))
      socket.on('error', () => {})
    })
    const capture = at('interrupted.pcapng')
    const nc = estab('nc', '--pcap', capture, KERNELS, port)
    await until(() => events.length === 1, 'it is connected')
    const end = ending(nc)
    nc.kill('SIGINT')
    await until(() => events.length === 2, 'FIN arrived')
    nc.kill('SIGINT')
    expect((await end).code).toBe(130)
    expect(await packets(capture, `ip.src == ${OURS} && tcp.flags.reset == 1`, 'frame.number')).toHaveLength(1)
    server.close()
  })
})

/** Writes octets that are not twice the same (AES in counter mode); gives their hash. */
function writeLargeFile(path: string, octets: number): string {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16))
  const sha = createHash('sha256')
  const file = openSync(path, 'w')
  const zeros = Buffer.alloc(10e6)
  for (let left = octets; left > 0; left -= zeros.length) {
    const block = stream.update(zeros.subarray(0, Math.min(left, zeros.length)))
    sha.update(block)
    writeSync(file, block)
  }
  closeSync(file)
  return sha.digest('hex')
}
