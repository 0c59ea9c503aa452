import { performance } from 'node:perf_hooks'
import { clearTimeout, setImmediate, setTimeout } from 'node:timers'
import type { RealTimeSources } from '../../ip/index.js'

const { nextTick } = process
const settled = Promise.resolve()

/**
 * Real time whose timers do not keep the process running: TIME-WAIT and keepalive of connections that no program waits
 * for. For `new RealTime(nodeTime())`.
 */
export function nodeTime(): RealTimeSources {
  return {
    now: () => performance.now(),
    setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    soon: (callback) => void setImmediate(callback),
    next: (callback) => void settled.then(() => nextTick(callback)),
  }
}
