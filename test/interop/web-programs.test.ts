import { writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { expect, test } from 'vitest'
import {
  at,
  ending,
  interop,
  KERNELS,
  listens,
  OURS,
  onEstab,
  onKernel,
  pattern,
  run,
  runForOctets,
  said,
  selfSigned,
  sha256,
  start,
  told,
} from './real-network.js'

interop('unmodified programs of the web over our TCP, and programs of the kernel', () => {
  test('node:http, node:https, fetch and undici fetch from nginx', async () => {
    const content = pattern(10e6)
    writeFileSync(at('file'), content)
    await chmod(at('file'), 0o644)
    const { key, certificate } = await selfSigned(KERNELS)
    const tls = `listen 8443 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};`
    writeFileSync(
      at('nginx.conf'),
      `daemon off; master_process off; user root; pid ${at('nginx.pid')}; error_log stderr; events {}
       http { access_log off; sendfile on; add_header x-client $remote_addr;
              server { listen 8080; ${tls} root ${at('')}; } }`,
    )
    start('nginx', ['-p', at(''), '-c', at('nginx.conf')])
    await listens(8443)
    const fetched = { status: 200, sha: sha256(content), client: OURS }
    expect(await told(onEstab('fetching.mjs', KERNELS, certificate))).toEqual([
      ...['http', 'https', 'fetch', 'undici http:', 'undici https:'].map((way) => ({ way, ...fetched })),
      { way: 'refused', status: 'ECONNREFUSED' },
      { way: 'certificate of nobody', status: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    ])
  })

  test('curl fetches from our https server and uploads to it, wrk loads it', async () => {
    const content = pattern(10e6)
    writeFileSync(at('file'), content)
    const { key, certificate } = await selfSigned(OURS)
    const server = onEstab('https-server.mjs', key, certificate, at('file'))
    await said(server, /listening/)
    const curl = (...words: string[]) =>
      runForOctets('curl', ['-sS', '--cacert', certificate, ...words, `https://${OURS}/`], { maxBuffer: 1e8 })
    expect(sha256((await curl()).stdout)).toBe(sha256(content))
    expect((await curl('--data-binary', `@${at('file')}`)).stdout.toString()).toBe(sha256(content))
    expect((await curl('-I', '-X', 'GET')).stdout.toString()).toContain(`x-client: ::ffff:${KERNELS}`)
    const { stdout } = await run('wrk', ['-t', '1', '-c', '16', '-d', '3s', '--timeout', '60s', `https://${OURS}/none`])
    expect(stdout).toMatch(/requests in/)
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/)
    const end = ending(server)
    server.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 0, complaint: '' })
  })

  const tried = {
    inOrder: true,
    largeCame: true,
    pieces: 'in pieces',
    pong: 'still there?',
    closed: '4001 as you wish',
    broken: 1006,
  }

  test.each([
    ['a ws server on our TCP, a client of the kernel', OURS, KERNELS, onEstab, onKernel],
    ['a ws client on our TCP, a server of the kernel', KERNELS, OURS, onKernel, onEstab],
  ])('%s', async (_how, host, client, onTheServer, onTheClient) => {
    // the kernel has its address once our host is up
    const server = onTheServer('echo-websockets.mjs', '0.0.0.0')
    await said(server, /listening/)
    expect(await told(onTheClient('websockets.mjs', `ws://${host}:8080`))).toEqual([
      { hello: `hello, ${client}`, ...tried },
    ])
    const end = ending(server)
    server.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 0, complaint: '' })
  })
})
