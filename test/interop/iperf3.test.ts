import { expect, test } from 'vitest'
import { ending, interop, KERNELS, listens, OURS, onEstab, run, said, start, told } from './real-network.js'

interface Sum {
  readonly bytes: number
}

/** What of iperf3's JSON is looked at. */
interface Report {
  readonly error?: string
  readonly end: Record<'sum_sent' | 'sum_received' | 'sum_sent_bidir_reverse' | 'sum_received_bidir_reverse', Sum>
}

interop("the kernel's iperf3 and a program on our TCP that speaks its protocol", () => {
  async function measure(...options: string[]): Promise<Report> {
    const server = onEstab('iperf3-server.mjs')
    await said(server, /listening/)
    const { stdout } = await run('iperf3', ['-c', OURS, '-t', '1', '-J', ...options], { maxBuffer: 1e8 })
    return JSON.parse(stdout)
  }

  /** All that was sent was received, but for what the end of the test cut off in the buffers of each stream; and it was no trickle. */
  function went(sent: Sum, received: Sum, streams = 1): void {
    expect(received.bytes).toBeGreaterThan(1e6)
    expect(received.bytes).toBeLessThanOrEqual(sent.bytes)
    expect(sent.bytes - received.bytes).toBeLessThan(streams * 40e6)
  }

  test.each([
    ['sends to us', 1, []],
    ['receives from us', 1, ['-R']],
    ['sends on four connections', 4, ['-P', '4']],
    ['receives on four connections', 4, ['-P', '4', '-R']],
  ])('iperf3 -c %s without an error', async (_how, streams, options) => {
    const { error, end } = await measure(...options)
    expect(error).toBeUndefined()
    went(end.sum_sent, end.sum_received, streams)
  })

  test('iperf3 -c sends and receives at once without an error', async () => {
    const { error, end } = await measure('--bidir')
    expect(error).toBeUndefined()
    went(end.sum_sent, end.sum_received)
    went(end.sum_sent_bidir_reverse, end.sum_received_bidir_reverse)
  })

  test.each([
    ['we send', []],
    ['we receive', ['reverse']],
  ])('iperf3 -s serves a client on our TCP: %s', async (_way, way) => {
    const server = start('iperf3', ['-s', '-1', '-J'])
    const end = ending(server)
    await listens(5201)
    const [report] = await told(onEstab('iperf3-client.mjs', KERNELS, '1', '2', ...way))
    const { streams } = report as { streams: { ours: number; theirs: number }[] }
    const counted = (side: 'ours' | 'theirs') => ({ bytes: streams.reduce((sum, one) => sum + one[side], 0) })
    if (way.length === 0) went(counted('ours'), counted('theirs'), streams.length)
    else went(counted('theirs'), counted('ours'), streams.length)
    const { code, out } = await end
    expect(code).toBe(0)
    expect((JSON.parse(out.toString()) as Report).error).toBeUndefined()
  })
}, ['iperf3', '-v', 'iperf3'])
