import { type ChildProcessWithoutNullStreams, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { enterNamespace, whyNoDevices } from '../fixtures/network-namespace.js'
import { ending, endPrograms, run, said, start, until } from './started-program.js'

export { ending, run, runForOctets, said, start, until, waiting } from './started-program.js'

/** The two ends when nothing else is asked for. */
export const OURS = '10.77.0.2'
export const KERNELS = '10.77.0.1'

/** How long a test may take, ms: that none of them hangs. A machine with much else to do comes nowhere near it. */
const PATIENCE = 120_000

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = join(root, 'dist/cli/main.js')
const overTun = join(root, 'examples/over-tun.mjs')

/** Programs of the kernel's side, how they are asked for their version, and the Debian packages that bring them. */
const PROGRAMS: readonly KernelProgram[] = [
  ['ss', '-V', 'iproute2'],
  ['nc', '-h', 'netcat-openbsd'],
  ['nginx', '-v', 'nginx-light'],
  ['wrk', '-v', 'wrk'],
  ['python3', '-V', 'python3'],
  ['tshark', '-v', 'tshark'],
  ['openssl', 'version', 'openssl'],
]

type KernelProgram = readonly [program: string, flag: string, debianPackage: string]

function whyNot(programs: readonly KernelProgram[]): string | null {
  const missing = programs.find(([program, flag]) => spawnSync(program, [flag]).error !== undefined)
  return missing === undefined ? null : `no ${missing[0]} (Debian: ${missing[2]})`
}

const generalReason = (await whyNoDevices()) ?? whyNot(PROGRAMS)
let directory = ''

/** A directory of this test file's own; other users may read it. */
export const at = (name: string): string => join(directory, name)

/**
 * Tests with the kernel's own TCP at the other end, in a network namespace of their own. They are skipped where that
 * cannot be had, and fail for it in CI.
 * @param more programs that only these tests need
 */
export function interop(title: string, body: () => void, ...more: KernelProgram[]): void {
  const reason = generalReason ?? whyNot(more)
  if (reason !== null && process.env.CI !== undefined) {
    test(`${title} is tested in CI`, () => expect.fail(`it cannot be: ${reason}`))
  }
  const told = reason === null ? title : `${title} (skipped: ${reason})`
  describe.skipIf(reason !== null)(told, { timeout: PATIENCE }, () => {
    beforeAll(async () => {
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/set-up.mjs')], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`not built: ${stderr}`)
      directory = mkdtempSync(join(tmpdir(), 'estab-interop-'))
      chmodSync(directory, 0o755)
      // `estab ss` finds the hosts of this file only
      process.env.XDG_RUNTIME_DIR = directory
      await enterNamespace()
    }, PATIENCE)
    afterEach(async ({ task }) => {
      const unmet = await endPrograms()
      if (task.result?.state === 'fail' && unmet.length > 0)
        expect.fail(`the test still waits for: ${unmet.join('; ')}`)
    })
    afterAll(() => rmSync(directory, { recursive: true, force: true }))
    body()
  })
}

/** `estab`, as it is built. */
export const estab = (...words: string[]): ChildProcessWithoutNullStreams => start(process.execPath, [main, ...words])

/** The same, for output that is too long to keep: a reader takes it as it comes. */
export const estabTo = (reader: (chunk: Buffer) => void, ...words: string[]): ChildProcessWithoutNullStreams =>
  start(process.execPath, [main, ...words], { reader })

/** An unmodified program of test/programs, with `node:net` on a host of ours at 10.77.0.2. */
export const onEstab = (program: string, ...words: string[]): ChildProcessWithoutNullStreams =>
  start(process.execPath, ['--import', overTun, join(root, 'test/programs', program), ...words])

/** The same program with the kernel's `node:net`. */
export const onKernel = (program: string, ...words: string[]): ChildProcessWithoutNullStreams =>
  start(process.execPath, [join(root, 'test/programs', program), ...words])

/** JSON that a program prints by its end, a value a line. */
export async function told(child: ChildProcessWithoutNullStreams): Promise<unknown[]> {
  const { code, out, complaint } = await ending(child)
  if (code !== 0) throw new Error(`ended with ${code}: ${complaint}${out}`)
  const lines = out.toString().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

/** A key and a certificate that signs itself, for an address; gives the names of their files. */
export async function selfSigned(address: string): Promise<{ key: string; certificate: string }> {
  const [key, certificate] = [at(`${address}.key`), at(`${address}.crt`)]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const name = ['-subj', `/CN=${address}`, '-addext', `subjectAltName=IP:${address}`]
  await run('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate])
  return { key, certificate }
}

/** Waits for a server of the kernel's. */
export const listens = (port: number): Promise<void> =>
  until(async () => (await run('ss', ['-tlnH', `sport = :${port}`])).stdout !== '', `somebody listens on ${port}`)

/** `estab up`, once it says that it is up. */
export async function estabUp(...words: string[]): Promise<ChildProcessWithoutNullStreams> {
  const child = estab('up', ...words)
  await said(child, / is up: /)
  return child
}

/** What `estab ss` prints. */
export async function estabSs(): Promise<string> {
  return (await run(process.execPath, [main, 'ss'])).stdout
}

/** Octets that are the same each time, and no part of which is like another (xorshift). */
export function pattern(length: number): Uint8Array {
  const words = new Uint32Array((length + 3) >>> 2)
  let x = 0x2545f491
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, length)
}

export const sha256 = (...parts: Uint8Array[]): string => {
  const sha = createHash('sha256')
  for (const part of parts) sha.update(part)
  return sha.digest('hex')
}

/** What follows the head of an HTTP message. */
export const bodyOf = (message: Buffer): Buffer => message.subarray(message.indexOf('\r\n\r\n') + 4)

/** Rows of tshark's fields for the packets of a capture that a filter shows. */
export async function packets(capture: string, filter: string, ...fields: string[]): Promise<string[]> {
  const verify = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE']
  // text is text: at some ports, or with some octets in it, tshark would read it as a protocol, and find that wrong
  const plain = ['-d', 'tcp.port==1-65535,data']
  const shown = fields.flatMap((field) => ['-e', field])
  const { stdout } = await run('tshark', ['-r', capture, ...verify, ...plain, '-Y', filter, '-T', 'fields', ...shown], {
    maxBuffer: 1e8,
  })
  return stdout.split('\n').filter((row) => row !== '')
}

/** tshark's number for an error among its expert opinions. */
const EXPERT_ERROR = 0x800000

/** What is wrong with what we sent, in the eyes of tshark; that there is nothing of ours is wrong too. */
export async function faultsIn(capture: string, us = OURS): Promise<string[]> {
  const isIPv6 = us.includes(':')
  // IPv6 has no checksum of its own
  const ofIp = isIPv6 ? 'ipv6.version' : 'ip.checksum.status'
  const opinions = [ofIp, 'tcp.checksum.status', '_ws.malformed', '_ws.expert.severity']
  const rows = await packets(capture, `${isIPv6 ? 'ipv6' : 'ip'}.src == ${us}`, 'frame.number', ...opinions)
  if (rows.length === 0) return ['nothing of ours was captured']
  return rows.filter((row) => {
    const [, ip, tcp, malformed, severities] = row.split('\t')
    const isError = severities!.split(',').some((severity) => Number(severity) >= EXPERT_ERROR)
    return ip !== (isIPv6 ? '6' : '1') || tcp !== '1' || malformed !== '' || isError
  })
}
