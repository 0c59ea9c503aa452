import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { run } from './commands.js'
import { screenful } from './ss.js'

let printed = ''
let complained = ''

beforeEach(() => {
  printed = ''
  complained = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

describe('wrong use of up and nc ends with 2 and a sentence that says why', () => {
  test.each([
    [['up', '--serve', 'echo,gopher'], "'gopher' is none of echo, discard, chargen, http"],
    [['up', '--mtu', '7'], 'Octets, 68 to 65535'],
    [['up', '--profile', 'minix'], 'Allowed choices are'],
    [['up', '--faults', 'loss=a lot'], 'a percentage'],
    [['up', '--faults', 'luck=5'], 'loss, duplication, reordering, corruption'],
    [['up', '--faults', 'loss=5,seed=lucky'], 'a whole number after seed='],
    [['up', '--root', '/tmp'], '--root is for --serve http'],
    [['up', '--serve', 'http', '--root', '/no/such/place'], 'is not a directory'],
    [['up', '--address', '10.77.0.300/24'], "'10.77.0.300/24' is not an address with a prefix length"],
    [['up', '--address', '10.1.0.2/24', '--peer', 'gate'], "'gate' is not an IP address"],
    [['up', '--address', '10.1.0.2/24'], 'No peer in the network of 10.1.0.2/24'],
    [['up', '--address', '10.1.0.2/24', '--peer', '10.2.0.1'], 'No peer in the network of 10.1.0.2/24'],
    [['up', '--address', '10.1.0.2/24', '--peer', '10.1.0.2'], 'are both 10.1.0.2'],
    [
      ['up', '--address', '10.1.0.2/24', '--peer', '10.1.0.1', '--peer', '10.9.0.1'],
      '10.9.0.1 is in the network of no',
    ],
    [['up', '--peer', '10.1.0.1'], '--peer needs an --address'],
    [['nc'], 'nc takes HOST PORT'],
    [['nc', '10.77.0.1'], 'nc takes HOST PORT'],
    [['nc', '10.77.0.1', 'http'], "'http' is not a port"],
    [['nc', '10.77.0.1', '65536'], "'65536' is not a port"],
    [['nc', '-l', '10.77.0.2', '80'], 'nc -l takes PORT'],
    [['ss', '--colour'], "unknown option '--colour'"],
  ])('%j', async (words, sentence) => {
    expect(await run(words)).toBe(2)
    expect(complained).toContain(sentence)
  })
})

test('an address that the machine has already cannot be the kernel end of a wire', async () => {
  expect(await run(['up', '--address', '127.0.0.2/8', '--peer', '127.0.0.1'])).toBe(1)
  expect(complained).toBe(
    'error: The address 127.0.0.1 is in use by lo: choose others, such as 10.78.0.2/24 and 10.78.0.1.\n',
  )
})

describe('estab ss', () => {
  let directory = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'estab-'))
    vi.stubEnv('XDG_RUNTIME_DIR', directory)
  })

  test('says when nobody is up', async () => {
    expect(await run(['ss'])).toBe(1)
    expect(complained).toBe(`error: No \`estab up\` is running (none answers in ${directory}/estab).\n`)
    expect(await run(['ss', 'estab7'])).toBe(1)
    expect(complained).toContain('with the interface estab7')
  })

  test('draws what a host tells of itself', async () => {
    const { serveControl } = await import('./ss-control.js')
    const timers = [{ timer: 'time-wait', remaining: 59_000 }]
    const ends = { local: '10.77.0.2', localPort: 80, remote: '10.77.0.1', remotePort: 40_000 }
    const socket = {
      state: 'TIME-WAIT',
      recvQ: 0,
      sendQ: 0,
      ...ends,
      timers,
      retransmits: 0,
      congestion: null,
      info: null,
    }
    const control = await serveControl('estab0', () => JSON.stringify({ title: 'estab0', sockets: [socket] }))
    expect(await run(['ss'])).toBe(0)
    expect(printed).toMatch(/^TIME-WAIT +0 +0 +10\.77\.0\.2:80 +10\.77\.0\.1:40000 timer:\(timewait,59sec,0\)$/m)
    const other = await serveControl('estab1', () => JSON.stringify({ title: 'estab1', sockets: [] }))
    printed = ''
    expect(await run(['ss'])).toBe(0)
    expect(printed).toMatch(/^estab0 {2}\(process \d+\)\n[\s\S]*^estab1 {2}\(process \d+\)$/m)
    printed = ''
    expect(await run(['ss', 'estab1'])).toBe(0)
    expect(printed).not.toContain('TIME-WAIT')
    await control.close()
    await other.close()
  })

  test('a screen has room for so much: long lines count for more, and what is left out is a sign at the end', () => {
    const shown = (text: string, rows: number) => screenful(text, rows, 10).replaceAll('\x1b[K', '')
    expect(shown('one\ntwo\n', 4)).toBe('one\ntwo\n')
    expect(shown('one\n\ttwelve octets\nthree\n', 6)).toBe('one\n  twelve octets\nthree\n')
    expect(shown('one\n\ttwelve octets\nthree\n', 4)).toBe('one\n…\n')
  })

  test('passes over what a killed process left behind, and what answers nonsense', async () => {
    const { askEverybody, runtimeDirectory, serveControl } = await import('./ss-control.js')
    const control = await serveControl('estab0', () => '')
    const stray = createServer()
    await new Promise<void>((resolve) => stray.listen(join(runtimeDirectory(), 'stray.sock'), resolve))
    expect(await askEverybody()).toEqual([{ interfaceName: 'estab0', pid: process.pid, text: '' }])
    expect(await run(['ss'])).toBe(1)
    await control.close()
    stray.close()
  })
})
