import { appendFileSync, chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { at, ending, interop, KERNELS, listens, OURS, onEstab, run, selfSigned, start, told } from './real-network.js'

/** Where Debian keeps PostgreSQL's own programs. */
const POSTGRES = '/usr/lib/postgresql'

interop(
  'unmodified clients of databases over our TCP, and their servers on the kernel',
  () => {
    test('pg and PostgreSQL', async () => {
      const [version] = readdirSync(POSTGRES).sort((a, b) => Number(b) - Number(a))
      const program = (name: string) => `${POSTGRES}/${version}/bin/${name}`
      // PostgreSQL does not run as root
      const ids = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, 'postgres'])).stdout))
      const [uid, gid] = ids.map(Number) as [number, number]
      const theirs = (path: string, mode: number) => {
        chownSync(path, uid, gid)
        chmodSync(path, mode)
        return path
      }
      mkdirSync(at('postgres'))
      const data = theirs(at('postgres'), 0o700)
      writeFileSync(at('password'), 'open sesame')
      const passwords = ['-A', 'scram-sha-256', '--pwfile', theirs(at('password'), 0o600)]
      await run(program('initdb'), ['-D', data, '-N', '-E', 'UTF8', '--locale', 'C', ...passwords], { uid, gid })
      appendFileSync(at('postgres/pg_hba.conf'), `host all all ${OURS}/32 scram-sha-256\n`)
      const { key, certificate } = await selfSigned(KERNELS)
      copyFileSync(key, at('postgres/server.key'))
      theirs(at('postgres/server.key'), 0o600)
      const settings = {
        listen_addresses: '*',
        port: 5432,
        unix_socket_directories: data,
        ssl: 'on',
        ssl_cert_file: certificate,
        fsync: 'off',
        log_min_messages: 'PANIC',
      }
      const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const server = start(program('postgres'), ['-D', data, ...words], { uid, gid })
      await listens(5432)
      expect(await told(onEstab('postgres.mjs', KERNELS, '5432', 'open sesame', certificate))).toEqual([
        {
          row: { sum: 42, address: OURS, json: { a: [1, 2] } },
          error: '22012',
          rows: 300_000,
          allRight: true,
          kept: true,
          copied: true,
          sum: 4_498_500,
          connections: 8,
          news: 'good',
          tls: 'TLSv1.3',
          secureRows: 10_000,
          terminated: '57P01',
          wrongPassword: '28P01',
        },
      ])
      const end = ending(server)
      server.kill('SIGINT')
      expect((await end).code).toBe(0)
    })

    test('redis and redis-server', async () => {
      const { key, certificate } = await selfSigned(KERNELS)
      const tls = ['--tls-port', '6380', '--tls-key-file', key, '--tls-cert-file', certificate]
      const open = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--tls-auth-clients', 'no']
      start('redis-server', ['--port', '6379', ...tls, ...open, '--save', '', '--dir', at('')])
      await listens(6380)
      expect(await told(onEstab('redis.mjs', KERNELS, '6379', '6380', certificate))).toEqual([
        {
          ping: 'PONG',
          value: 'värde',
          address: OURS,
          inOrder: true,
          transaction: ['OK', 2, '2'],
          values: true,
          heard: '1000, the last of them item 999',
          connectedAgain: true,
          overTls: true,
          refused: 'ECONNREFUSED',
        },
      ])
    })
  },
  ['psql', '-V', 'postgresql'],
  ['redis-server', '-v', 'redis-server'],
)
